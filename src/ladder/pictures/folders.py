"""A person's own folder: its files by their names, a digest of them, and a copy."""

import errno
import hashlib
import itertools
import os
import shutil
import stat
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from ladder import errors
from ladder.pictures import archives

T = TypeVar("T")
Identity = tuple[int, int]  # device, inode

# Of systems, network drives and programs, in small letters; hidden files are litter too.
LITTER = {name.lower() for name in archives.LITTER} | {
    "$recycle.bin",
    "#recycle",
    "#snapshot",
    "@eadir",
    "@recently-snapshot",
    "@recycle",
    "@tmp",
    "__pycache__",
    "ehthumbs.db",
    "ehthumbs_vista.db",
    "found.000",
    "icon\r",
    "lost+found",
    "network trash folder",
    "picasa.ini",
    "recycled",
    "recycler",
    "system volume information",
    "temporary items",
    "zbthumbnail.info",
}
EMPTY = "an empty folder"
LOOP = "a link to a folder that it lies in"
DEAD = "a link to nothing"
SPECIAL = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

NAME_BYTES = 255  # of a file's name, which file systems take
CHUNK = 1 << 20  # bytes of a file in memory
BLOCK = 4096  # bytes: what a file takes on a disk is a multiple
BATCH = 1000  # files that wait for a thread


def is_litter(name: str) -> bool:
    """Returns whether a file or folder of this name is no person's picture."""
    hidden = name.startswith(".") and name not in (".", "..")
    return hidden or name.lower() in LITTER


def safe(name: str) -> str:
    """Returns a file's or folder's name as text that tables and terminals take, of 255 bytes.

    Bytes that are not UTF-8, and control characters, are written as `%E9`.
    """
    if not name.isprintable():
        name = "".join(_escaped(character) for character in name)
    if len(name.encode()) > NAME_BYTES:
        stem, suffix = os.path.splitext(name)  # noqa: PTH122  # a name is no path
        mark = "~" + hashlib.sha256(name.encode()).hexdigest()[:8] + suffix[:16]
        room = NAME_BYTES - len(mark.encode())
        name = stem.encode()[:room].decode(errors="ignore") + mark
    return name


def _escaped(character: str) -> str:
    if unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp"):
        return character
    if "\udc80" <= character <= "\udcff":  # how Python writes a byte that is not UTF-8
        return f"%{ord(character) - 0xDC00:02X}"
    return "".join(f"%{byte:02X}" for byte in character.encode(errors="surrogatepass"))


def listing(root: Path) -> tuple[dict[str, Path], list[tuple[str, str]]]:
    """Returns the files of a folder by their names, and what could not be listed, with reasons.

    Names are relative to `root`, in order, with slashes; see `safe`. Links are followed, also out
    of the folder. Of the second, the names of folders end in a slash; empty folders are among
    them. Litter is in neither.

    Raises:
        InputError: `root` is no folder, or may not be read.
    """
    files: dict[str, Path] = {}
    problems: list[tuple[str, str]] = []
    waiting: list[tuple[str, str, frozenset[Identity]]] = [(os.fspath(root), "", _line(root))]
    while waiting:
        folder, prefix, above = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                kept = [entry for entry in entries if not is_litter(entry.name)]
        except OSError as error:
            if not prefix:
                raise errors.InputError(
                    root.name,
                    expected="a folder of pictures that may be read",
                    received=error.strerror,
                    advice="Correct the path, or its permissions.",
                ) from error
            problems.append((prefix, error.strerror or type(error).__name__))
            continue
        if prefix and not kept:
            problems.append((prefix, EMPTY))
        for entry, name in zip(kept, _unique([entry.name for entry in kept]), strict=True):
            look = _look(entry, above)
            if isinstance(look, frozenset):
                waiting.append((entry.path, f"{prefix}{name}/", look))
            elif look:
                problems.append((prefix + name, look))
            else:
                files[prefix + name] = Path(entry.path)
    return dict(sorted(files.items())), sorted(problems)


def _look(entry: os.DirEntry[str], above: frozenset[Identity]) -> frozenset[Identity] | str:
    """Returns a folder and all that it lies in, "" for a file, or why an entry is neither."""
    try:
        status = entry.stat()  # of what a link leads to
    except OSError as error:
        return _reason(error, entry.is_symlink())
    if stat.S_ISDIR(status.st_mode):
        identity = (status.st_dev, status.st_ino)
        if identity in above:
            return LOOP
        return above | (_line(Path(entry.path)) if entry.is_symlink() else {identity})
    if not stat.S_ISREG(status.st_mode):
        return SPECIAL.get(stat.S_IFMT(status.st_mode), "no file")
    return "" if os.access(entry.path, os.R_OK) else os.strerror(errno.EACCES)


