import itertools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint

from ladder import errors, paths, rungs
from ladder.evidence import comparison

Answers = Mapping[rungs.Rung, list[bool]]


def predictions(answers: Answers) -> dict[rungs.Rung, pd.DataFrame]:
    """Returns predictions whose test answers are right as told; those of validation all differ."""
    frames = {}
    for rung, right in answers.items():
        count = len(right)
        test = pd.DataFrame({"id": range(count), "label": 1, "subset": "test"})
        test["probability"] = np.where(right, 0.9, 0.1)
        validation = test.assign(subset="validation", probability=0.9 if rung == "scratch" else 0.1)
        frames[rung] = pd.concat([validation, test])
    return frames


def told_apart(alone: int, other_alone: int, both: int = 3, neither: int = 2) -> dict[str, Any]:
    """Returns the row of two rungs of which so many are right alone."""
    answers: Answers = {
        "scratch": [False] * alone + [True] * other_alone + [True] * both + [False] * neither,
        "features": [True] * alone + [False] * other_alone + [True] * both + [False] * neither,
    }
    return {str(k): v for k, v in comparison.paired(predictions(answers)).iloc[0].items()}


def holm(p_values: list[float]) -> list[float]:
    """Returns the p-values times the number of tests that are left, never falling (Holm 1979)."""
    corrected, largest = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[i]))
        corrected[i] = largest
    return corrected


def exact(one: list[bool], other: list[bool]) -> float:
    """Returns the binomial p-value of the pictures that one of two has right alone."""
    alone = [a for a, b in zip(one, other, strict=True) if a != b]
    return float(binomtest(sum(alone), len(alone)).pvalue) if alone else 1.0


@pytest.mark.parametrize(("alone", "other_alone"), [(0, 0), (1, 0), (0, 5), (6, 6), (30, 12)])
def test_the_p_value_is_the_binomial_one_of_the_discordant_pairs(
    alone: int, other_alone: int
) -> None:
    row = told_apart(alone, other_alone)
    assert (row["rung_right_alone"], row["other_right_alone"]) == (alone, other_alone)
    assert row["pictures"] == alone + other_alone + 5
    discordant = alone + other_alone
    expected = binomtest(alone, discordant).pvalue if discordant else 1.0
    assert row["p_value"] == pytest.approx(expected, rel=1e-9)


def test_concordant_pictures_change_nothing() -> None:
    assert told_apart(9, 1, both=0, neither=0)["p_value"] == pytest.approx(
        told_apart(9, 1, both=500, neither=400)["p_value"]
    )


def test_neighbours_and_the_best_are_compared() -> None:
    counts: dict[rungs.Rung, int] = dict(zip(rungs.RUNGS, (4, 9, 7, 10, 10), strict=True))
    frame = comparison.paired(
        predictions({r: [i < n for i in range(12)] for r, n in counts.items()})
    )
    pairs = list(frame[["family", "rung", "other"]].itertuples(index=False, name=None))
    assert pairs == [
        ("neighbours", "scratch_augmented", "scratch"),
        ("neighbours", "features", "scratch_augmented"),
        ("neighbours", "features_augmented", "features"),
        ("neighbours", "fine_tuned", "features_augmented"),
        ("best", "scratch", "features_augmented"),  # the first of two
        ("best", "scratch_augmented", "features_augmented"),
        ("best", "features", "features_augmented"),
        ("best", "fine_tuned", "features_augmented"),
    ]


@hypothesis_settings(max_examples=8)  # statsmodels collects garbage each time
@given(st.lists(st.tuples(*[st.booleans()] * len(rungs.RUNGS)), min_size=1, max_size=40))
def test_steps_are_corrected_for_four_tests_and_the_best_for_all_ten(
    pictures: list[tuple[bool, ...]],
) -> None:
    answers = {rung: [p[i] for p in pictures] for i, rung in enumerate(rungs.RUNGS)}
    frame = comparison.paired(predictions(answers))
    for name, pairs in (
        ("neighbours", list(itertools.pairwise(rungs.RUNGS))),
        ("best", list(itertools.combinations(rungs.RUNGS, 2))),
    ):
        corrected = holm([exact(answers[one], answers[other]) for one, other in pairs])
        expected = {frozenset(pair): p for pair, p in zip(pairs, corrected, strict=True)}
        for row in frame[frame["family"] == name].to_dict("records"):
            p = expected[frozenset((row["rung"], row["other"]))]
            assert row["p_value_holm"] == pytest.approx(p, abs=1e-12)
            assert row["distinguishable"] == (p <= 0.05)


def test_an_interval_of_a_difference_holds_what_it_claims() -> None:
    """Of pictures drawn anew, the true difference 0.05 lies inside in about 95 % of cases."""
    random = np.random.default_rng(0)
    drawn = random.multinomial(200, [0.10, 0.05, 0.85], 1000)
    intervals = [comparison.paired_interval(alone, other, 200) for alone, other, _ in drawn]
    hits = sum(low <= 0.05 <= high for low, high in intervals)
    assert 930 <= hits <= 970


