"""Looks at every picture before any training: what cannot be used, what looks odd, what tells.

A picture is decoded once. What is kept of it is a row.
"""

import hashlib
import math
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from ladder.pictures import damage, formats, reading, similarity, threads

COPY = 64  # pixels a side of the copy, squashed to a square, that is hashed
REDUCED = 256  # pixels of the longer side at most, where sharpness is measured

# The columns of `examine`, for reading its table again: a hash may look like a number.
TYPES = {
    "path": "str",
    "reason": "str",
    "sha256": "str",
    "pixels_sha256": "str",
    "format": "str",
    "mode": "str",
    "bytes": "int64",
    "width": "int64",
    "height": "int64",
    "brightness": "float64",
    "contrast": "float64",
    "sharpness": "float64",
    "hash": "str",
    "mirrored_hash": "str",
    "damage": "str",
}


class Threshold(NamedTuple):
    """A finding: pictures whose value is below or above a limit."""

    finding: str
    column: str
    side: Literal["below", "above"]
    limit: float


# The limits are wide: what they find a person should see, and may well keep.
THRESHOLDS = (
    Threshold("blank", "contrast", "below", 0.01),  # 2.5 of 255 levels: nothing can be seen
    Threshold("dark", "brightness", "below", 0.1),
    Threshold("bright", "brightness", "above", 0.95),
    Threshold("blurry", "sharpness", "below", 20.0),
    Threshold("tiny", "shorter_side", "below", 32),
    Threshold("huge", "pixels", "above", 25_000_000),
    Threshold("odd_aspect", "aspect", "above", 3.0),
)
DAMAGED = "damaged"  # read all the same, see `damage`

# What a network could read a label from without looking at what the picture shows.
NUMBERS = ("width", "height", "aspect", "bytes_per_pixel", "brightness", "contrast", "sharpness")
KINDS = ("format", "mode")
FOLDS = 5
TELLING = 0.5  # of the score of `by_class`: from here on a person should know


class _Row(NamedTuple):
    reason: str | None
    sha256: str | None = None
    pixels_sha256: str | None = None
    format: str | None = None
    mode: str | None = None
    bytes: int = 0
    width: int = 0
    height: int = 0
    brightness: float = math.nan
    contrast: float = math.nan
    sharpness: float = math.nan
    hash: str | None = None
    mirrored_hash: str | None = None
    damage: str | None = None


def examine(
    read: Callable[[str], bytes], names: pd.Series, *, refuse_damaged: bool = True
) -> pd.DataFrame:
    """Returns a row for each name, in order, with the index of `names`.

    `read` gives a picture's bytes by its name. Columns: path; reason (why it cannot be used, or
    missing); sha256 (of the bytes); pixels_sha256 (of the upright RGB pixels and their size);
    format and mode (of the file); bytes; width, height (upright); brightness, contrast (mean and
    standard deviation of its grey, 0 to 1); sharpness (variance of the Laplacian of a reduced grey
    copy, in levels of 255 squared); hash, mirrored_hash (of the picture and its mirror image, 64
    hexadecimal digits, as `similarity.hashes` has them for a copy of 64 × 64); damage (what the
    decoder stumbled over, or missing). Of a picture that cannot be used, what is not known is
    missing, and numbers of pixels are 0.

    With `refuse_damaged`, a picture whose pixels are wrong for certain cannot be used.
    """
    act = partial(_examine_one, read, refuse_damaged)
    rows = threads.for_each_picture("examine", act, names)
    frame = pd.DataFrame(rows, columns=list(_Row._fields), index=names.index)
    frame.insert(0, "path", names)
    return frame.astype({column: kind for column, kind in TYPES.items() if column != "path"})


def _examine_one(read: Callable[[str], bytes], refuse_damaged: bool, name: str) -> _Row:
    try:
        content = read(name)
    except reading.UnreadableError as error:
        return _Row(str(error))
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
        return _Row(f"damaged in the archive: {error}")
    except OSError as error:
        return _Row(f"cannot be read: {error.strerror or error}")
    row = _Row(
        None,
        hashlib.sha256(content).hexdigest(),
        format=formats.sniff(content[: formats.HEAD]),
        bytes=len(content),
    )
    try:
        opened = reading.open_with_kind(content)
    except reading.UnreadableError as error:
        return row._replace(reason=str(error))
    row = row._replace(format=opened.format, mode=opened.mode)
    damaged = damage.damage(content, opened.format)
    if damaged is not None:
        row = row._replace(damage=damaged.message)
        if damaged.certain and refuse_damaged:
            return row._replace(reason=damaged.message)
    return _measured(row, opened.rgb)


def _measured(row: _Row, picture: Image.Image) -> _Row:
    grey = picture.convert("L")
    levels = np.array(grey.histogram(), np.float64) / (grey.width * grey.height)
    values = np.arange(256) / 255
    brightness = float(levels @ values)
    copy = np.asarray(picture.resize((COPY, COPY), Image.Resampling.BILINEAR))
    plain, mirrored = similarity.hashes(np.stack([copy, copy[:, ::-1]]))
    return row._replace(
        pixels_sha256=pixels_sha256(picture),
        width=picture.width,
        height=picture.height,
        brightness=brightness,
        contrast=math.sqrt(levels @ (values - brightness) ** 2),
        sharpness=sharpness(grey),
        hash=plain.tobytes().hex(),
        mirrored_hash=mirrored.tobytes().hex(),
    )


def pixels_sha256(picture: Image.Image) -> str:
    """Returns the hash of a picture's width and height (32 bits each) and its pixels."""
    digest = hashlib.sha256(struct.pack("<LL", *picture.size))
    digest.update(picture.tobytes())
    return digest.hexdigest()


