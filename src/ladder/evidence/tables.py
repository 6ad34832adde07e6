"""The tables of a climb's reports, a file each. No TensorFlow."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ladder import paths, rungs
from ladder.evidence import calibration, comparison, evaluation, suspects


def results(
    predictions: Mapping[rungs.Rung, pd.DataFrame],
    costs: Mapping[rungs.Rung, Mapping[str, float]],
    duplicates: pd.DataFrame,
) -> dict[rungs.Rung, dict[str, Any]]:
    """Returns every rung's measures and costs, scalars only."""
    return {
        rung: {**evaluation.results(frame, duplicates), **costs[rung]}
        for rung, frame in predictions.items()
    }


def tables(
    predictions: Mapping[rungs.Rung, pd.DataFrame],
    ladder: pd.DataFrame,
    duplicates: pd.DataFrame,
    suspected: pd.DataFrame,
    planted: pd.DataFrame,
) -> dict[str, pd.DataFrame]:
    """Returns the tables by name.

    `suspected` are the labels suspected among the train and validation pictures. Those among the
    test pictures come from the predictions of the rung on stored features, which saw none of them.
    `planted` counts how many faults, planted on purpose, the audit recognised.
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


def headline(ladder: pd.DataFrame) -> dict[rungs.Rung, dict[str, float]]:
    """Returns the figures of every rung that `dvc metrics show` prints; the rest is in tables.

    Accuracy of validation and of test with its 95 % interval, and seconds.
    """
    columns = {
        "validation": "validation_accuracy",
        "validation_low": "validation_ci_low",
        "validation_high": "validation_ci_high",
        "test": "test_accuracy",
        "test_low": "test_ci_low",
        "test_high": "test_ci_high",
        "seconds": "seconds",
    }
    return {
        row["rung"]: {name: round(row[column], 4) for name, column in columns.items()}
        for row in ladder.to_dict("records")
    }


def flat(result: Mapping[str, Any]) -> dict[str, float]:
    """Returns one rung's measures of validation and test by `<subset>_<measure>`."""
    return {
        f"{subset}_{name}": value
        for subset in paths.SUBSETS[1:]
        for name, value in result[subset].items()
        if name != "confusion"
    }
