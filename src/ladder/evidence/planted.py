"""What the audit finds of faults planted on purpose, on the pictures at hand."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ladder import settings
from ladder.evidence import suspects
from ladder.pictures import similarity

COLUMNS = ["planted", "number", "found", "besides"]
COPIED = 200  # pictures, at most, of which copies are planted
TURNED = 0.02  # of all labels


def drawn(count: int, seed: int) -> NDArray[np.int64]:
    """Returns the rows, of `count`, of the pictures of which copies are planted; in order."""
    return np.sort(np.random.default_rng(seed).choice(count, min(COPIED, count), replace=False))


def copies(images: NDArray[np.uint8], hash_distance: int) -> pd.DataFrame:
    """Returns, for each kind of altered copy, how many are recognised as copies.

    `images` are (n, S, S, 3), each of which is copied. Columns: planted (the kind), number, found,
    besides (pairs of a copy and a picture that it is not of, counted as near).
    """
    originals = similarity.both_ways(images)
    table = []
    for kind, alter in ALTERATIONS.items():
        altered = np.stack([np.asarray(alter(Image.fromarray(image))) for image in images])
        near = similarity.nearest(similarity.hashes(altered), originals)[0] <= hash_distance
        near_copies = int(near.diagonal().sum())
        table.append((kind, len(images), near_copies, int(near.sum()) - near_copies))
    return pd.DataFrame(table, columns=COLUMNS)


def turned_labels(
    features: NDArray[Any],
    labels: NDArray[np.int64],
    groups: NDArray[np.int64],
    suspected: NDArray[np.int64],
    parameters: settings.Audit,
    seed: int,
) -> pd.DataFrame:
    """Returns how many changed labels are suspected; 2 % of the labels are changed at random.

    `suspected` are the rows that are suspected as they are: none of them is turned, and they do not
    count among `besides`, the labels suspected though they were not turned. The other arguments are
    those of `suspects.out_of_fold`. Columns as of `copies`.
    """
    random = np.random.default_rng(seed)
    sound = np.setdiff1d(np.arange(len(labels)), suspected)
    rows = random.choice(sound, min(len(sound), round(TURNED * len(labels))), replace=False)
    classes, places = np.unique(labels, return_inverse=True)
    turned = labels.copy()
    others = places[rows] + random.integers(1, max(2, len(classes)), len(rows))
    turned[rows] = classes[others % len(classes)]
    suspected_now = suspects.rows(
        turned, suspects.out_of_fold(features, turned, groups, parameters)
    )
    false_alarms = np.setdiff1d(suspected_now, np.concatenate([rows, suspected]))
    row = ("label turned", len(rows), len(np.intersect1d(suspected_now, rows)), len(false_alarms))
    return pd.DataFrame([row], columns=COLUMNS)


def _recompressed(picture: Image.Image) -> Image.Image:
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=30)
    return Image.open(content)


def _half_size(picture: Image.Image) -> Image.Image:
    return picture.reduce(2).resize(picture.size, Image.Resampling.BILINEAR)


def _cropped(picture: Image.Image) -> Image.Image:
    return ImageOps.crop(picture, round(0.025 * picture.width)).resize(
        picture.size, Image.Resampling.BILINEAR
    )


def _brighter(picture: Image.Image) -> Image.Image:
    return picture.point(lambda value: min(255, round(1.15 * value)))


ALTERATIONS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "copy, JPEG of quality 30": _recompressed,
    "copy of half the size": _half_size,
    "copy cropped by 5 %": _cropped,
    "copy 15 % brighter": _brighter,
    "copy mirrored": ImageOps.mirror,
}
