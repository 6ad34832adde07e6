import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint

from ladder import errors
from ladder.evidence import studies

Z = 1.959963984540054  # the 97.5 % quantile of the normal distribution


NOTHING = (0.0, 0.0)  # two pictures more among many, of values that have no extremes


def width(values: NDArray[np.float64]) -> float:
    low, high = studies.two_level_interval(values, NOTHING, 0)
    return high - low


def test_with_one_seed_only_the_pictures_vary() -> None:
    right = np.zeros((1, 800))
    right[0, :600] = 1
    expected = 2 * Z * math.sqrt(0.75 * 0.25 / 800)
    assert width(right) == pytest.approx(expected, rel=0.05)


def test_with_equal_pictures_only_the_seeds_vary() -> None:
    by_seed = np.random.default_rng(0).normal(0, 1, (40, 1))
    expected = 2 * Z * by_seed.std() / math.sqrt(40)
    assert width(np.repeat(by_seed, 700, axis=1)) == pytest.approx(expected, rel=0.05)


def test_both_variances_add() -> None:
    random = np.random.default_rng(1)
    by_seed, by_picture = random.normal(0, 1, (30, 1)), random.normal(0, 3, (1, 200))
    variance = by_seed.var() / 30 + by_picture.var() / 200
    assert width(by_seed + by_picture) == pytest.approx(2 * Z * math.sqrt(variance), rel=0.05)


def test_the_interval_repeats_with_its_seed() -> None:
    right = np.random.default_rng(2).integers(0, 2, (3, 50)).astype(float)
    four, again, five = (studies.two_level_interval(right, (0, 1), seed) for seed in (4, 4, 5))
    assert four == again != five


@pytest.mark.parametrize(
    ("seeds", "by_picture", "least", "most"),
    [
        (20, 2.0, 178, 198),  # of a binomial with 0.93 to 0.95, others are one in 200
        (5, 7.0, 178, 198),
        (5, 0.1, 156, 186),  # with 0.86: few seeds that vary more than pictures are too few
        (3, 0.1, 131, 165),  # with 0.74
    ],
)
def test_the_interval_holds_what_it_claims(
    seeds: int, by_picture: float, least: int, most: int
) -> None:
    """Of seeds and pictures drawn anew, the true mean 0 lies inside in about 95 % of cases."""
    random, hits = np.random.default_rng(3), 0
    for trial in range(200):
        values = random.normal(0, 1, (seeds, 1)) + random.normal(0, by_picture, (1, 60))
        low, high = studies.two_level_interval(values, NOTHING, trial)
        hits += low <= 0 <= high
    assert least <= hits <= most


@pytest.mark.parametrize(
    ("gained", "lost", "extremes"),
    [(0.99, 0.0, (0, 1)), (0.997, 0.0, (0, 1)), (0.005, 0.001, (-1, 1))],
)
def test_the_interval_holds_what_it_claims_where_hardly_a_picture_tells(
    gained: float, lost: float, extremes: studies.Extremes
) -> None:
    """Of 200 pictures one or two are wrong, or differ; in some draws none, which is no proof."""
    random, hits = np.random.default_rng(4), 0
    for trial in range(200):
        shares = [gained, lost, 1 - gained - lost]
        values = random.choice([1.0, -1.0, 0.0], (1, 200), p=shares).repeat(5, axis=0)
        low, high = studies.two_level_interval(values, extremes, trial)
        hits += low - 1e-12 <= gained - lost <= high + 1e-12
    assert hits >= 182  # of a binomial with 0.95, fewer are one in 200


@pytest.mark.parametrize(
    ("gained", "lost"),
    [(4, 0), (5, 0), (6, 0), (7, 1), (8, 1), (9, 2), (10, 2), (32, 15)],
)
def test_one_seeds_difference_is_told_from_nothing_where_mcnemars_exact_test_does(
    gained: int, lost: int
) -> None:
    values = np.repeat([1.0, -1.0, 0.0], [gained, lost, 1000 - gained - lost])[None]
    low, _ = studies.two_level_interval(values, (-1, 1), 0)
    assert (low > 0) == (binomtest(lost, gained + lost).pvalue < 0.05)


@given(hnp.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 6)),
                  elements=st.sampled_from([0.0, 1.0])))  # fmt: skip
def test_the_interval_lies_between_the_extremes(right: NDArray[np.float64]) -> None:
    low, high = studies.two_level_interval(right, (0, 1), 0)
    assert 0 <= low < high <= 1


