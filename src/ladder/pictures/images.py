"""Pictures become pixels here and nowhere else."""

import hashlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from ladder import errors
from ladder.pictures import reading

PART = 512  # pictures in memory at a time


def decode(content: bytes, image_size: int) -> NDArray[np.uint8]:
    """Returns one picture as (image_size, image_size, 3) uint8, RGB, squashed as the book does.

    Bilinear, and averaged where it shrinks, so that no pixel of the original is skipped.
    """
    picture = reading.open_picture(content)
    return np.asarray(picture.resize((image_size, image_size), Image.Resampling.BILINEAR))


def take(images: Sequence[NDArray[np.uint8]], rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Returns rows (k, S, S, 3) of arrays (n, S, S, 3) that are counted one after the other.

    The arrays may be mapped into memory: these rows alone are read.
    """
    starts = np.cumsum([0, *map(len, images)])
    places = np.searchsorted(starts, rows, side="right") - 1
    return np.stack([images[i][row - starts[i]] for i, row in zip(places, rows, strict=True)])


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
        return decode(content, image_size)

    bar = tqdm(total=len(manifest), desc="decode", unit="picture", disable=None)
    with bar, warnings.catch_warnings(action="ignore"), ThreadPoolExecutor() as pool:
        for start in range(0, len(manifest), PART):
            rows = manifest.iloc[start : start + PART]
            part = list(pool.map(pixels, rows["path"], rows["sha256"]))
            bar.update(len(part))
            yield np.stack(part)
