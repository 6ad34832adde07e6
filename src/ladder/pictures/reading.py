"""Opens pictures that may be anything, and says why one cannot be used."""

import hashlib
import io
import warnings
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import pandas as pd
from PIL import Image, ImageOps, UnidentifiedImageError
from tqdm import tqdm

from ladder import errors

T = TypeVar("T")

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP")  # by content, whatever the name says
PIXELS = 40_000_000
UNREADABLE_SHARE = 0.01


class UnreadableError(Exception):
    """A picture cannot be used; the message is the reason."""


def open_picture(content: bytes) -> Image.Image:
    """Returns the whole picture as 8-bit RGB, upright, transparency on white, first frame.

    Raises:
        UnreadableError: empty, no picture of a known format, cut, damaged or too large.
    """
    if not content:
        raise UnreadableError("empty file")
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            if picture.width * picture.height > PIXELS:
                raise UnreadableError(f"{picture.width} x {picture.height} pixels")
            return _to_rgb(ImageOps.exif_transpose(picture))
    except UnreadableError:
        raise
    except Exception as error:  # a decoder may raise anything on bytes made to break it
        unknown = isinstance(error, UnidentifiedImageError)
        reason = "not a picture of a known format" if unknown else str(error)
        raise UnreadableError(reason or type(error).__name__) from error


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):  # 16-bit grey: Pillow would clip instead of scaling
        picture = picture.convert("I").point(lambda value: value / 256).convert("L")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture.convert("RGB")


def for_each_picture(title: str, act: Callable[..., T], *columns: pd.Series) -> list[T]:
    """Returns what `act` gives for each row of the columns; in threads, with a progress bar.

    Pillow's warnings of odd metadata are dropped: pixels count.
    """
    with warnings.catch_warnings(action="ignore"), ThreadPoolExecutor() as pool:
        done = pool.map(act, *columns)
        return list(tqdm(done, title, len(columns[0]), unit="picture", disable=None))


def examine(archive: Path, pictures: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns `pictures` with each picture's sha256, and the quarantine (path, reason).

    Every picture is decoded whole; those that cannot be are left out of the first frame.

    Raises:
        InputError: more than 1 % of the pictures cannot be used.
    """
    with zipfile.ZipFile(archive) as file:
        results = for_each_picture("examine", partial(_examine_one, file), pictures["path"])
    verdicts = pd.DataFrame(results, columns=["sha256", "reason"], index=pictures.index)
    unreadable = verdicts["reason"].notna()
    quarantine = pd.DataFrame({"path": pictures["path"], "reason": verdicts["reason"]})[unreadable]
    if len(quarantine) > UNREADABLE_SHARE * len(pictures):
        first = "; ".join(
            f"{path}: {reason}" for path, reason in quarantine.head(3).itertuples(index=False)
        )
        raise errors.InputError(
            archive.name,
            expected=f"at most {UNREADABLE_SHARE:.0%} of {len(pictures)} pictures unreadable",
            received=f"{len(quarantine)} ({first})",
            advice="Mend or replace the pictures.",
        )
    return pictures[~unreadable].assign(sha256=verdicts["sha256"]), quarantine


def _examine_one(members: zipfile.ZipFile, path: str) -> tuple[str, str | None]:
    try:
        content = members.read(path)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError) as error:
        return "", f"damaged in the archive: {error}"
    digest = hashlib.sha256(content).hexdigest()
    try:
        open_picture(content)
    except UnreadableError as error:
        return digest, str(error)
    return digest, None
