import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from ladder.claims import verdicts
from ladder.evidence import studies

ABOVE, AROUND, BELOW = (0.01, 0.03), (-0.01, 0.02), (-0.03, -0.01)


def answers(*rates: float, pictures: int = 400) -> NDArray[np.bool_]:
    """Returns answers (seeds, pictures) that are right as often as the rates say, exactly."""
    random = np.random.default_rng(0)
    rows = [np.arange(pictures) < round(rate * pictures) for rate in rates]
    return np.stack([random.permutation(row) for row in rows])


@pytest.mark.parametrize(
    ("intervals", "verdict"),
    [
        ([ABOVE, ABOVE], "holds"),
        ([ABOVE, AROUND], "holds partly"),
        ([BELOW, ABOVE], "holds partly"),
        ([AROUND, AROUND], "cannot be told"),
        ([BELOW, AROUND], "does not hold"),
        ([BELOW, BELOW], "does not hold"),
        ([(0.0, 0.1)], "cannot be told"),
    ],
)
def test_a_claim_holds_if_every_interval_is_above_0(
    intervals: list[verdicts.Interval], verdict: verdicts.Verdict
) -> None:
    assert verdicts.verdict(intervals) == verdict


def test_no_difference_has_no_verdict() -> None:
    with pytest.raises(ValueError, match="expected an interval"):
        verdicts.verdict([])


def test_a_mean_has_its_spread_over_seeds_and_its_interval() -> None:
    right = answers(0.9, 0.92, 0.97)
    measured = verdicts.mean_with_interval(right)
    assert measured["mean"] == pytest.approx(0.93)
    assert measured["standard_deviation"] == pytest.approx(np.std([0.9, 0.92, 0.97], ddof=1))
    interval = studies.two_level_interval(right, (0, 1), seed=0)
    assert (measured["ci_low"], measured["ci_high"]) == interval
    assert measured["ci_low"] < 0.93 < measured["ci_high"]


def test_a_difference_is_of_the_same_seeds_and_pictures() -> None:
    right = answers(0.9, 0.9)
    assert verdicts.difference(right, right)["difference"] == 0
    apart = verdicts.difference(answers(0.95, 0.95), answers(0.7, 0.7))
    assert apart["difference"] == pytest.approx(0.25)
    assert 0 < apart["ci_low"] < 0.25 < apart["ci_high"]


def shifted(*rates: float) -> NDArray[np.float64]:
    """Returns answers (2 seeds, shifts, pictures), as often right as the rates say."""
    return np.stack([answers(*rates).astype(float)] * 2)


def test_shifts_are_told_pixel_by_pixel() -> None:
    table = verdicts.shifts(shifted(0.99, 0.9, 0.8), shifted(0.98, 0.6, 0.3), [0, 0, 0.1])
    assert table["pixels"].tolist() == [0, 1, 2]
    assert table["convnet"].tolist() == pytest.approx([0.99, 0.9, 0.8])
    assert table["difference"].tolist() == pytest.approx([0.01, 0.3, 0.5])
    (claim,) = verdicts.of_shifts(table)
    assert claim.verdict == "holds"
    assert "80.0 % and the dense network 30.0 %" in claim.measured


def test_a_dense_network_that_keeps_up_takes_the_claim_away() -> None:
    table = verdicts.shifts(shifted(0.99, 0.5), shifted(0.98, 0.9), [0, 0])
    assert verdicts.of_shifts(table)[0].verdict == "does not hold"


@pytest.mark.parametrize(
    ("convnet", "dense", "verdict"),
    [
        ((0.9925, 0.9925), (0.98, 0.98), "holds"),
        ((0.90, 0.90), (0.98, 0.98), "holds partly"),
        ((0.90, 0.90), (0.80, 0.80), "does not hold"),
    ],
)
def test_an_accuracy_of_the_book_is_reached_or_not(
    convnet: tuple[float, float], dense: tuple[float, float], verdict: verdicts.Verdict
) -> None:
    measured = [verdicts.mean_with_interval(answers(*each)) for each in (convnet, dense)]
    (claim,) = verdicts.of_digits(*measured)
    assert claim.verdict == verdict
    assert f"Convnet {100 * convnet[0]:.2f} ± 0.00 %" in claim.measured


COUNTS = pd.DataFrame(
    {
        "side": [3, 3, 4, 22],
        "coefficients": [576, 576, 1024, 30_976],
        "parameters": [93_322, 93_322, 121_994, 2_038_922],
        "dense_512": [295_424, 295_424, 524_800, 15_860_224],
        "window": [18, 18, 15, 7],
    }
)


def pooled(*rates: float) -> pd.DataFrame:
    right = {
        name: answers(rate, rate)
        for name, rate in zip(("max", "average", "strides", "none"), rates, strict=True)
    }
    return verdicts.pooling(right, COUNTS, dict.fromkeys(right, 2.5))


def test_pooling_is_compared_with_max_pooling() -> None:
    table = pooled(0.95, 0.80, 0.70, 0.94)
    assert table["max_is_better"].tolist() == pytest.approx([0, 0.15, 0.25, 0.01])
    assert table["seconds"].tolist() == [2.5] * 4
    assert table["window"].tolist() == [18, 18, 15, 7]
    works, counted = verdicts.of_pooling(table)
    assert (works.verdict, counted.verdict) == ("holds", "holds")
    assert "than average by +15.00 points" in works.measured
    assert "15.86 million" in counted.measured


def test_a_wrong_count_or_a_better_pooling_takes_the_claim_away() -> None:
    table = pooled(0.70, 0.80, 0.95, 0.94)
    assert verdicts.of_pooling(table)[0].verdict == "does not hold"
    table.loc[3, "window"] = 8
    assert verdicts.of_pooling(table)[1].verdict == "does not hold"


def test_padding_is_as_the_text_says_or_not() -> None:
    table = pd.DataFrame({"side": [3, 5, 26, 28, 2]})
    assert verdicts.of_padding(table)[0].verdict == "holds"
    table.loc[4, "side"] = 3
    (claim,) = verdicts.of_padding(table)
    assert (claim.verdict, claim.measured) == (
        "does not hold",
        "4 of 5 sizes are as the text says.",
    )


def test_the_headline_names_both_networks() -> None:
    one = verdicts.mean_with_interval(answers(0.99, 0.99))
    other = verdicts.mean_with_interval(answers(0.98, 0.98))
    headline = verdicts.headline({"convnet": one, "dense": other})
    assert headline["test_accuracy"] == pytest.approx(0.99)
    assert headline["dense_test_accuracy"] == pytest.approx(0.98)
    assert headline["test_accuracy_ci_low"] == one["ci_low"]
