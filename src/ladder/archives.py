"""Archives of pictures: never unpacked, read member by member, in the layouts that are known."""

import hashlib
import os
import re
import stat
import tempfile
import zipfile
from pathlib import Path

import pandas as pd

from ladder import errors

LAYOUTS = {
    "Microsoft's": re.compile(r"(?:.*/)?(?P<class_name>[A-Z]\w*)/(?P<number>\d+)\.jpg"),
    "Kaggle's": re.compile(r"(?:.*/)?(?P<class_name>[a-z]\w*)\.(?P<number>\d+)\.(?:jpg|png)"),
}
EXPECTED = "pictures named PetImages/Cat/0.jpg (Microsoft's layout) or train/cat.0.jpg (Kaggle's)"

# Limits against archives made to exhaust the machine; Microsoft's has 25,000 members, 0.8 GB.
MEMBERS, MEMBER_BYTES, TOTAL_BYTES, RATIO = 60_000, 50_000_000, 4_000_000_000, 200

EPOCH = (1980, 1, 1, 0, 0, 0)  # the date of every member that is written here


def check(path: Path, where: str) -> None:
    """Looks at the table of contents of a zip archive; `where` is what a person calls it.

    Raises:
        InputError: not a zip archive, cut, encrypted, names twice, or larger than the limits.
    """
    advice = "Fetch the archive again and compare its sha256."
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise errors.InputError(
            where, expected="a whole zip archive", received=error, advice=advice
        ) from error
    names = {member.filename for member in members}
    for expected, received in (
        (f"at most {MEMBERS:,} members", len(members) > MEMBERS and f"{len(members):,}"),
        ("every name once", len(names) < len(members) and "a name that stands twice"),
        ("no encryption", any(m.flag_bits & 1 for m in members) and "an encrypted member"),
        (
            f"members of at most {MEMBER_BYTES:,} bytes, packed at most {RATIO} to 1",
            next((m.filename for m in members if _is_bomb(m)), False),
        ),
        (
            f"at most {TOTAL_BYTES:,} bytes unpacked",
            (total := sum(m.file_size for m in members)) > TOTAL_BYTES and f"{total:,}",
        ),
    ):
        if received:
            raise errors.InputError(where, expected=expected, received=received, advice=advice)


def _is_bomb(member: zipfile.ZipInfo) -> bool:
    return member.file_size > MEMBER_BYTES or member.file_size > RATIO * max(
        member.compress_size, 1000
    )


def members(path: Path) -> pd.DataFrame:
    """Returns a row per picture (path, class_name, number), by class and number.

    Raises:
        InputError: the layout is unknown, there are fewer than two classes, or a number is double.
    """
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    matches = [
        m for name in names for pattern in LAYOUTS.values() if (m := pattern.fullmatch(name))
    ]
    frame = pd.DataFrame(
        [(m.string, m["class_name"].lower(), int(m["number"])) for m in matches],
        columns=["path", "class_name", "number"],
    ).sort_values(["class_name", "number"], ignore_index=True)
    advice = "Give Microsoft's archive, Kaggle's (the inner train.zip), or a folder of either."
    if frame["class_name"].nunique() < 2:
        shown = ", ".join(names[:5]) or "an empty archive"
        raise errors.InputError(
            path.name, expected=f"at least two classes of {EXPECTED}", received=shown, advice=advice
        )
    double = frame[frame.duplicated(["class_name", "number"], keep=False)]
    if len(double):
        raise errors.InputError(
            path.name,
            expected="one picture per class and number",
            received=" and ".join(double["path"][:2]),
            advice=advice,
        )
    return frame


def pack(folder: Path, target: Path) -> None:
    """Writes a folder's files, unchanged and in order of their names, into a zip archive.

    The same files give the same bytes. Links are left out: they could lead anywhere.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
            if stat.S_ISREG(os.lstat(path).st_mode):
                member = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EPOCH)
                archive.writestr(member, path.read_bytes())


def sha256(path: Path) -> str:
    """Returns the hash of an archive, or of the archive that a folder would be packed into.

    Raises:
        InputError: there is neither.
    """
    if path.is_dir():
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "images.zip"
            pack(path, target)
            return sha256(target)
    if not path.is_file():
        raise errors.InputError(
            str(path),
            expected="a zip archive or a folder of pictures",
            received="nothing there",
            advice="Correct the path.",
        )
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
