"""Whether an exported network says what the climb's own model says, picture by picture."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

TOLERANCE = 1e-3  # of a probability; equal arithmetic in float32 differs by some 1e-6


def table(
    names: Sequence[str],
    class_names: Sequence[str],
    probabilities: NDArray[np.floating],
    exported: NDArray[np.floating],
) -> pd.DataFrame:
    """Returns a row per picture: path, label, exported_label, difference.

    The model's `probabilities` (n, k) and the `exported` ones are compared. The difference is the
    largest of a picture's probabilities. Labels are class names; of two equally probable, the
    first.
    """
    labels = [
        [class_names[label] for label in each.argmax(axis=1)] for each in (probabilities, exported)
    ]
    return pd.DataFrame(
        {
            "path": list(names),
            "label": labels[0],
            "exported_label": labels[1],
            "difference": np.abs(probabilities - exported).max(axis=1),
        }
    )


def holds(compared: pd.DataFrame) -> bool:
    """Returns whether all labels of `table` are equal, and no difference exceeds `TOLERANCE`."""
    return other_labels(compared) == 0 and bool((compared["difference"] <= TOLERANCE).all())


def other_labels(compared: pd.DataFrame) -> int:
    """Returns of how many pictures the two labels differ."""
    return int((compared["label"] != compared["exported_label"]).sum())


def sentence(compared: pd.DataFrame) -> str:
    """Returns what `table` says: pictures, the largest difference, labels that differ."""
    return (
        f"On all {len(compared):,} test pictures, from the bytes of their files on, probabilities "
        f"differ from those of Ladder in float32 by at most {_largest(compared)}, and "
        f"{_labels(compared)}."
    )


def from_results(compared: pd.DataFrame, policy: str) -> str:
    """Returns what `table` says of the climb's own predictions, of a Keras policy."""
    return (
        f"The results above were computed with the Keras policy {policy}: from these, "
        f"probabilities differ by at most {_largest(compared)}, and {_labels(compared)}."
    )


def _largest(compared: pd.DataFrame) -> str:
    return f"{compared['difference'].max(skipna=False):.1e}"


def _labels(compared: pd.DataFrame) -> str:
    count = other_labels(compared)
    if not count:
        return "all labels are equal"
    return "1 label differs" if count == 1 else f"{count:,} labels differ"
