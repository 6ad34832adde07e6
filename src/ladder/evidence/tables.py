"""The tables of a climb's reports, a file each. No TensorFlow."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from ladder import paths, rungs
from ladder.evidence import calibration, comparison, evaluation, prediction_tables, suspects
from ladder.pictures import manifests


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
    manifest: pd.DataFrame,
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
        "suspects": pd.concat(
            [suspected, suspects.find(test, prediction_tables.probabilities(test))]
        ),
        "planted": planted,
        "classes": classes(predictions, manifests.class_names(manifest)),
        "baseline": evaluation.baseline(manifest),
    }


def classes(
    predictions: Mapping[rungs.Rung, pd.DataFrame], class_names: Sequence[str]
) -> pd.DataFrame:
    """Returns a row per rung and class, in their orders: how well test's pictures are told apart.

    Columns: rung, and those of `evaluation.by_class`.
    """
    parts = []
    for rung, frame in predictions.items():
        part = evaluation.by_class(frame[frame["subset"] == "test"], class_names)
        part.insert(0, "rung", rung)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


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
    """Returns one rung's measures of validation and test by `<subset>_<measure>`.

    A measure that is undefined, as the AUC of one class alone, is left out.
    """
    return {
        f"{subset}_{name}": value
        for subset in paths.SUBSETS[1:]
        for name, value in result[subset].items()
        if name != "confusion" and not math.isnan(value)
    }
