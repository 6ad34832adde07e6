"""Pictures become pixels here and nowhere else."""

import hashlib
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from ladder import errors
from ladder.pictures import reading


def decode(content: bytes, image_size: int) -> NDArray[np.uint8]:
    """Returns one picture as (image_size, image_size, 3) uint8, RGB, squashed as the book does.

    Bilinear, and averaged where it shrinks, so that no pixel of the original is skipped.
    """
    picture = reading.open_picture(content)
    return np.asarray(picture.resize((image_size, image_size), Image.Resampling.BILINEAR))


def decode_all(archive: Path, manifest: pd.DataFrame, image_size: int) -> NDArray[np.uint8]:
    """Returns the manifest's pictures as (n, image_size, image_size, 3) uint8, in its order.

    Raises:
        InputError: a picture's bytes are no longer those of the manifest.
    """
    images = np.empty((len(manifest), image_size, image_size, 3), np.uint8)
    with zipfile.ZipFile(archive) as members:

        def fill(i: int, path: str, sha256: str) -> None:
            content = members.read(path)
            if hashlib.sha256(content).hexdigest() != sha256:
                raise errors.InputError(
                    path,
                    expected=f"sha256 {sha256}, as in the manifest",
                    received="other bytes",
                    advice="Run `dvc repro --force download`.",
                )
            images[i] = decode(content, image_size)

        places = pd.Series(range(len(manifest)))
        reading.for_each_picture("decode", fill, places, manifest["path"], manifest["sha256"])
    return images
