"""Atomic, byte-stable writes, and reads that refuse pickles."""

import errno
import glob
import hashlib
import json
import os
import shutil
import time
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
import psutil
from numpy.typing import NDArray

from ladder import errors

# Columns of names that people gave, and of hashes, which may look like numbers.
TEXTS = {
    *("id", "other_id", "path", "class_name", "most_confused_with", "reason", "detail"),
    *("decision", "corrected_class_name"),
    *("sha256", "pixels_sha256", "hash", "mirrored_hash"),
}


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yields a temporary path in the folder of `path`, renamed to `path` if the block succeeds.

    The block may make a file or a folder. A folder that is at `path` already is replaced.
    """
    with temporary(path) as new:
        yield new
        if path.is_dir():
            shutil.rmtree(path)
        os.replace(new, path)


@contextmanager
def temporary(path: Path) -> Iterator[Path]:
    """Yields a temporary path in the folder of `path`; what the block leaves there is deleted.

    What a process that was killed left there is deleted first.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    new = path.with_name(f".{os.getpid()}.{path.name}")  # keeps the ending: h5py looks at it
    try:
        yield new
    finally:
        _delete(new)


def _remove_leftovers(path: Path) -> None:
    """Deletes temporary files and folders of `path` whose process was killed, or was this one."""
    for leftover in path.parent.glob(f".*.{glob.escape(path.name)}"):
        number = leftover.name.split(".")[1]
        if number.isdecimal() and (
            int(number) == os.getpid() or not psutil.pid_exists(int(number))
        ):
            _delete(leftover)


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def move(source: Path, target: Path) -> None:
    """Moves a file or folder to `target`, which is not there, also to another file system.

    On another one it is copied under a temporary name first, so that `target` is whole or absent.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.replace(source, target)
        return
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
    with whole(target) as copy:
        if source.is_dir():
            shutil.copytree(source, copy)
        else:
            shutil.copy2(source, copy)
    _delete(source)


def reserve(path: Path, size: int) -> None:
    """Reserves `size` bytes on the disk for a file that is written to through memory.

    Without it a full disk ends the process by a signal, without a message.

    Raises:
        OSError: there is no room.
    """
    with path.open("r+b") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        elif shutil.disk_usage(path.parent).free < size:  # macOS, Windows
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def sha256(path: Path) -> str:
    """Returns the hash of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_text(path: Path, text: str) -> None:
    """Writes text as UTF-8."""
    with whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:
    """Writes sorted, indented JSON; NaN is an error."""
    write_text(path, json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Returns the file's content."""
    return json.loads(path.read_text())


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """Writes a frame without its index; floats in the shortest form that reads back equal."""
    with whole(path) as temporary:
        frame.to_csv(temporary, index=False, lineterminator="\n")


def read_csv(source: Path | IO[Any]) -> pd.DataFrame:
    """Returns a frame that `write_csv` wrote; what TEXTS names is text, whatever it looks like.

    Names such as `007`, `nan` or `1e5` stay as they are. In other columns nothing is a missing
    value but an empty field.
    """
    columns = pd.read_csv(source, nrows=0).columns
    if not isinstance(source, Path):
        source.seek(0)
    return pd.read_csv(
        source,
        dtype=dict.fromkeys(columns.intersection([*TEXTS]), str),
        keep_default_na=False,
        na_values={column: [""] for column in columns.difference([*TEXTS])},
        lineterminator="\n",  # a name may hold a carriage return
    )


@contextmanager
def timed(path: Path) -> Iterator[None]:
    """Writes how many seconds the block took, in a file that no stage but evaluate reads."""
    started = time.perf_counter()
    yield
    write_json(path, {"seconds": time.perf_counter() - started})


def write_npy(path: Path, array: NDArray[Any]) -> None:
    """Writes one array."""
    with whole(path) as temporary, temporary.open("wb") as file:
        np.save(file, array, allow_pickle=False)


def write_npy_in_parts(
    path: Path, shape: tuple[int, ...], parts: Iterable[NDArray[np.uint8]]
) -> None:
    """Writes one uint8 array from its parts along the first axis, one in memory at a time."""
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    with whole(path) as temporary, temporary.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for part in parts:
            file.write(np.ascontiguousarray(part).data)


def write_npz(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Writes named arrays, not compressed: so bytes repeat whatever the zlib."""
    with whole(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)  # dated 1980 by `zipfile`


def read_views(folder: Path) -> list[NDArray[Any]]:
    """Returns the stored views 1 … V, mapped into memory."""
    return [read_npy(path) for path in sorted(folder.glob("view-*.npy"))]


def read_npy(path: Path) -> NDArray[Any]:
    """Returns the array, mapped into memory and not read before it is used.

    Raises:
        InputError: not a whole `.npy` file of numbers.
    """
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise errors.InputError(
            str(path),
            expected="a whole .npy file of numbers",
            received=str(error),
            advice="Delete it and run `dvc repro` again.",
        ) from error
    return array


def read_npz(path: Path) -> dict[str, NDArray[Any]]:
    """Returns the named arrays.

    Raises:
        InputError: not a whole `.npz` file of numbers and texts.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    except (ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise errors.InputError(
            str(path),
            expected="a whole .npz file of numbers and texts",
            received=str(error),
            advice="Delete it and run `dvc repro` again.",
        ) from error
