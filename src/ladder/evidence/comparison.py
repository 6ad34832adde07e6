"""Rungs against one another and against the book, on the same pictures. No TensorFlow."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from ladder import errors, rungs
from ladder.evidence import evaluation

LEVEL = 0.05  # of a family of tests, after Holm's correction

RECIPE_COLUMNS = (
    *("recipe", "beside", "rung", "pictures", "accuracy", "ci_low", "ci_high", "beside_accuracy"),
    *("recipe_right_alone", "beside_right_alone", "p_value", "p_value_holm", "distinguishable"),
)

Pair = tuple[rungs.Rung, rungs.Rung]
Predictions = Mapping[rungs.Rung, pd.DataFrame]
Right = Mapping[rungs.Rung, NDArray[np.bool_]]
Verdict = Literal["above", "inside", "below"]


def paired(predictions: Predictions) -> pd.DataFrame:
    """Returns a row per pair of rungs that are compared on the same test pictures.

    Columns: family, rung, other, pictures, rung_right_alone, other_right_alone, difference (of the
    accuracies, rung less other), ci_low, ci_high (of it, 95 %), p_value, p_value_holm,
    distinguishable. In the family "neighbours" `other` is the rung before; in "best" it is the rung
    with the most right answers, of several the first. The test is McNemar's (1947), exact, each
    corrected for the tests of its family (Holm 1979): the steps; and, as the best is only known
    from the same answers, all pairs of rungs.

    Raises:
        InputError: the rungs were not measured on the same pictures.
    """
    tests = {rung: _test(frame) for rung, frame in predictions.items()}
    if not _same_pictures([*tests.values()]):
        raise errors.InputError(
            "predictions",
            expected="the same test pictures for every rung",
            received="different ones",
            advice="Run `dvc repro` again.",
        )
    right = {rung: evaluation.right(frame) for rung, frame in tests.items()}
    best = max(right, key=lambda rung: int(right[rung].sum()))
    steps = [(rung, before) for before, rung in itertools.pairwise(right)]
    every = [(a, b) if b == best else (b, a) for a, b in itertools.combinations(right, 2)]
    against_best = _family("best", every, right).query("other == @best")
    families = _family("neighbours", steps, right), against_best
    return pd.concat(families, ignore_index=True)


def _family(name: str, pairs: Sequence[Pair], right: Right) -> pd.DataFrame:
    rows = [_row(rung, other, right[rung], right[other]) for rung, other in pairs]
    frame = pd.DataFrame(rows)
    frame.insert(0, "family", name)
    return _corrected(frame)


def _corrected(frame: pd.DataFrame) -> pd.DataFrame:
    rejected, corrected, *_ = multipletests(frame["p_value"], LEVEL, method="holm")
    return frame.assign(p_value_holm=corrected, distinguishable=rejected)


def _test(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["subset"] == "test"]


def _same_pictures(tests: Sequence[pd.DataFrame]) -> bool:
    return len({tuple(zip(frame["id"], frame["label"], strict=True)) for frame in tests}) == 1


def _row(
    rung: rungs.Rung, other: rungs.Rung, right: NDArray[np.bool_], other_right: NDArray[np.bool_]
) -> dict[str, object]:
    alone, other_alone = int((right & ~other_right).sum()), int((other_right & ~right).sum())
    both, neither = int((right & other_right).sum()), int((~right & ~other_right).sum())
    table = [[both, alone], [other_alone, neither]]
    low, high = paired_interval(alone, other_alone, len(right))
    return {
        "rung": rung,
        "other": other,
        "pictures": len(right),
        "rung_right_alone": alone,
        "other_right_alone": other_alone,
        "difference": (alone - other_alone) / len(right),
        "ci_low": low,
        "ci_high": high,
        "p_value": float(mcnemar(table, exact=True).pvalue),
    }


def paired_interval(alone: int, other_alone: int, pictures: int) -> tuple[float, float]:
    """Returns the 95 % interval of the difference of two accuracies on the same pictures.

    Wald's, after half a picture is added to each of the four counts (Agresti and Min 2005).
    """
    count = pictures + 2
    difference = (alone - other_alone) / count
    variance = ((alone + other_alone + 1) / count - difference**2) / count
    reach = stats.norm.ppf(0.975) * np.sqrt(variance)
    return float(difference - reach), float(difference + reach)


def against_book(ladder: pd.DataFrame) -> pd.DataFrame:
    """Returns a row per rung: ours beside the book's figure, both on the book's subset.

    Columns: rung, book, subset, notebook, accuracy, ci_low, ci_high (Wilson 95 %), verdict. There
    is no row where the pictures are not the book's.
    """
    rows = []
    for row in ladder[ladder["book"].notna()].to_dict("records"):
        subset = row["book_subset"]
        low, high = row[f"{subset}_ci_low"], row[f"{subset}_ci_high"]
        book = row["rung"], row["book"], subset, rungs.TABLE[row["rung"]].notebook
        ours = row[f"{subset}_accuracy"], low, high, verdict(row["book"], low, high)
        rows.append((*book, *ours))
    columns = ["rung", "book", "subset", "notebook", "accuracy", "ci_low", "ci_high", "verdict"]
    return pd.DataFrame(rows, columns=columns)


def verdict(book: float, low: float, high: float) -> Verdict:
    """Returns where an interval lies: above the book's figure, below it, or with it inside."""
    if low > book:
        return "above"
    return "below" if high < book else "inside"


