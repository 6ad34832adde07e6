import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from statsmodels.stats.proportion import proportion_confint

from ladder import errors
from ladder.evidence import base_comparison

PICTURES = 400


def predictions(wrong_in_test: Sequence[int], right_in_validation: int = 9) -> pd.DataFrame:
    """Returns 10 answers of validation, and of 400 test pictures all right but the named ones."""
    test = pd.DataFrame({"id": range(PICTURES), "label": 1, "subset": "test"})
    test["probability"] = np.where(test["id"].isin([*wrong_in_test]), 0.2, 0.8)
    validation = pd.DataFrame({"id": range(1000, 1010), "label": 1, "subset": "validation"})
    validation["probability"] = np.where(validation.index < right_in_validation, 0.8, 0.2)
    return pd.concat([validation, test])


def costs(rates: Sequence[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "base": [*"abcdefgh"[: len(rates)]],
            "image_size": 224,
            "weights": "keras",
            "features": 1280,
            "pictures_per_second": rates,
            "megabytes": 9.4,
            "seconds": 60.0,
        }
    )


def compared(rates: Sequence[float], answers: Sequence[tuple[Sequence[int], int]]) -> pd.DataFrame:
    return base_comparison.compare(costs(rates), [predictions(*each) for each in answers])


def test_the_first_is_best_on_validation_whatever_test_says() -> None:
    table = compared([5, 9, 7], [([], 7), (range(50), 9), (range(10), 8)])
    assert table["base"].tolist() == ["b", "c", "a"]
    assert table["validation_accuracy"].tolist() == [0.9, 0.8, 0.7]
    assert table["test_accuracy"].tolist() == [350 / 400, 390 / 400, 1.0]


def test_of_equals_the_faster_is_best() -> None:
    table = compared([5, 9, 7], [([], 8), (range(50), 8), ([], 8)])
    assert table["base"].tolist() == ["b", "c", "a"]


def test_accuracies_have_wilsons_interval() -> None:
    table = compared([1, 2], [(range(20), 9), (range(52), 8)])
    for row, right in zip(table.to_dict("records"), (380, 348), strict=True):
        low, high = proportion_confint(right, PICTURES, method="wilson")
        assert row["pictures"] == PICTURES
        assert (row["test_ci_low"], row["test_ci_high"]) == pytest.approx((low, high))


def test_the_difference_is_to_the_first_on_the_same_pictures() -> None:
    """Agresti and Min add half a picture to each of the four counts, computed here by hand."""
    table = compared([1, 2], [(range(10, 40), 9), (range(50), 8)])  # b is wrong on 20 more
    best, row = table.to_dict("records")
    assert [best[name] for name in ("difference", "ci_low", "ci_high")] == [0, 0, 0]
    assert (row["right_alone"], row["best_right_alone"]) == (0, 20)
    assert row["difference"] == pytest.approx(-20 / 400)
    shares = [(0 + 0.5) / 402, (20 + 0.5) / 402]
    centre = shares[0] - shares[1]
    reach = 1.959964 * math.sqrt((sum(shares) - centre**2) / 402)
    assert row["ci_low"] == pytest.approx(centre - reach, rel=1e-6)
    assert row["ci_high"] == pytest.approx(centre + reach, rel=1e-6)


def test_costs_stay_with_their_base() -> None:
    table = compared([5, 9, 7], [([], 7), (range(50), 9), (range(10), 8)])
    assert table["pictures_per_second"].tolist() == [9, 7, 5]


def test_other_pictures_are_refused() -> None:
    other = predictions([]).assign(id=range(1, 411))
    with pytest.raises(errors.InputError, match="expected the same pictures for every base"):
        base_comparison.compare(costs([1, 2]), [predictions([]), other])


def tango(alone: int, best_alone: int, pictures: int, margin: float) -> float:
    """Returns Tango's score for a loss of `margin`: its variance by maximum likelihood, searched.

    The shares that are right alone are q and q - margin; q is the likelihood's maximum on a grid.
    """
    q = np.linspace(margin + 1e-9, 0.5, 2_000_001)
    same = pictures - alone - best_alone
    likelihood = (
        alone * np.log(q - margin) + best_alone * np.log(q) + same * np.log(1 - 2 * q + margin)
    )
    share = q[likelihood.argmax()]
    variance = pictures * (2 * share - margin - margin**2)
    return float((alone - best_alone + pictures * margin) / math.sqrt(variance))


@pytest.mark.parametrize(("alone", "best_alone"), [(8, 10), (4, 6), (10, 20), (2, 40), (1, 4)])
def test_verdicts_are_of_tangos_score(alone: int, best_alone: int) -> None:
    best = range(alone)
    other = range(alone, alone + best_alone)
    for others in (1, 4):
        table = compared([1, *[2] * others], [(best, 9), *[(other, 8)] * others])
        rows = base_comparison.with_verdicts(table, 0.02).to_dict("records")
        score = tango(alone, best_alone, PICTURES, 0.02)
        critical = norm.ppf(1 - 0.05 / others)
        expected = (
            "as good" if score > critical else "worse" if score < -critical else "cannot tell"
        )
        assert [row["verdict"] for row in rows] == ["best", *[expected] * others]
        assert rows[0]["pictures_to_tell"] == 0
        needed = PICTURES * (critical / score) ** 2
        assert rows[1]["pictures_to_tell"] == pytest.approx(needed, rel=1e-3)


def test_one_base_alone_is_best() -> None:
    table = base_comparison.with_verdicts(compared([1], [(range(3), 9)]), 0.02)
    assert table["verdict"].tolist() == ["best"]
    assert base_comparison.advised(table) == 0


def test_the_fastest_that_is_as_good_is_advised() -> None:
    table = compared([1, 2, 3, 4], [([], 9), ([1], 8), ([2], 7), (range(60), 6)])
    judged = base_comparison.with_verdicts(table, 0.05)
    assert judged["verdict"].tolist() == ["best", "as good", "as good", "worse"]
    assert judged.loc[base_comparison.advised(judged), "base"] == "c"


def test_a_slower_base_is_not_advised() -> None:
    judged = base_comparison.with_verdicts(compared([3, 2], [([], 9), ([], 8)]), 0.05)
    assert judged["verdict"].tolist() == ["best", "as good"]
    assert base_comparison.advised(judged) == 0