def sharpness(grey: Image.Image) -> float:
    """Returns the variance of the Laplacian of a grey picture, reduced to 256 pixels at most."""
    share = REDUCED / max(grey.size)
    if share < 1:
        size = tuple(max(1, round(share * side)) for side in grey.size)
        grey = grey.resize((size[0], size[1]), Image.Resampling.BOX)
    levels: NDArray[np.int32] = np.pad(np.asarray(grey, np.int32), 1, mode="edge")
    around = levels[:-2, 1:-1] + levels[2:, 1:-1] + levels[1:-1, :-2] + levels[1:-1, 2:]
    return float(np.var(around - 4 * levels[1:-1, 1:-1]))


def _with_shape(examined: pd.DataFrame) -> pd.DataFrame:
    """Returns the pictures that can be used, with the columns that follow from width and height."""
    usable = examined[examined["reason"].isna()]
    sides = usable[["width", "height"]]
    pixels = usable["width"] * usable["height"]
    return usable.assign(
        shorter_side=sides.min(axis=1),
        pixels=pixels,
        aspect=sides.max(axis=1) / sides.min(axis=1),
        bytes_per_pixel=usable["bytes"] / pixels,
    )


def findings(examined: pd.DataFrame) -> pd.DataFrame:
    """Returns what looks odd among the pictures that can be used, in the order of `THRESHOLDS`.

    Columns: path, finding, value (missing for damage), detail (a few words). A blank picture is not
    called blurry too.
    """
    usable = _with_shape(examined)
    blank = pd.Series(False, index=usable.index)
    parts = []
    for finding, column, side, limit in THRESHOLDS:
        values = usable[column].astype("float64")
        odd = values < limit if side == "below" else values > limit
        if finding == "blank":
            blank = odd
        elif finding == "blurry":
            odd &= ~blank
        words = f"{column.replace('_', ' ')} {side} {limit:g}"
        parts.append(_found(usable[odd], finding, values[odd], words))
    damaged = usable[usable["damage"].notna()]
    parts.append(_found(damaged, DAMAGED, math.nan, damaged["damage"]))
    return pd.concat(parts, ignore_index=True)


def _found(
    rows: pd.DataFrame, finding: str, value: pd.Series | float, detail: pd.Series | str
) -> pd.DataFrame:
    columns = {"path": rows["path"], "finding": finding, "value": value, "detail": detail}
    texts = {"finding": "str", "detail": "str", "value": "float64"}
    return pd.DataFrame(columns, index=rows.index).astype(texts)


def by_class(examined: pd.DataFrame) -> pd.DataFrame:
    """Returns how well each property alone gives a class away, best first.

    Columns: property; score, from 0, as good as a guess, to 1, always right; class_name, the class
    that it gives away most; detail, the classes that differ most. A small decision tree names the
    class from the property alone, cross-validated. The score is the share of the class that is
    named so, less the share of the others that is: a property of one class among many shows too. It
    follows the check for spurious correlations in cleanlab's Datalab with CleanVision
    (docs.cleanlab.ai), which takes naive Bayes and the accuracy over all classes.

    `examined` has the column class_name beside those of `examine`. A class of one picture is left
    out; with fewer than two classes there are no rows.
    """
    usable = _with_shape(examined)
    counts = usable["class_name"].value_counts()
    usable = usable[usable["class_name"].isin(counts.index[counts > 1])]
    class_names = usable["class_name"]
    rows = []
    if len(class_names.unique()) > 1:
        for name in NUMBERS:
            rows.append((name, *_score(usable[name], class_names), _medians(usable, name)))
        for name in KINDS:
            codes = pd.Series(pd.factorize(usable[name], sort=True)[0], index=usable.index)
            rows.append((name, *_score(codes, class_names), _shares(usable, name)))
    types = {"property": "str", "score": "float64", "class_name": "str", "detail": "str"}
    frame = pd.DataFrame(rows, columns=list(types)).astype(types)
    return frame.sort_values("score", ascending=False, kind="stable", ignore_index=True)


def _score(values: pd.Series, class_names: pd.Series) -> tuple[float, str]:
    codes, classes = pd.factorize(class_names, sort=True)
    if len(values.unique()) < 2:
        return 0.0, str(classes[0])
    tree = DecisionTreeClassifier(
        max_leaf_nodes=2 * len(classes), class_weight="balanced", random_state=0
    )
    folds = StratifiedKFold(min(FOLDS, int(np.bincount(codes).min())), shuffle=True, random_state=0)
    named = cross_val_predict(tree, values.to_numpy(np.float64)[:, None], codes, cv=folds)
    table = confusion_matrix(codes, named)
    right, total = np.diag(table), table.sum(axis=1)
    wrong = table.sum(axis=0) - right
    scores = right / total - wrong / (total.sum() - total)
    best = int(scores.argmax())
    return max(0.0, float(scores[best])), str(classes[best])


def _medians(usable: pd.DataFrame, name: str) -> str:
    medians = usable.groupby("class_name")[name].median()
    low, high = medians.idxmin(), medians.idxmax()
    return f"median {medians.min():.3g} ({low}) to {medians.max():.3g} ({high})"


def _shares(usable: pd.DataFrame, name: str) -> str:
    table = pd.crosstab(usable["class_name"], usable[name], normalize="index")
    kind = str((table.max() - table.min()).idxmax())
    shares = table[kind]
    low, high = shares.idxmin(), shares.idxmax()
    return f"{kind} {shares.min():.0%} ({low}) to {shares.max():.0%} ({high})"
