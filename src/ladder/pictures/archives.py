"""Archives of pictures: never unpacked, read member by member, in the layouts that are known."""

import functools
import hashlib
import io
import os
import re
import shutil
import stat
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from ladder import errors
from ladder.pictures import formats

NUMBER = re.compile(r"\d{1,18}")  # fits 64 bits
KAGGLE = re.compile(rf"(?P<class_name>[a-z]\w*)\.(?P<number>{NUMBER.pattern})")
LITTER = {
    "__MACOSX",
    "Thumbs.db",
    "desktop.ini",
}  # of macOS and Windows; hidden files are too
EXPECTED = (
    "JPEG, PNG, BMP, GIF, WebP or TIFF pictures in a folder of each class, such as "
    "Oak/holiday.jpg (Microsoft's PetImages/Cat/0.jpg), or named as Kaggle's train/cat.0.jpg"
)
ADVICE = "Give a zip or a folder with a folder for each class, or Kaggle's inner train.zip."

Row = tuple[str, str, int]  # path, class_name, number

# Limits against archives made to exhaust the machine; Microsoft's has 25,000 members, 0.8 GB.
MEMBERS, MEMBER_BYTES, TOTAL_BYTES, RATIO = 60_000, 50_000_000, 4_000_000_000, 200

METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}

EPOCH = (1980, 1, 1, 0, 0, 0)  # the date of every member that is written here


def check(path: Path, where: str) -> None:
    """Looks at the table of contents of a zip archive; `where` is what a person calls it.

    Raises:
        InputError: not a zip archive, cut, encrypted, compressed by an unknown method, names
            twice, or larger than the limits.
    """
    advice = "Fetch the archive again and compare its sha256."
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise errors.InputError(
            where, expected="a whole zip archive", received=error, advice=advice
        ) from error
    for expected, received, advice in _faults(members):
        raise errors.InputError(where, expected=expected, received=received, advice=advice)


def _faults(members: Sequence[zipfile.ZipInfo]) -> Iterator[tuple[str, str, str]]:
    """Yields what is wrong with a table of contents: expected, received, advice."""
    fetch = "Fetch the archive again and compare its sha256."
    if len(members) > MEMBERS:
        yield f"at most {MEMBERS:,} members", f"{len(members):,}", fetch
    if len({member.filename for member in members}) < len(members):
        yield "every name once", "a name that stands twice", fetch
    if any(member.flag_bits & 1 for member in members):
        yield "no encryption", "an encrypted member", fetch
    for member in members:
        if _is_bomb(member):
            limits = f"members of at most {MEMBER_BYTES:,} bytes, packed at most {RATIO} to 1"
            yield limits, member.filename, fetch
    total = sum(member.file_size for member in members)
    if total > TOTAL_BYTES:
        yield f"at most {TOTAL_BYTES:,} bytes unpacked", f"{total:,}", fetch
    for member in members:
        if member.compress_type not in METHODS:
            methods = "members that are stored, or compressed by Deflate, BZIP2 or LZMA"
            method = f"{member.filename} by method {member.compress_type}"
            yield methods, method, "Pack the pictures again, without compression."


def _is_bomb(member: zipfile.ZipInfo) -> bool:
    return member.file_size > MEMBER_BYTES or member.file_size > RATIO * max(
        member.compress_size, 1000
    )


def members(path: Path) -> pd.DataFrame:
    """Returns a row per picture (path, class_name, number), by class and number.

    Where most names are like Kaggle's, they say class and number. Else the class is the folder that
    the picture lies in, and the number its place there in order of names, 2 before 10: Microsoft's
    own, without gaps. Class names are in small letters. Passed-over files are named on stderr.

    Raises:
        InputError: fewer than two classes, two folders of one class, or a number is double.
    """
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    files = {n: PurePosixPath(n) for n in names if not n.endswith("/") and not _is_litter(n)}
    pictures = {n: file for n, file in files.items() if _is_read(file)}
    rows = _by_name(pictures)
    if 2 * len(rows) <= len(pictures) or len({class_name for _, class_name, _ in rows}) < 2:
        rows = _by_folder(pictures, path.name)
    frame = pd.DataFrame(rows, columns=["path", "class_name", "number"]).sort_values(
        ["class_name", "number"], ignore_index=True
    )
    if frame["class_name"].nunique() < 2:
        raise errors.InputError(
            path.name,
            expected=f"at least two classes of {EXPECTED}",
            received=", ".join(names[:5]) or "an empty archive",
            advice=ADVICE,
        )
    double = frame[frame.duplicated(["class_name", "number"], keep=False)]
    if len(double):
        raise errors.InputError(
            path.name,
            expected="one picture per class and number",
            received=" and ".join(double["path"][:2]),
            advice=ADVICE,
        )
    _tell(sorted(files.keys() - set(frame["path"])))
    return frame


