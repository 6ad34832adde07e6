"""Test pictures for the galleries, selected from predictions alone. No TensorFlow."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ladder import rungs
from ladder.evidence import prediction_tables
from ladder.pictures import split

Rows = NDArray[np.int64]


def gallery(predictions: pd.DataFrame, picture: int | str, count: int) -> pd.DataFrame:
    """Returns the pictures of a rung to look at: gallery, row in test, and its prediction of each.

    The galleries: `example`, one picture; `worst_mistakes`. A picture may stand in both.
    """
    test = of_test(predictions)
    rows = {"example": split.example(test, picture), "worst_mistakes": worst_mistakes(test, count)}
    parts = [test.iloc[some].assign(gallery=name) for name, some in rows.items()]
    return pd.concat(parts).rename_axis("row").reset_index()


def of_test(predictions: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows of test, numbered as its pictures are in `images/test.npy`."""
    return predictions[predictions["subset"] == "test"].reset_index(drop=True)


def worst_mistakes(test: pd.DataFrame, count: int) -> Rows:
    """Returns the rows that are wrong, the most confident first; at most `count`."""
    return _surest(~prediction_tables.right(test), confidence(test), count)


def wrong_everywhere(tests: Mapping[rungs.Rung, pd.DataFrame], count: int) -> Rows:
    """Returns the rows that every rung has wrong, by confidence on average; at most `count`."""
    wrong = np.logical_and.reduce([~prediction_tables.right(test) for test in tests.values()])
    sure: NDArray[np.float64] = np.mean([confidence(test) for test in tests.values()], axis=0)
    return _surest(wrong, sure, count)


def confidence(frame: pd.DataFrame) -> NDArray[np.float64]:
    """Returns the probability of the most probable label (n,)."""
    sure: NDArray[np.float64] = prediction_tables.probabilities(frame).max(axis=1)
    return sure


def _surest(wrong: NDArray[np.bool_], sure: NDArray[np.float64], count: int) -> Rows:
    rows = np.flatnonzero(wrong)
    return rows[np.argsort(-sure[rows], kind="stable")][:count]


def looked_at(labels: NDArray[np.int64], probabilities: NDArray[np.floating]) -> NDArray[np.int64]:
    """Returns each picture's own class, and the most probable of the others (n, 2).

    The class that it is taken for is one of the two.
    """
    others = probabilities.copy()
    others[np.arange(len(labels)), labels] = -1
    return np.stack([labels, others.argmax(axis=1)], axis=1)
