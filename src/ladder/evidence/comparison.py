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
from ladder.evidence import prediction_tables

LEVEL = 0.05  # of a family of tests, after Holm's correction

RECIPE_COLUMNS = (
    *(
        "recipe",
        "compared_with",
        "rung",
        "pictures",
        "accuracy",
        "ci_low",
        "ci_high",
        "other_accuracy",
    ),
    *("recipe_right_alone", "other_right_alone", "p_value", "p_value_holm", "distinguishable"),
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
    right = _right(predictions)
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


def _right(predictions: Predictions) -> Right:
    tests = {rung: _test(frame) for rung, frame in predictions.items()}
    if not _same_pictures([*tests.values()]):
        raise errors.InputError(
            "predictions",
            expected="the same test pictures for every rung",
            received="different ones",
            advice="Run `dvc repro` again.",
        )
    return {rung: prediction_tables.right(frame) for rung, frame in tests.items()}


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
    """Returns a row per rung: our accuracy and the book's, both on the book's subset.

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
    """Returns a row per recipe and rung, compared with that rung of the default or of a recipe.

    `pairs` has two climbs' predictions by their names; of the first those rungs to compare.
    Columns: recipe, compared_with, rung, pictures, accuracy, ci_low, ci_high (Wilson 95 %),
    other_accuracy, recipe_right_alone, other_right_alone, p_value (exact McNemar), p_value_holm
    (over the rows of a pair), distinguishable. A recipe with other test pictures has no row.
    """
    tables = []
    for (recipe, other), (ours, others) in pairs.items():
        rows = [
            {"recipe": recipe, "compared_with": other, **_otherwise(rung, frame, others[rung])}
            for rung, frame in ours.items()
            if _same_pictures([_test(frame), _test(others[rung])])
        ]
        if rows:
            tables.append(_corrected(pd.DataFrame(rows)))
    if not tables:
        return pd.DataFrame(columns=RECIPE_COLUMNS)
    return pd.concat(tables, ignore_index=True)


def _otherwise(rung: rungs.Rung, frame: pd.DataFrame, other: pd.DataFrame) -> dict[str, object]:
    right, other_right = (prediction_tables.right(_test(answers)) for answers in (frame, other))
    low, high = proportion_confint(int(right.sum()), len(right), method="wilson")
    row = _row(rung, rung, right, other_right)
    return {
        "rung": rung,
        "pictures": row["pictures"],
        "accuracy": float(right.mean()),
        "ci_low": float(low),
        "ci_high": float(high),
        "other_accuracy": float(other_right.mean()),
        "recipe_right_alone": row["rung_right_alone"],
        "other_right_alone": row["other_right_alone"],
        "p_value": row["p_value"],
    }


def good_enough(predictions: Predictions, ladder: pd.DataFrame, margin: float) -> pd.DataFrame:
    """Returns a row per rung: whether it is surely less than the margin worse than any other.

    Columns: rung, seconds_alone (what it costs), pictures, difference (of its test accuracy from
    the best observed), ci_low, ci_high (of it, 95 %), verdict, pictures_to_tell. The last two are
    of `judged`.
    """
    answers = _right(predictions)
    right = np.stack([*answers.values()]).astype(int)
    alone, pictures = right @ (1 - right).T, right.shape[1]
    verdicts, pictures_to_tell = judged(alone, pictures, margin)
    best = int(np.flatnonzero(verdicts == "best")[0])
    intervals = [
        (0.0, 0.0) if i == best else paired_interval(int(alone[i, best]), int(one), pictures)
        for i, one in enumerate(alone[best])
    ]
    rows = {
        "rung": [*answers],
        "pictures": pictures,
        "difference": (alone[:, best] - alone[best]) / pictures,
        "ci_low": [low for low, _ in intervals],
        "ci_high": [high for _, high in intervals],
        "verdict": verdicts,
        "pictures_to_tell": pictures_to_tell,
    }
    return ladder[["rung", "seconds_alone"]].merge(pd.DataFrame(rows), on="rung")


def advised(compared: pd.DataFrame) -> rungs.Rung:
    """Returns the cheapest rung that is best or as good; `compared` is that of `good_enough`."""
    good = compared[compared["verdict"].isin(["best", "as good"])]
    return rungs.named(good.sort_values("seconds_alone", kind="stable")["rung"].iloc[0])


def judged(
    alone: NDArray[np.int_], pictures: int, margin: float
) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    """Returns every rung's verdict, and about how many test pictures it would take to tell.

    `alone` (…, rung, other) counts the pictures on which a rung is right and the other is wrong.
    The verdict is "best" for the most right answers, of several the first. Another rung is "as
    good" if its `score` against every other one lies above the critical value; "worse" if its score
    against one of them lies below minus the critical value; else "cannot tell".

    The best observed need not be the best in truth, so every rung is compared with every other.
    Each rung but the true best could be called as good by mistake, so each has an equal part of
    LEVEL (Bonferroni). Then the share of climbs that call a rung as good which is worse by the
    margin or more is LEVEL at most. So is the share that calls a certain rung worse which is not.

    With the same shares of pictures, a score grows with the square root of their number.
    """
    rungs_count = alone.shape[-1]
    scores = score(alone, alone.swapaxes(-1, -2), pictures, margin)
    lowest = np.where(np.eye(rungs_count, dtype=bool), np.inf, scores).min(axis=-1)
    critical = stats.norm.ppf(1 - LEVEL / (rungs_count - 1))
    leads = (alone - alone.swapaxes(-1, -2)).sum(axis=-1)
    best = np.arange(rungs_count) == leads.argmax(axis=-1)[..., None]
    verdicts = np.select(
        [best, lowest > critical, lowest < -critical], ["best", "as good", "worse"], "cannot tell"
    )
    with np.errstate(divide="ignore"):
        pictures_to_tell = pictures * (critical / np.abs(lowest)) ** 2
    return verdicts, np.where(best, 0.0, pictures_to_tell)


def score(
    alone: NDArray[np.int_], other_alone: NDArray[np.int_], pictures: int, margin: float
) -> NDArray[np.float64]:
    """Returns how surely a rung is less than the margin worse than another, as a normal score z.

    It is about standard normal if the rung is worse by just the margin: the score statistic of
    Tango (1998, Statistics in Medicine 17, 891–908). Its variance is estimated under that very
    assumption, by maximum likelihood, and so holds where few pictures or none differ.
    """
    difference = -margin
    # The share of pictures that are right for the other alone solves 2 n x² + b x + c = 0.
    b = -alone - other_alone + (2 * pictures - alone + other_alone) * difference
    c = -other_alone * difference * (1 - difference)
    share = (np.sqrt(b**2 - 8 * pictures * c) - b) / (4 * pictures)
    variance = pictures * (2 * share + difference * (1 - difference))
    z: NDArray[np.float64] = (alone - other_alone - pictures * difference) / np.sqrt(variance)
    return z
