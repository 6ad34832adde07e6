"""What can be read from the blocks of a pretrained base (DLwP 5.3, 5.4.1)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from ladder.experiments import on_base, plan
from ladder.networks import models
from ladder.networks.runtime import keras
from ladder.pictures import augmentation

SIDE = 3  # of the maps that classes are read from: that of the last block at 96 pixels
PLACES = 6  # on a side; a colour is read for each
STRENGTHS = (1e1, 1e2, 1e3, 1e4, 1e5)  # of the ridge; one is chosen on validation
RIDGE = 10.0  # of the reading of colours
AT_A_TIME = 500  # pictures whose whole maps are in memory
Maps = NDArray[np.float16]


def pooled(maps: Maps, side: int) -> Maps:
    """Returns maps (n, H, W, C) averaged to (n, side, side, C); smaller ones stay as they are.

    A larger side is a multiple of `side`.
    """
    count, height, _, channels = maps.shape
    if height <= side:
        return maps
    shape = count, side, height // side, side, height // side, channels
    averages: Maps = maps.reshape(shape).mean(axis=(2, 4), dtype=np.float32).astype(np.float16)
    return averages


def blank(maps: Maps) -> NDArray[np.float64]:
    """Returns for each picture the share of channels that show nothing, of (n, H, W, C)."""
    shares: NDArray[np.float64] = (maps.max(axis=(1, 2)) == 0).mean(axis=1)
    return shares


def zeros(maps: Maps) -> NDArray[np.float64]:
    """Returns for each picture the share of numbers that are 0, of (n, H, W, C)."""
    shares: NDArray[np.float64] = (maps == 0).mean(axis=(1, 2, 3))
    return shares


@dataclass(frozen=True)
class Read:
    """What the blocks give for pictures, a value for each block."""

    maps: list[Maps]  # (n, PLACES, PLACES, C)
    blank: list[NDArray[np.float64]]  # (n,), see `blank`
    zeros: list[NDArray[np.float64]]


def of_images(model: keras.Model, images: NDArray[np.uint8]) -> Read:
    """Returns what the blocks give for pictures (n, S, S, 3)."""
    part = models.between(model, plan.BLOCK_NAMES)
    parts = []
    for start in range(0, len(images), AT_A_TIME):
        maps = on_base.outputs(part, images[start : start + AT_A_TIME])
        parts.append(
            ([pooled(each, PLACES) for each in maps], [*map(blank, maps)], [*map(zeros, maps)])
        )
    joined = (
        [np.concatenate(block) for block in zip(*every, strict=True)]
        for every in zip(*parts, strict=True)
    )
    return Read(*joined)


def _classifier(strength: float) -> Pipeline:
    return make_pipeline(StandardScaler(), RidgeClassifier(strength))


def right_by_class(
    maps: Sequence[Maps], labels: Sequence[NDArray[np.uint8]], draws: int
) -> tuple[NDArray[np.bool_], float]:
    """Returns which test pictures a linear reading of a block gets right, (draws, n).

    And its accuracy on validation, from all train pictures. `maps` and `labels` are of train,
    validation and test. Each draw is of the train pictures, with replacement. The strength of the
    ridge is the one that is best on validation, from all of them.
    """
    train, validation, test = (
        pooled(each, SIDE).reshape(len(each), -1).astype(np.float32) for each in maps
    )
    scores = [
        _classifier(strength).fit(train, labels[0]).score(validation, labels[1])
        for strength in STRENGTHS
    ]
    best = STRENGTHS[int(np.argmax(scores))]
    answers = []
    for seed in range(draws):
        rows = np.random.default_rng(seed).integers(len(train), size=len(train))
        classifier = _classifier(best).fit(train[rows], labels[0][rows])
        answers.append(classifier.predict(test) == labels[2])
    return np.stack(answers), float(max(scores))


def colours_explained(
    maps: tuple[Maps, Maps], images: tuple[NDArray[np.uint8], NDArray[np.uint8]]
) -> NDArray[np.float64]:
    """Returns how much of each test picture can be read from a block, (n,); their mean is R².

    Each place of the maps tells the colours of what lies under it, linearly and all in the same
    way; together they tell the picture at PLACES pixels a side. `maps` and `images` are of train
    and test. A value is 1 less the picture's squared error, by the mean picture's variance.
    """
    side = maps[0].shape[1]
    features = [each.reshape(-1, each.shape[-1]).astype(np.float32) for each in maps]
    train, test = (_colours(each, side) for each in images)
    reading = make_pipeline(StandardScaler(), Ridge(RIDGE)).fit(features[0], train)
    count = len(images[1])
    errors = _squares(test - reading.predict(features[1]), count)
    explained: NDArray[np.float64] = 1 - errors / _squares(test - train.mean(axis=0), count).mean()
    return explained


def _colours(images: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
    """Returns the colours under each place, (n * side * side, numbers)."""
    count, parts = len(images), PLACES // side
    small = augmentation.resized(images, PLACES).reshape(count, side, parts, side, parts, 3)
    return small.transpose(0, 1, 3, 2, 4, 5).reshape(count * side * side, -1).astype(np.float32)


def _squares(errors: NDArray[np.float32], pictures: int) -> NDArray[np.float64]:
    """Returns the sum of each picture's squares (pictures,)."""
    sums: NDArray[np.float64] = np.square(errors.reshape(pictures, -1)).sum(axis=1, dtype=float)
    return sums