def climb(rung: str, seed: int, right: list[int], subset: str = "test") -> pd.DataFrame:
    """Returns the answers of one climb's rung: 1 where right, 0 where wrong."""
    return pd.DataFrame(
        {
            "subset": subset,
            "id": [f"cat.{i}" for i in range(len(right))],
            "rung": rung,
            "seed": seed,
            "right": np.array(right, bool),
        }
    )


def climbs() -> pd.DataFrame:
    return pd.concat(
        [
            climb("scratch", 0, [1, 0, 0, 0]),
            climb("scratch", 1, [1, 1, 0, 0]),
            climb("scratch", 2, [1, 1, 1, 0]),
            climb("features", 0, [1, 1, 1, 1]),
            climb("features", 1, [1, 1, 1, 0]),
            climb("features", 2, [1, 1, 1, 1]),
            climb("features", 0, [0, 0], "validation"),
        ]
    )


def test_every_value_is_kept() -> None:
    values = studies.values(climbs(), ["rung"])
    assert list(values) == ["rung", "subset", "seed", "accuracy"]
    assert list(values.itertuples(index=False, name=None)) == [
        ("scratch", "test", 0, 0.25),
        ("scratch", "test", 1, 0.5),
        ("scratch", "test", 2, 0.75),
        ("features", "test", 0, 1.0),
        ("features", "test", 1, 0.75),
        ("features", "test", 2, 1.0),
        ("features", "validation", 0, 0.0),
    ]


def test_mean_and_deviation_are_of_the_seeds() -> None:
    scratch, features, validation = studies.summary(climbs(), ["rung"], 0).to_dict("records")
    assert (scratch["rung"], scratch["subset"]) == ("scratch", "test")
    assert (scratch["seeds"], scratch["pictures"], scratch["mean"]) == (3, 4, 0.5)
    assert scratch["standard_deviation"] == pytest.approx(0.25)
    assert features["standard_deviation"] == pytest.approx(0.25 / math.sqrt(3))
    assert scratch["ci_low"] < 0.5 < scratch["ci_high"]
    assert (validation["seeds"], validation["mean"]) == (1, 0)
    assert pd.isna(validation["standard_deviation"])


def test_the_interval_of_the_mean_pairs_pictures_over_the_seeds() -> None:
    scratch = studies.summary(climbs(), ["rung"], 7).iloc[0]
    right = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0]])
    assert (scratch["ci_low"], scratch["ci_high"]) == studies.two_level_interval(right, (0, 1), 7)


def test_the_interval_of_one_seed_is_wilsons() -> None:
    row = studies.summary(climb("scratch", 0, [1] * 9 + [0]), ["rung"], 0).iloc[0]
    expected = proportion_confint(9, 10, method="wilson")
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(expected)


@pytest.mark.parametrize("ids", [["cat.0", "cat.9"], ["cat.0", "cat.0"]])
def test_a_seed_on_other_pictures_is_refused(ids: list[str]) -> None:
    frames = [climb("scratch", 0, [1, 1]), climb("scratch", 1, [1, 1]).assign(id=ids)]
    with pytest.raises(errors.InputError, match="scratch test: expected every seed on the same"):
        studies.summary(pd.concat(frames), ["rung"], 0)


def curve() -> pd.DataFrame:
    """Returns three rungs' answers with 100, 200 and 400 train pictures, the order mixed up."""
    answers = {
        ("features", 200): ([1] * 12 + [0] * 8, [1] * 14 + [0] * 6),
        ("features", 100): ([1] * 10 + [0] * 10, [1] * 10 + [0] * 10),
        ("features", 400): ([1] * 12 + [0] * 8, [1] * 14 + [0] * 6),
        ("fine_tuned", 100): ([1] * 20, [1] * 20),
        ("fine_tuned", 200): ([0] * 20, [0] * 20),
    }
    return pd.concat(
        climb(rung, seed, right).assign(train_pictures=count)
        for (rung, count), both in answers.items()
        for seed, right in enumerate(both)
    )


def test_a_learning_curve_has_a_point_per_rung_and_count() -> None:
    points = studies.learning_curve(curve(), 0)
    means = list(points[["rung", "train_pictures", "mean"]].itertuples(index=False, name=None))
    assert means == [
        ("features", 100, 0.5),
        ("fine_tuned", 100, 1.0),
        ("features", 200, pytest.approx(0.65)),
        ("fine_tuned", 200, 0.0),
        ("features", 400, pytest.approx(0.65)),
    ]


