"""Many pictures at a time: in threads, with a progress bar."""

import hashlib
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from ladder import errors
from ladder.pictures import images

T = TypeVar("T")

WAITING = 4096  # pictures that wait for a thread at a time
DECODED = 512  # decoded pictures in memory at a time


def for_each_picture(title: str, act: Callable[..., T], *columns: pd.Series) -> list[T]:
    """Returns what `act` gives for each row of the columns; in threads, with a progress bar.

    Pillow's warnings of odd metadata are dropped: pixels count.
    """
    count = len(columns[0])
    results: list[T] = []
    bar = tqdm(total=count, desc=title, unit="picture", disable=None)
    with bar, warnings.catch_warnings(action="ignore"), ThreadPoolExecutor() as pool:
        for start in range(0, count, WAITING):  # a task in waiting takes memory
            part = (column.iloc[start : start + WAITING] for column in columns)
            for result in pool.map(act, *part):
                results.append(result)
                bar.update()
    return results


def decode_all(
    read: Callable[[str], bytes], manifest: pd.DataFrame, image_size: int
) -> Iterator[NDArray[np.uint8]]:
    """Yields the manifest's pictures in parts (n, image_size, image_size, 3) uint8, in its order.

    `read` gives a picture's bytes by its path. A part at a time is in memory.

    Raises:
        InputError: a picture's bytes are no longer those of the manifest.
    """

    def pixels(path: str, sha256: str) -> NDArray[np.uint8]:
        content = read(path)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise errors.InputError(
                path,
                expected=f"sha256 {sha256}, as in the manifest",
                received="other bytes",
                advice="Run `dvc repro --force download`.",
            )
        return images.decode(content, image_size)

    bar = tqdm(total=len(manifest), desc="decode", unit="picture", disable=None)
    with bar, warnings.catch_warnings(action="ignore"), ThreadPoolExecutor() as pool:
        for start in range(0, len(manifest), DECODED):
            rows = manifest.iloc[start : start + DECODED]
            part = list(pool.map(pixels, rows["path"], rows["sha256"]))
            bar.update(len(part))
            yield np.stack(part)