def _line(folder: Path) -> frozenset[Identity]:
    """Returns a folder, without links in its path, and all that it lies in."""
    path = folder.resolve()
    identities = set()
    for place in (path, *path.parents):
        try:
            status = place.stat()
        except OSError:  # `listing` says so, if it is the folder itself
            continue
        identities.add((status.st_dev, status.st_ino))
    return frozenset(identities)


def _unique(names: Sequence[str]) -> list[str]:
    """Returns the safe names of a folder's entries; none takes the name of another one."""
    if all(map(str.isprintable, names)) and all(len(name) <= NAME_BYTES // 4 for name in names):
        return list(names)
    unchanged = {name for name in names if safe(name) == name}
    taken, unique = set(unchanged), {}
    for name in sorted(set(names) - unchanged):
        stem, suffix = os.path.splitext(safe(name))  # noqa: PTH122  # a name is no path
        numbers = itertools.count(2)
        candidate = safe(name)
        while candidate in taken:
            candidate = f"{stem}~{next(numbers)}{suffix}"
        taken.add(candidate)
        unique[name] = candidate
    return [unique.get(name, name) for name in names]


def _reason(error: OSError, is_link: bool) -> str:
    if error.errno == errno.ELOOP:
        return "a link that leads to itself"
    if is_link and error.errno in (errno.ENOENT, errno.ENOTDIR):
        return DEAD
    return error.strerror or type(error).__name__


def for_each(title: str, act: Callable[[str], T], names: Sequence[str]) -> Iterator[T]:
    """Yields what `act` gives for each name, in order; in threads, with a progress bar."""
    with (
        tqdm(desc=title, total=len(names), unit="file", disable=None) as bar,
        ThreadPoolExecutor() as pool,
    ):
        for start in range(0, len(names), BATCH):
            for result in pool.map(act, names[start : start + BATCH]):
                bar.update()
                yield result


def digest(files: Mapping[str, Path], names: Sequence[str]) -> str:
    """Returns the sha256 of the named files: of their names, in order, with the sha256 of each.

    Raises:
        InputError: a file cannot be read.
    """
    return _together(sorted(names), for_each("hash", partial(_hash, files), sorted(names)))


def copy(files: Mapping[str, Path], names: Sequence[str], target: Path) -> str:
    """Copies the named files to `target`/<name> and returns their `digest`.

    The originals are read, nothing else is done to them. The copies are no links.

    Raises:
        InputError: a file cannot be read, or the disk lacks room.
    """
    ordered = sorted(names)
    _check_room(files, ordered, target)
    for folder in sorted({(target / name).parent for name in ordered} | {target}):
        folder.mkdir(parents=True, exist_ok=True)
    return _together(ordered, for_each("copy", partial(_copy, files, target), ordered))


def _together(names: Sequence[str], hashes: Iterator[str]) -> str:
    lines = (f"{sha256} {name}\n" for sha256, name in zip(hashes, names, strict=True))
    together = hashlib.sha256()
    for line in lines:
        together.update(line.encode())
    return together.hexdigest()


def _hash(files: Mapping[str, Path], name: str) -> str:
    content = hashlib.sha256()
    for chunk in _chunks(files[name], name):
        content.update(chunk)
    return content.hexdigest()


def _copy(files: Mapping[str, Path], target: Path, name: str) -> str:
    content = hashlib.sha256()
    path = target / name
    path.unlink(missing_ok=True)  # a link that is left there would lead into what it links to
    with path.open("xb") as file:
        for chunk in _chunks(files[name], name):
            content.update(chunk)
            file.write(chunk)
    return content.hexdigest()


def _chunks(path: Path, name: str) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk
    except OSError as error:
        raise _unreadable(name, error) from error


def _check_room(files: Mapping[str, Path], names: Sequence[str], target: Path) -> None:
    needed = 0
    for name in names:
        try:
            size = files[name].stat().st_size
        except OSError as error:
            raise _unreadable(name, error) from error
        needed += -(-size // BLOCK) * BLOCK
    place = next(place for place in (target, *target.absolute().parents) if place.exists())
    free = shutil.disk_usage(place).free
    if needed > free:
        raise errors.InputError(
            f"the disk of {target}",
            expected=f"{needed:,} bytes free, for a copy of {len(names):,} files",
            received=f"{free:,} bytes",
            advice="Make room, or work in a folder on a larger disk.",
        )


def _unreadable(name: str, error: OSError) -> errors.InputError:
    return errors.InputError(
        name,
        expected="a file that can be read",
        received=error.strerror or type(error).__name__,
        advice="Mend or remove it; if the files are changing, wait until they are at rest.",
    )