def test_a_learning_curve_is_of_the_test_pictures() -> None:
    both = pd.concat([curve(), curve().assign(subset="validation")])
    pd.testing.assert_frame_equal(
        studies.learning_curve(both, 0), studies.learning_curve(curve(), 0)
    )


def test_gains_are_of_the_same_pictures() -> None:
    first, second, fall = studies.gains(curve(), 0).to_dict("records")
    assert (first["rung"], first["from_pictures"], first["to_pictures"]) == ("features", 100, 200)
    assert first["gain"] == pytest.approx(0.15)
    assert -0.1 < first["ci_low"] < 0.15 < first["ci_high"]
    # nothing changed on 20 pictures: on others it might have
    assert second["gain"] == 0
    assert -0.2 < second["ci_low"] < 0 < second["ci_high"] < 0.2
    assert (fall["gain"], fall["ci_low"]) == (-1, -1)
    assert -1 < fall["ci_high"] < -0.6


def test_gains_of_other_pictures_are_refused() -> None:
    frame = curve()
    last = frame["train_pictures"] == 400
    fewer = frame[~last | (frame["seed"] == 0)]
    others = frame.assign(id=frame["id"].mask(last, "other " + frame["id"]))
    for mixed in (fewer, others):
        with pytest.raises(errors.InputError, match="features with 200 and 400 train pictures"):
            studies.gains(mixed, 0)


def test_every_rung_is_set_beside_the_one_before_over_the_seeds() -> None:
    frame = pd.concat(
        [
            climb("scratch", 0, [1, 0, 0, 0]),
            climb("scratch", 1, [1, 1, 0, 0]),
            climb("features", 0, [1, 1, 1, 0]),
            climb("features", 1, [1, 1, 1, 1]),
            climb("features", 0, [0, 0, 0, 0], subset="validation"),
        ]
    )
    (row,) = studies.steps(frame, 0).to_dict("records")
    assert (row["rung"], row["other"]) == ("features", "scratch")
    assert (row["seeds"], row["pictures"], row["difference"]) == (2, 4, 0.5)
    apart = np.array([[0, 1, 1, 0], [0, 0, 1, 1]], float)
    assert (row["ci_low"], row["ci_high"]) == studies.two_level_interval(apart, (-1, 1), 0)


def two_seeds(wrong: dict[int, list[str]]) -> pd.DataFrame:
    """Returns answers of rung `features` on four test pictures, the `wrong` missed."""
    return pd.DataFrame(
        {"subset": "test", "id": picture, "rung": "features", "seed": seed}
        | {"right": picture not in missed}
        for seed, missed in wrong.items()
        for picture in "abcd"
    )


def test_differences_are_of_the_seeds_and_pictures_that_both_have() -> None:
    default = two_seeds({0: ["a", "b"], 1: ["a", "b"], 2: ["a", "b", "c", "d"]})
    shuffled = two_seeds({1: [], 0: []}).sample(frac=1, random_state=0)  # in whatever order
    (row,) = studies.differences(default, {"mine": shuffled}, 0).to_dict("records")
    assert (row["recipe"], row["rung"], row["seeds"], row["pictures"]) == ("mine", "features", 2, 4)
    assert (row["default_mean"], row["mean"], row["difference"]) == (0.5, 1.0, 0.5)
    assert (row["default_standard_deviation"], row["standard_deviation"]) == (0, 0)
    assert -1 < row["ci_low"] < 0.5 < row["ci_high"] < 1
    spread = studies.differences(default, {"mine": two_seeds({0: [], 2: []})}, 0)
    assert spread["default_standard_deviation"].item() == pytest.approx(math.sqrt(0.125))


def test_a_recipe_that_cannot_be_compared_has_no_row() -> None:
    default = two_seeds({0: ["a"], 1: []})
    same, one_seed = default.copy(), two_seeds({0: []})
    other_pictures = default.assign(id=default["id"] + "2")
    frame = studies.differences(
        default, {"same": same, "one": one_seed, "other": other_pictures}, 0
    )
    assert len(frame) == 0
    assert list(frame)[:2] == ["recipe", "rung"]


def test_a_recipe_that_is_as_often_right_on_other_pictures_has_a_row() -> None:
    default, mine = two_seeds({0: ["a"], 1: []}), two_seeds({0: ["b"], 1: []})
    assert studies.differences(default, {"mine": mine}, 0)["difference"].tolist() == [0]
