"""Pictures by their names, whether they lie in a folder or in a zip archive."""

import lzma
import stat
import struct
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from ladder import errors, paths
from ladder.pictures import archives, folders

UNPACK = "Unpack it and give the folder."
UTF8_FLAG, ENCRYPTED_FLAG = 0x800, 0x1
UNICODE_PATH = 0x7075  # an extra field: the name in UTF-8, with a checksum of the other name
MSDOS = 0  # the system of archives whose names may have backslashes between folders

# How other archives start, and tar at its place within the first block.
OTHER_ARCHIVES = {
    b"\x1f\x8b": "gzip, as in .tar.gz",
    b"BZh": "bzip2, as in .tar.bz2",
    b"\xfd7zXZ\0": "xz, as in .tar.xz",
    b"\x28\xb5\x2f\xfd": "Zstandard, as in .tar.zst",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!\x1a\x07": "RAR",
}
TAR, TAR_AT = b"ustar", 257

DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    struct.error,
)


class Originals(ABC):
    """A person's files by name, and what is there but is no file; threads may read at once."""

    def __init__(self, names: Sequence[str], problems: Sequence[tuple[str, str]] = ()):
        self.names = sorted(names)
        self.problems = sorted(problems)  # name, reason; the names of folders end in a slash

    @abstractmethod
    def _open(self, name: str) -> IO[bytes]: ...

    @abstractmethod
    def size(self, name: str) -> int:
        """Returns the number of bytes of a file.

        Raises:
            OSError: it cannot be had.
        """

    def read(self, name: str) -> bytes:
        """Returns the bytes of a file.

        Raises:
            OSError: it cannot be read, or is damaged in the archive.
        """
        return self.head(name, -1)

    def head(self, name: str, count: int = 64) -> bytes:
        """Returns the first bytes of a file, `count` or as many as there are.

        Raises:
            OSError: it cannot be read, or is damaged in the archive.
        """
        try:
            with self._open(name) as file:
                return file.read(count)
        except DAMAGE as error:
            raise OSError(f"damaged in the archive: {error}") from error

    def close(self) -> None:  # noqa: B027  # files of a folder are open only while they are read
        """Ends the reading."""


class _Folder(Originals):
    def __init__(self, files: Mapping[str, Path]):
        super().__init__(list(files))
        self._files = files

    def _open(self, name: str) -> IO[bytes]:
        return self._files[name].open("rb")

    def size(self, name: str) -> int:
        return self._files[name].stat().st_size


class _Archive(Originals):
    def __init__(
        self,
        archive: zipfile.ZipFile,
        members: Mapping[str, zipfile.ZipInfo],
        problems: Sequence[tuple[str, str]],
    ):
        super().__init__(list(members), problems)
        self._archive, self._members = archive, members

    def _open(self, name: str) -> IO[bytes]:
        return self._archive.open(self._member(name))

    def size(self, name: str) -> int:
        return self._member(name).file_size

    def _member(self, name: str) -> zipfile.ZipInfo:
        """Returns a member, also by the archive's own name, which `archives.members` gives."""
        return self._members.get(name) or self._archive.getinfo(name)

    def close(self) -> None:
        self._archive.close()


def of_folder(files: Mapping[str, Path]) -> Originals:
    """Returns the files of `folders.listing`."""
    return _Folder(files)


def of_zip(path: Path) -> Originals:
    """Returns the members of a zip archive, without litter; nothing is unpacked.

    Names are text as the archive means it, see `folders.safe`; no folder is opened by them.

    Raises:
        InputError: another kind of archive or file, cut, encrypted, a name that stands twice, or
            a member compressed by a method that is not known.
    """
    _check_kind(path)
    try:
        archive = zipfile.ZipFile(path)
    except (*DAMAGE, OSError) as error:
        raise errors.InputError(
            path.name,
            expected="a whole zip archive",
            received=error,
            advice="Copy or pack it again; if it can be unpacked, give the folder.",
        ) from error
    try:
        return _of_members(path.name, archive)
    except errors.InputError:
        archive.close()
        raise


