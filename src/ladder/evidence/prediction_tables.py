"""The table of a rung's predictions: how it is built, and what it says of each picture."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ladder import paths


def new(rows: pd.DataFrame, outputs: NDArray[np.float32], subset: paths.Subset) -> pd.DataFrame:
    """Returns a row per picture: id, label, probability, subset.

    `probability` is of the second class where there are two, else there is a column
    `probability_<label>` per class. `outputs` is what a model gives for the manifest's `rows`:
    (n, 1) or (n, k).
    """
    if outputs.shape[1] == 1:
        columns = {"probability": outputs[:, 0]}
    else:
        columns = {f"probability_{i}": outputs[:, i] for i in range(outputs.shape[1])}
    return rows[["id", "label"]].assign(**columns, subset=subset)


def probabilities(frame: pd.DataFrame) -> NDArray[np.float64]:
    """Returns the probabilities of all classes, (n, k)."""
    if "probability" in frame:
        second = frame["probability"].to_numpy(np.float64)
        return np.stack([1 - second, second], axis=1)
    return frame.filter(like="probability_").to_numpy(np.float64)


def predicted(frame: pd.DataFrame) -> NDArray[np.int64]:
    """Returns the most probable label (n,); of two equally probable, the first."""
    labels: NDArray[np.int64] = probabilities(frame).argmax(axis=1)
    return labels


def right(frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Returns whether the predicted label is the true one (n,)."""
    is_right: NDArray[np.bool_] = predicted(frame) == frame["label"].to_numpy()
    return is_right
