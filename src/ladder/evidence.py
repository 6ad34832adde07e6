"""All that is said of a climb, as tables: one file each in its reports. No TensorFlow."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ladder import calibration, comparison, evaluation, paths, suspects


def results(
    predictions: Mapping[paths.Rung, pd.DataFrame],
    costs: Mapping[paths.Rung, Mapping[str, float]],
    duplicates: pd.DataFrame,
) -> dict[paths.Rung, dict[str, Any]]:
    """Returns every rung's measures and costs, scalars only."""
    return {
        rung: {**evaluation.results(frame, duplicates), **costs[rung]}
        for rung, frame in predictions.items()
    }


def tables(
    predictions: Mapping[paths.Rung, pd.DataFrame],
    ladder: pd.DataFrame,
    duplicates: pd.DataFrame,
    suspected: pd.DataFrame,
    planted: pd.DataFrame,
) -> dict[str, pd.DataFrame]:
    """Returns the tables by name.

    `suspected` are the labels suspected among the train and validation pictures. Those among the
    test pictures come from the predictions of the rung on stored features, which saw none of them.
    `planted` tells what the audit found of faults planted on purpose.
    """
    test = predictions["features"][predictions["features"]["subset"] == "test"]
    return {
        **{f"predictions/{rung}": frame for rung, frame in predictions.items()},
        "ladder": ladder,
        "paired": comparison.paired(predictions),
        "book": comparison.against_book(ladder),
        "calibration": calibration.table(predictions),
        "duplicates": duplicates,
        "suspects": pd.concat([suspected, suspects.find(test, evaluation.probabilities(test))]),
        "planted": planted,
    }