def _of_members(where: str, archive: zipfile.ZipFile) -> Originals:
    kept = []
    for member in archive.infolist():
        parts = _name(member).split("/")
        if not any(map(folders.is_litter, parts)):
            kept.append(("/".join(map(folders.safe, parts)), member))
    files = [(name, member) for name, member in kept if not name.endswith("/")]
    _check_members(where, files)
    problems = [(name, "a link in an archive") for name, member in files if _is_link(member)]
    members = {name: member for name, member in files if not _is_link(member)}
    inhabited = {folder for name, _ in files for folder in _folders(name)}
    named = {folder for name, _ in kept if name.endswith("/") for folder in _folders(name)}
    holding = {folder for name in named for folder in _folders(name.removesuffix("/"))}
    empty = [(name, folders.EMPTY) for name in named - inhabited - holding]
    return _Archive(archive, members, problems + empty)


def _folders(name: str) -> Iterator[str]:
    """Yields the folders that a name lies in, each with a slash at its end."""
    at = name.rfind("/")
    while at > 0:
        yield name[: at + 1]
        at = name.rfind("/", 0, at)


def _name(member: zipfile.ZipInfo) -> str:
    name = member.orig_filename.partition("\0")[0]
    if not member.flag_bits & UTF8_FLAG:  # the bytes were taken for cp437, as the format says
        raw = name.encode("cp437")
        with suppress(UnicodeDecodeError):
            name = _unicode_path(member, raw) or raw.decode()
    return name.replace("\\", "/") if member.create_system == MSDOS else name


def _unicode_path(member: zipfile.ZipInfo, raw: bytes) -> str | None:
    extra = member.extra
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        field = extra[4 : 4 + size]
        if kind == UNICODE_PATH and size > 5:
            (checksum,) = struct.unpack_from("<L", field, 1)
            return field[5:].decode() if checksum == zlib.crc32(raw) else None
        extra = extra[4 + size :]
    return None


def _is_link(member: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(member.external_attr >> 16)


def _check_members(where: str, members: Sequence[tuple[str, zipfile.ZipInfo]]) -> None:
    encrypted = [name for name, member in members if member.flag_bits & ENCRYPTED_FLAG]
    if encrypted:
        raise errors.InputError(
            where,
            expected="an archive without a password",
            received=f"{encrypted[0]}, encrypted",
            advice="Unpack it with its password and give the folder.",
        )
    twice = [name for name, count in Counter(name for name, _ in members).items() if count > 1]
    if twice:
        raise errors.InputError(
            where,
            expected="every name once",
            received=f"{twice[0]}, which stands there twice",
            advice=UNPACK,
        )
    for name, member in members:
        if member.compress_type not in archives.METHODS:
            raise errors.InputError(
                where,
                expected="members that are stored, or compressed by Deflate, BZIP2 or LZMA",
                received=f"{name} by method {member.compress_type}",
                advice=UNPACK,
            )


def _check_kind(path: Path) -> None:
    try:
        with path.open("rb") as file:
            start = file.read(TAR_AT + len(TAR))
    except OSError as error:
        raise errors.InputError(
            path.name,
            expected="a zip archive that can be read",
            received=error.strerror,
            advice="Correct the path, or its permissions.",
        ) from error
    kinds = [kind for magic, kind in OTHER_ARCHIVES.items() if start.startswith(magic)]
    if start[TAR_AT:] == TAR:
        kinds = ["tar"]
    if kinds:
        raise errors.InputError(
            path.name, expected="a zip archive or a folder", received=kinds[0], advice=UNPACK
        )
    if not start.startswith(b"PK") and not zipfile.is_zipfile(path):
        raise errors.InputError(
            path.name,
            expected="a zip archive or a folder of pictures",
            received="a file of another kind",
            advice="Give the folder that the pictures are in.",
        )


@contextmanager
def opened(raw: Path) -> Iterator[Originals]:
    """Yields the pictures of a dataset's folder `raw`, which has an archive or a folder of them.

    Raises:
        InputError: it has neither, or the archive is not whole.
    """
    archive, pictures = raw / paths.ARCHIVE, raw / paths.PICTURES
    if archive.is_file():
        originals = of_zip(archive)
    elif pictures.is_dir():
        originals = of_folder(folders.listing(pictures)[0])
    else:
        raise errors.InputError(
            str(raw),
            expected=f"{paths.ARCHIVE} or the folder {paths.PICTURES}",
            received="neither",
            advice="Run `dvc repro` again.",
        )
    try:
        yield originals
    finally:
        originals.close()