def test_an_interval_of_a_difference_is_that_of_a_large_sample() -> None:
    row = told_apart(300, 100, both=9000, neither=600)
    assert row["difference"] == pytest.approx(0.02)
    reach = 1.96 * math.sqrt(0.04 - 0.02**2) / 100
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((0.02 - reach, 0.02 + reach), abs=1e-4)


def test_a_clear_difference_is_seen_and_a_small_one_is_not() -> None:
    assert told_apart(30, 5)["distinguishable"]
    assert not told_apart(9, 6)["distinguishable"]


def test_other_pictures_are_refused() -> None:
    frames = predictions({"scratch": [True, False], "features": [True, True]})
    frames["features"] = frames["features"].assign(id=[0, 1, 0, 7])
    with pytest.raises(errors.InputError, match="the same test pictures for every rung"):
        comparison.paired(frames)


def ladder(book: bool) -> pd.DataFrame:
    figures = [0.71, 0.82, 0.90, 0.96, 0.97] if book else [None] * 5
    subsets = ["validation"] * 4 + ["test"] if book else [None] * 5
    return pd.DataFrame(
        {
            "rung": rungs.RUNGS,
            "book": figures,
            "book_subset": subsets,
            "validation_accuracy": [0.60, 0.82, 0.95, 0.961, 0.1],
            "validation_ci_low": [0.57, 0.80, 0.93, 0.961, 0.1],
            "validation_ci_high": [0.63, 0.84, 0.97, 0.970, 0.1],
            "test_accuracy": [0.99] * 4 + [0.965],
            "test_ci_low": [0.98] * 4 + [0.95],
            "test_ci_high": [1.0] * 4 + [0.97],
        }
    )


def test_ours_stands_beside_the_book_on_the_books_subset() -> None:
    frame = comparison.against_book(ladder(book=True))
    assert frame["rung"].tolist() == list(rungs.RUNGS)
    assert frame["subset"].tolist() == ["validation"] * 4 + ["test"]
    assert frame["accuracy"].tolist() == [0.60, 0.82, 0.95, 0.961, 0.965]
    assert frame["verdict"].tolist() == ["below", "inside", "above", "above", "inside"]
    notebooks = frame["notebook"].str.slice(0, 3).tolist()
    assert notebooks == ["5.2", "5.2", "5.3", "5.3", "5.3"]


def test_there_is_nothing_to_say_of_the_book_on_other_pictures() -> None:
    frame = comparison.against_book(ladder(book=False))
    assert len(frame) == 0
    assert list(frame)[-1] == "verdict"


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_exactly_one_verdict_holds(book: float, one: float, other: float) -> None:
    low, high = min(one, other), max(one, other)
    expected = {low > book: "above", high < book: "below", low <= book <= high: "inside"}[True]
    assert comparison.verdict(book, low, high) == expected


def test_a_recipe_is_told_from_the_default_on_the_same_pictures() -> None:
    answers: Answers = {"scratch": [True] * 6 + [False] * 4, "features": [True] * 10}
    default = predictions(answers)
    better = predictions({**answers, "scratch": [True] * 5 + [False] + [True] * 4})
    changed: dict[rungs.Rung, pd.DataFrame] = {"scratch": better["scratch"]}
    pairs = {("mine", "default"): (changed, default), ("same", "default"): ({}, default)}
    (row,) = comparison.recipes(pairs).to_dict("records")
    assert (row["recipe"], row["beside"]) == ("mine", "default")
    assert (row["rung"], row["pictures"]) == ("scratch", 10)
    assert (row["recipe_right_alone"], row["beside_right_alone"]) == (4, 1)
    assert (row["accuracy"], row["beside_accuracy"]) == (0.9, 0.6)
    assert row["p_value"] == row["p_value_holm"] == pytest.approx(binomtest(4, 5).pvalue)
    low, high = proportion_confint(9, 10, method="wilson")
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((low, high))


def test_a_recipe_of_other_pictures_has_no_row() -> None:
    few, many = (predictions({"scratch": [True] * count}) for count in (5, 6))
    worse = predictions({"scratch": [False] * 5})
    some = comparison.recipes({("worse", "default"): (worse, few)})
    for pairs in ({("mine", "default"): (many, few)}, {}):
        none = comparison.recipes(pairs)
        assert none.empty
        assert none.columns.tolist() == some.columns.tolist()


def test_chance_is_the_binomial_interval() -> None:
    low, high = comparison.chance(1000, 2)
    inside = sum(math.comb(1000, n) for n in range(round(1000 * low), round(1000 * high) + 1))
    assert 0.95 <= inside / 2**1000 <= 0.96
    assert (low, high) == (0.469, 0.531)
    assert comparison.chance(900, 3)[0] == pytest.approx(1 / 3 - 1.96 * 0.0157, abs=2e-3)
