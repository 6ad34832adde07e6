"""What lies in a person's folder or archive: its files, looked at without decoding, and levels."""

import importlib.util
import posixpath
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from ladder import paths
from ladder.pictures import folders, formats, originals

# Kinds of `formats.NOT_READ` that lie beside photographs, and are none.
NO_PHOTOGRAPHS = {"a document", "a drawing", "an icon", "a mouse pointer"}
PLAIN_SUFFIX = re.compile(r"\.\w{1,8}")
NO_FOLDERS = {"", ".", ".."}  # parts of names, in archives, that say nothing of a class
SHOWN = 3  # examples in a message
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar")

# What folders and columns call a subset, also as in "Training Set", seg_train or test-images.
SUBSETS: dict[str, paths.Subset] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
SUBSET = re.compile(rf"(?:seg)?({'|'.join(SUBSETS)})(?:set|data|images)?")
BETWEEN = re.compile(r"[\s_-]+")
PASSED_THROUGH = {"images", "imgs", "pictures", "photos", "data"}  # in a folder of a subset


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, or a folder or link that could not be listed."""

    name: str
    parts: tuple[str, ...]  # folders and file; of a folder that has nothing, the last is ""
    reason: str  # "" for a picture that is read
    is_file: bool
    is_picture: bool  # also of a format that is not read


@dataclass(frozen=True)
class Level:
    """A folder, and what lies in it."""

    folder: tuple[str, ...]
    direct: list[Entry]  # files in this folder
    inner: dict[str, list[Entry]]  # what lies in each of its folders, at any depth

    @property
    def bearing(self) -> dict[str, list[Entry]]:
        """The folders that have pictures."""
        return {name: inside for name, inside in self.inner.items() if has_pictures(inside)}

    def below(self, folder: str) -> "Level":
        """Returns the level of a folder in this one."""
        return level(self.inner[folder], (*self.folder, folder))

    def inside(self, folder: str) -> "Level":
        """Returns the level below a folder, or below the one folder in it that only wraps the rest.

        A folder wraps where it has folders of pictures itself, or no name of a class: train/train.
        """
        place = self.below(folder)
        while len(place.inner) == 1 and not has_pictures(place.direct):
            (name,) = place.inner
            below = place.below(name)
            wraps = subset_of(name) == subset_of(folder) or name.lower() in PASSED_THROUGH
            if not below.bearing and not wraps:
                break
            place = below
        return place


@dataclass(frozen=True, slots=True)
class Claim:
    """A file, or a row of a table without one, that stands for a class."""

    entry: Entry
    class_name: str
    subset: str  # "" where it is to be chosen


def class_name(text: str) -> str:
    """Returns the class that a folder or label names: NFC, without spaces around it."""
    return normalised(text).strip()


def normalised(text: str) -> str:
    """Returns text whose accents are stored in one way (NFC)."""
    return unicodedata.normalize("NFC", text)


def subset_of(name: str) -> paths.Subset | None:
    """Returns the subset that a folder or a value names, whatever its case and separators."""
    match = SUBSET.fullmatch(BETWEEN.sub("", name.lower()))
    return SUBSETS[match[1]] if match else None


def problem(name: str, reason: str) -> Entry:
    """Returns the entry of what could not be listed; see `folders.listing`."""
    parts = _parts(name) + (("",) if name.endswith("/") else ())
    if reason[:1].isupper():  # the system's words
        reason = _unreadable(reason)
    return Entry(name, parts, reason, is_file=False, is_picture=False)


def _unreadable(reason: str) -> str:
    return f"cannot be read: {reason[:1].lower()}{reason[1:]}"


def _parts(name: str) -> tuple[str, ...]:
    parts = tuple(name.split("/"))
    if NO_FOLDERS.isdisjoint(parts):
        return parts
    return tuple(part for part in parts if part not in NO_FOLDERS) or (name,)


def entries(pictures: originals.Originals) -> Iterator[Entry]:
    """Yields the files in order of their names.

    First bytes are read only where the ending is not that of a format that is read.
    """
    looks = {}
    unclear = [name for name in pictures.names if suffix(name) not in formats.READ_SUFFIXES]
    if unclear:
        verdicts = folders.for_each("look", partial(_look, pictures, _formats()), unclear)
        looks = dict(zip(unclear, verdicts, strict=True))
    for name in pictures.names:
        reason, is_picture = looks.get(name, ("", True))
        yield Entry(name, _parts(name), reason, is_file=True, is_picture=is_picture)


def _formats() -> set[str]:
    """Returns the formats that are read with what is installed."""
    heic = {formats.HEIC} if importlib.util.find_spec("pillow_heif") else set()
    return {*formats.READ, *heic}


def _look(pictures: originals.Originals, read: set[str], name: str) -> tuple[str, bool]:
    """Returns why a file is passed over, "" for a picture; and whether it is one of any format."""
    try:
        head = pictures.head(name, formats.HEAD)
    except OSError as error:
        return _unreadable(error.strerror or str(error)), False
    ending, kind = suffix(name), formats.sniff(head)
    promises = ending in formats.SUFFIXES
    if ending in ARCHIVES and kind not in read:
        return "an archive: unpack it", False
    if kind in read and not (kind == "TIFF" and promises):  # raw files of cameras begin as TIFF
        return "", True
    if kind is None or kind in read:
        if promises:
            return f"{ending[1:].upper()} is not read", True
        shown = f" ({ending})" if PLAIN_SUFFIX.fullmatch(ending) else ""
        return formats.refusal(head) + shown, False
    return formats.refusal(head), formats.NOT_READ[kind] not in NO_PHOTOGRAPHS


def suffix(name: str) -> str:
    """Returns the ending of a name with its dot, in small letters."""
    return posixpath.splitext(name)[1].lower()


def level(entries: Iterable[Entry], folder: tuple[str, ...]) -> Level:
    """Returns the level of a folder, which all entries lie in, at any depth."""
    direct: list[Entry] = []
    inner: dict[str, list[Entry]] = {}
    for entry in entries:
        if len(entry.parts) == len(folder) + 1:
            direct.append(entry)
        else:
            inner.setdefault(entry.parts[len(folder)], []).append(entry)
    return Level(folder, direct, dict(sorted(inner.items())))


def has_pictures(entries: Iterable[Entry]) -> bool:
    """Returns whether there is a picture, of a format that is read or not."""
    return any(entry.is_picture for entry in entries)


def summary(entries: Sequence[Entry]) -> str:
    """Returns in words what lies in a folder."""
    usable = sum(entry.is_file and not entry.reason for entry in entries)
    pieces = [count(usable, "picture")] if usable else []
    files = Counter(entry.reason for entry in entries if entry.is_file and entry.reason)
    others: dict[str, list[str]] = {}
    for entry in entries:
        if not entry.is_file:
            others.setdefault(entry.reason, []).append(entry.name)
    pieces += [f"{count(n, 'file')} ({reason})" for reason, n in files.most_common(SHOWN)]
    for reason, names in sorted(others.items(), key=lambda item: -len(item[1]))[:SHOWN]:
        more = f" and {len(names) - 2:,} more" if len(names) > 2 else ""
        shown = f" ({', '.join(names[:2])}{more})"
        pieces.append(f"{len(names):,} times {reason}{shown}" if len(names) > 1 else reason)
    rest = max(0, len(files) - SHOWN) + max(0, len(others) - SHOWN)
    return ", ".join(pieces + ["…"] * bool(rest)) or "nothing"


def count(number: int, noun: str) -> str:
    """Returns a number with its noun, in the plural where that is due."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(names: Iterable[str]) -> str:
    """Returns names in words; of many the first and how many more there are."""
    shown = sorted(names) if isinstance(names, (set, Mapping)) else list(names)
    if len(shown) > SHOWN + 1:
        shown = [*shown[:SHOWN], f"{len(shown) - SHOWN} more"]
    return " and ".join([*([", ".join(shown[:-1])] if len(shown) > 1 else []), *shown[-1:]])