def _is_read(file: PurePosixPath) -> bool:
    return file.suffix.lower() in formats.READ_SUFFIXES


def _is_litter(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return any(part in LITTER or (part.startswith(".") and part != "..") for part in parts)


def _by_name(pictures: Mapping[str, PurePosixPath]) -> list[Row]:
    matches = ((name, KAGGLE.fullmatch(path.stem)) for name, path in pictures.items())
    return [(name, _word(m["class_name"]), int(m["number"])) for name, m in matches if m]


def _by_folder(pictures: Mapping[str, PurePosixPath], where: str) -> list[Row]:
    folders: dict[PurePosixPath, list[str]] = {}
    for name in sorted(pictures, key=lambda name: (natural(pictures[name].stem), name)):
        if pictures[name].parent.name not in ("", ".."):
            folders.setdefault(pictures[name].parent, []).append(name)
    rows: list[Row] = []
    folder_of: dict[str, PurePosixPath] = {}
    for folder, names in folders.items():
        class_name = _word(folder.name)
        if class_name in folder_of:
            raise errors.InputError(
                where,
                expected="one folder per class, which `split` divides",
                received=f"{folder_of[class_name]} and {folder}",
                advice="Put the pictures of a class into one folder.",
            )
        folder_of[class_name] = folder
        rows += [(name, class_name, place) for place, name in enumerate(names)]
    return rows


def natural(text: str) -> list[int | str]:
    """Returns a key that sorts 2 before 10."""
    parts = re.split(f"({NUMBER.pattern})", text.lower())
    return [int(part) if i % 2 else part for i, part in enumerate(parts)]


@functools.cache
def _word(name: str) -> str:
    """Returns a class name that CSV gives back as text, as it would not `7` or `nan`."""
    name = name.lower()
    for text in (name, f"{name}.0"):  # an id
        written = pd.DataFrame({"text": [text]}).to_csv(index=False)
        if pd.read_csv(io.StringIO(written))["text"].tolist() != [text]:
            return f"class {name}"
    return name


def _tell(passed_over: Sequence[str]) -> None:
    if passed_over:
        shown = ", ".join(passed_over[:3]) + (", …" if len(passed_over) > 3 else "")
        files = "file" if len(passed_over) == 1 else "files"
        print(f"ladder: {len(passed_over):,} {files} passed over: {shown}", file=sys.stderr)


def pack(folder: Path, target: Path) -> None:
    """Writes a folder's files, unchanged and in order of their names, into a zip archive.

    The same files give the same bytes. Links are left out: they could lead anywhere.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
            if stat.S_ISREG(os.lstat(path).st_mode):
                member = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EPOCH)
                archive.writestr(member, path.read_bytes())


def store(source: Path, target: Path) -> None:
    """Writes an archive, or the archive that a folder is packed into, to `target`.

    Raises:
        InputError: there is neither.
    """
    if source.is_dir():
        pack(source, target)
    elif source.is_file():
        shutil.copyfile(source, target)
    else:
        raise errors.InputError(
            str(source),
            expected="a zip archive or a folder of pictures",
            received="nothing there",
            advice="Correct the path.",
        )


def sha256(path: Path) -> str:
    """Returns the hash of an archive, or of the archive that a folder would be packed into.

    Raises:
        InputError: there is neither.
    """
    if not path.is_file():
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "images.zip"
            store(path, target)
            return sha256(target)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