def recipes(pairs: Mapping[tuple[str, str], tuple[Predictions, Predictions]]) -> pd.DataFrame:
    """Returns a row per recipe and rung beside the same rung of the default climb or of a recipe.

    `pairs` holds two climbs' predictions by their names, of the first those rungs that are to be
    compared. Columns: recipe, beside, rung, pictures, accuracy, ci_low, ci_high (Wilson 95 %),
    beside_accuracy, recipe_right_alone, beside_right_alone, p_value (exact McNemar), p_value_holm
    (over the rows of a pair), distinguishable. One of other test pictures cannot be compared and
    has no row.
    """
    tables = []
    for (recipe, beside), (ours, others) in pairs.items():
        rows = [
            {"recipe": recipe, "beside": beside, **_otherwise(rung, frame, others[rung])}
            for rung, frame in ours.items()
            if _same_pictures([_test(frame), _test(others[rung])])
        ]
        if rows:
            tables.append(_corrected(pd.DataFrame(rows)))
    if not tables:
        return pd.DataFrame(columns=RECIPE_COLUMNS)
    return pd.concat(tables, ignore_index=True)


def _otherwise(rung: rungs.Rung, frame: pd.DataFrame, beside: pd.DataFrame) -> dict[str, object]:
    right, beside_right = (evaluation.right(_test(answers)) for answers in (frame, beside))
    low, high = proportion_confint(int(right.sum()), len(right), method="wilson")
    row = _row(rung, rung, right, beside_right)
    return {
        "rung": rung,
        "pictures": row["pictures"],
        "accuracy": float(right.mean()),
        "ci_low": float(low),
        "ci_high": float(high),
        "beside_accuracy": float(beside_right.mean()),
        "recipe_right_alone": row["rung_right_alone"],
        "beside_right_alone": row["other_right_alone"],
        "p_value": row["p_value"],
    }


def with_best(paired: pd.DataFrame, ladder: pd.DataFrame, margin: float) -> pd.DataFrame:
    """Returns a row per rung: whether it is as good as the best on test, and what it costs alone.

    Columns: rung, seconds_alone, pictures, difference (from the best), ci_low, ci_high, verdict,
    pictures_to_tell. The verdict is "best"; "as good" if the interval lies above -margin, that is,
    the rung is surely less than the margin worse; "worse" if it lies below; else "cannot tell".
    This is a test of non-inferiority. `pictures_to_tell` is about how many test pictures would
    bring the interval to one side of -margin, if accuracies are as measured.
    """
    best = paired[paired["family"] == "best"]
    rows = []
    for row in best.to_dict("records"):
        verdict = "cannot tell"
        if row["ci_low"] > -margin:
            verdict = "as good"
        elif row["ci_high"] < -margin:
            verdict = "worse"
        differing = row["rung_right_alone"] + row["other_right_alone"]
        needed = pictures_to_tell(row["difference"] + margin, differing, row["pictures"])
        columns = ("rung", "pictures", "difference", "ci_low", "ci_high")
        rows.append(
            {name: row[name] for name in columns} | {"verdict": verdict, "pictures_to_tell": needed}
        )
    first = best.iloc[0]
    itself = {"rung": first["other"], "pictures": first["pictures"], "verdict": "best"}
    itself |= dict.fromkeys(("difference", "ci_low", "ci_high", "pictures_to_tell"), 0.0)
    costs = ladder[["rung", "seconds_alone"]]
    return costs.merge(pd.DataFrame([*rows, itself]), on="rung")


def pictures_to_tell(distance: float, differing: int, pictures: int) -> float:
    """Returns how many pictures make the reach of `paired_interval` as small as a distance.

    `differing` of `pictures` were right for one rung alone. Infinite where the distance is 0.
    """
    share = (differing + 1) / (pictures + 2)
    if distance == 0:
        return float("inf")
    return float(share * (stats.norm.ppf(0.975) / distance) ** 2)
