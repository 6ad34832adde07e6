"""Pictures become pixels here and nowhere else. An exported model has a copy of this module."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ladder.pictures import reading


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


def decode_file(file: Path, image_size: int) -> NDArray[np.uint8] | str:
    """Returns the pixels of a picture's file, as `decode`, or the reason why there are none."""
    try:
        if file.exists() and not file.is_file():  # a pipe would be waited for
            return "no file"
        if (size := file.stat().st_size) > reading.BYTES:  # before it is in memory
            return f"{size:,} bytes, more than {reading.BYTES:,}"
        return decode(file.read_bytes(), image_size)
    except reading.UnreadableError as error:
        return str(error)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        return getattr(error, "strerror", None) or str(error)
