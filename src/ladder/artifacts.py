"""Atomic, byte-stable writes, and reads that refuse pickles."""

import errno
import glob
import hashlib
import json
import os
import shutil
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
from numpy.typing import NDArray

from ladder import errors


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yields a temporary path in the folder of `path`, renamed to `path` if the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    temporary = path.with_name(f".{os.getpid()}.{path.name}")  # keeps the ending: h5py looks at it
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


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
    _remove_leftovers(target)
    copy = target.with_name(f".{os.getpid()}.{target.name}")
    try:
        if source.is_dir():
            shutil.copytree(source, copy)
        else:
            shutil.copy2(source, copy)
        os.replace(copy, target)
    finally:
        _delete(copy)
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
