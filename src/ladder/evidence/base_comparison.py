"""Bases against one another: rung 3 on each, on the same pictures. No TensorFlow."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from ladder import errors
from ladder.evidence import comparison, evaluation, prediction_tables, selection

PICTURES = ["id", "label", "subset"]  # what must be equal for answers to be compared


def compare(costs: pd.DataFrame, predictions: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Returns a row per base and size: what it reaches and costs, and how far it is from the best.

    `costs` has base, image_size (pixels), weights (their kind), features (numbers of a picture),
    pictures_per_second (of extraction), megabytes (10⁶ bytes of weights) and seconds (of extraction
    and of training the head); `predictions` are those of its rows. Columns are added: pictures (of
    test), validation_accuracy, test_accuracy, test_ci_low, test_ci_high (Wilson 95 %), right_alone
    and best_right_alone (test pictures on which it, or the best, is right alone), difference (of
    its test accuracy from the best's), ci_low, ci_high (of it, 95 %).

    The first row is the best: of the highest validation accuracy, of equals the faster. So test
    chooses nothing, and another base may have a higher test accuracy. The others follow in the same
    order.

    Raises:
        InputError: not all were measured on the same pictures.
    """
    if not all(frame[PICTURES].equals(predictions[0][PICTURES]) for frame in predictions):
        raise errors.InputError(
            "predictions of the bases",
            expected="the same pictures for every base",
            received="different ones",
            advice="Run the study again.",
        )
    frame = pd.concat([costs, pd.DataFrame([_accuracies(each) for each in predictions])], axis=1)
    order = ["validation_accuracy", "pictures_per_second"]
    frame = frame.sort_values(order, ascending=False, kind="stable")
    right = [
        prediction_tables.right(selection.of_test(predictions[int(place)])) for place in frame.index
    ]
    alone = [(int((each & ~right[0]).sum()), int((right[0] & ~each).sum())) for each in right]
    pictures = len(right[0])
    intervals = [(0.0, 0.0), *(comparison.paired_interval(*each, pictures) for each in alone[1:])]
    return frame.assign(
        right_alone=[ours for ours, _ in alone],
        best_right_alone=[of_best for _, of_best in alone],
        difference=[(ours - of_best) / pictures for ours, of_best in alone],
        ci_low=[low for low, _ in intervals],
        ci_high=[high for _, high in intervals],
    ).reset_index(drop=True)


def _accuracies(predictions: pd.DataFrame) -> dict[str, Any]:
    test = selection.of_test(predictions)
    measures = evaluation.measure(test)
    return {
        "pictures": len(test),
        "validation_accuracy": float(
            prediction_tables.right(predictions[predictions["subset"] == "validation"]).mean()
        ),
        "test_accuracy": measures["accuracy"],
        "test_ci_low": measures["accuracy_ci_low"],
        "test_ci_high": measures["accuracy_ci_high"],
    }


def with_verdicts(table: pd.DataFrame, margin: float) -> pd.DataFrame:
    """Returns the rows of `compare` with verdict and pictures_to_tell, for a margin of accuracy.

    The first row's verdict is "best". Another base is "as good" if it is surely less than the
    margin worse than the best in test accuracy, "worse" if surely more; else "cannot tell", and
    about so many test pictures would tell. "Surely" is by `comparison.score`. The best is not known
    from these answers, so a base is compared with it alone; each of them has an equal part of LEVEL
    (Bonferroni).
    """
    critical = stats.norm.ppf(1 - comparison.LEVEL / max(1, len(table) - 1))
    scores = comparison.score(
        table["right_alone"].to_numpy(),
        table["best_right_alone"].to_numpy(),
        int(table["pictures"].iloc[0]),
        margin,
    )
    is_best = np.arange(len(table)) == 0
    verdicts = np.select(
        [is_best, scores > critical, scores < -critical],
        ["best", "as good", "worse"],
        "cannot tell",
    )
    with np.errstate(divide="ignore"):
        pictures_to_tell = table["pictures"] * (critical / np.abs(scores)) ** 2
    return table.assign(verdict=verdicts, pictures_to_tell=np.where(is_best, 0.0, pictures_to_tell))


def advised(judged: pd.DataFrame) -> int:
    """Returns which row of `with_verdicts` is the fastest of those that are best or as good."""
    good = judged["verdict"].isin(["best", "as good"])
    return int(judged["pictures_per_second"].where(good, 0).to_numpy().argmax())
