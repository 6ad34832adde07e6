import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from ladder import artifacts, rungs
from ladder.evidence import calibration

PROBABILITIES = [0.0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.9, 1.0]
ANSWERS = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from(PROBABILITIES)), min_size=2, max_size=30
)
THREE = ["probability_0", "probability_1", "probability_2"]


def binary(labels: list[int], probability: list[float], subset: str = "test") -> pd.DataFrame:
    ids = range(len(labels))
    return pd.DataFrame({"id": ids, "label": labels, "probability": probability, "subset": subset})


def ternary() -> pd.DataFrame:
    rows = [(0, 0.7, 0.2, 0.1), (1, 0.3, 0.4, 0.3), (2, 0.6, 0.1, 0.3), (2, 0.2, 0.3, 0.5)]
    return pd.DataFrame(rows, columns=["label", *THREE])


def counted() -> pd.DataFrame:
    """Returns ten predictions in two bins: at 0.7 confidence half right, at 0.95 all but one."""
    labels = [1, 1, 0, 0, 1, 1, 1, 0, 0, 0]
    probability = [0.7, 0.7, 0.7, 0.7, 0.95, 0.95, 0.95, 0.05, 0.05, 0.95]
    return binary(labels, probability)


def test_the_error_by_chance_is_that_of_probabilities_that_mean_what_they_say() -> None:
    """Labels drawn from the probabilities give a larger error in one case of twenty."""
    random = np.random.default_rng(0)
    probability = random.random(300)
    reached = calibration.error_by_chance(binary([0] * 300, list(probability)), 0)
    larger = 0
    for _ in range(400):
        drawn = binary(list((random.random(300) < probability).astype(int)), list(probability))
        error = calibration.expected_calibration_error(calibration.reliability(drawn))
        larger += error > reached
    assert 8 <= larger <= 34  # of a binomial with 0.05, others are one in 500


def test_probabilities_without_doubt_have_no_error_by_chance() -> None:
    assert calibration.error_by_chance(binary([0, 1], [0.0, 1.0]), 0) == 0


def test_bins_count_pictures_and_right_answers() -> None:
    bins = calibration.reliability(counted())
    assert bins["pictures"].tolist() == [4, 6]
    np.testing.assert_allclose(bins["confidence"], [0.7, 0.95])
    np.testing.assert_allclose(bins["accuracy"], [2 / 4, 5 / 6])
    np.testing.assert_allclose(bins[["low", "high"]], [[10 / 15, 11 / 15], [14 / 15, 1]])
    assert (bins["ci_low"] < bins["accuracy"]).all()
    assert (bins["ci_high"] > bins["accuracy"]).all()


def test_the_calibration_error_is_the_counted_one() -> None:
    error = calibration.expected_calibration_error(calibration.reliability(counted()))
    assert error == pytest.approx(4 / 10 * (0.7 - 0.5) + 6 / 10 * (0.95 - 5 / 6))


def test_one_who_is_always_sure_and_half_right_is_half_wrong_in_it() -> None:
    bins = calibration.reliability(binary([0, 1] * 5, [1.0] * 10))
    assert calibration.expected_calibration_error(bins) == pytest.approx(0.5)


def test_confidence_of_three_classes_is_of_the_label_predicted() -> None:
    bins = calibration.reliability(ternary())
    np.testing.assert_allclose(bins["confidence"], [0.4, 0.5, 0.6, 0.7])
    np.testing.assert_allclose(bins["accuracy"], [1, 1, 0, 1])


@given(ANSWERS)
def test_bins_are_those_of_scikit_learn(answers: list[tuple[int, float]]) -> None:
    labels, probability = (list(column) for column in zip(*answers, strict=True))
    bins = calibration.reliability(binary(labels, probability))
    confidence = np.maximum(probability, 1 - np.array(probability))
    right = (np.array(probability) > 0.5) == np.array(labels)
    accuracy, mean = calibration_curve(right, confidence, n_bins=calibration.BINS)
    np.testing.assert_allclose(bins["accuracy"], accuracy)
    np.testing.assert_allclose(bins["confidence"], mean)
    assert bins["pictures"].sum() == len(answers)
    assert 0 <= calibration.expected_calibration_error(bins) <= 1


def both_labels(answers: list[tuple[int, float]]) -> bool:
    return len({label for label, _ in answers}) == 2


@given(ANSWERS.filter(both_labels))
def test_the_area_under_the_curve_counts_the_pairs_in_order(
    answers: list[tuple[int, float]],
) -> None:
    labels, probability = (list(column) for column in zip(*answers, strict=True))
    (points,) = calibration.roc(binary(labels, probability))
    x, y = points["false_positive_rate"], points["true_positive_rate"]
    positive = [p for label, p in answers if label == 1]
    negative = [p for label, p in answers if label == 0]
    pairs = [(p > n) + 0.5 * (p == n) for p, n in itertools.product(positive, negative)]
    assert np.trapezoid(y, x) == pytest.approx(np.mean(pairs))
    assert (x.iloc[0], y.iloc[0], x.iloc[-1], y.iloc[-1]) == (0, 0, 1, 1)


def test_precision_and_recall_are_counted_at_every_threshold() -> None:
    (points,) = calibration.precision_recall(binary([1, 0, 1, 1, 0], [0.9, 0.8, 0.7, 0.3, 0.1]))
    expected = {(1 / 3, 1.0), (1 / 3, 1 / 2), (2 / 3, 2 / 3), (1.0, 3 / 4)}
    pairs = {(round(r, 9), round(p, 9)) for r, p in points.itertuples(index=False)}
    assert {(round(r, 9), round(p, 9)) for r, p in expected} <= pairs


def test_average_precision_is_the_area_under_the_steps() -> None:
    frame = binary([1, 0, 1, 1, 0], [0.9, 0.8, 0.7, 0.3, 0.1])
    by_hand = 1 / 3 * 1 + 1 / 3 * 2 / 3 + 1 / 3 * 3 / 4
    assert calibration.average_precision(frame) == pytest.approx(by_hand)


def test_three_classes_have_a_curve_each() -> None:
    assert len(calibration.roc(ternary())) == len(calibration.precision_recall(ternary())) == 3
    # class 2 stands at 0.1, 0.3 | 0.3, 0.5: of 4 pairs 3 in order and one equal
    (points,) = calibration.roc(ternary())[2:]
    area = np.trapezoid(points["true_positive_rate"], points["false_positive_rate"])
    assert area == pytest.approx(3.5 / 4)


def test_a_class_that_the_subset_lacks_has_no_curve() -> None:
    frame = ternary()[ternary()["label"] != 1]
    assert len(calibration.roc(frame)) == len(calibration.precision_recall(frame)) == 2
    # class 0: 0.7 > 0.6, 0.2; class 2: its 0.3 and 0.5 > 0.1
    assert calibration.average_precision(frame) == pytest.approx(1.0)


def test_of_one_class_alone_there_is_no_roc_curve() -> None:
    ones, zeros = binary([1, 1], [0.2, 0.9]), binary([0, 0], [0.2, 0.9])
    assert calibration.roc(ones) == calibration.roc(zeros) == []
    assert calibration.precision_recall(zeros) == []
    assert calibration.average_precision(ones) == 1
    assert np.isnan(calibration.average_precision(zeros))


@pytest.mark.parametrize("classes", [3, 60])
def test_the_area_under_a_mean_curve_is_the_mean_area(classes: int) -> None:
    random = np.random.default_rng(0)
    labels = np.arange(5 * classes) % classes
    probability = random.dirichlet(np.ones(classes), len(labels)) + 0.02 * np.eye(classes)[labels]
    columns = [f"probability_{i}" for i in range(classes)]
    frame = pd.DataFrame(probability, columns=columns).assign(label=labels)
    mean = calibration.mean_curve(calibration.roc(frame))
    x, y = (mean[column].to_numpy() for column in calibration.ROC_COLUMNS)
    areas = [sklearn.metrics.roc_auc_score(labels == i, probability[:, i]) for i in range(classes)]
    assert np.trapezoid(y, x) == pytest.approx(np.mean(areas), abs=2e-3)
    assert (np.diff(x) >= 0).all()
    mean = calibration.mean_curve(calibration.precision_recall(frame))
    steps = -np.diff(mean["recall"]) * mean["precision"].to_numpy()[:-1]
    assert steps.sum() == pytest.approx(calibration.average_precision(frame), abs=2e-3)


def few(labels: list[int], classes: int, subset: str) -> pd.DataFrame:
    """Returns answers at random."""
    drawn = np.random.default_rng(1).dirichlet(np.ones(classes), len(labels))
    columns = {f"probability_{i}": drawn[:, i] for i in range(classes)}
    columns = columns if classes > 2 else {"probability": drawn[:, 1]}
    ids = [f"{subset}.{i}" for i in range(len(labels))]
    return pd.DataFrame({"id": ids, "label": labels, **columns, "subset": subset})


@pytest.mark.parametrize(
    ("classes", "validation", "test", "undefined"),
    [
        (2, [0, 1], [1], [False, True]),
        (2, [0], [0, 1], [True, False]),
        (3, [0, 1, 2], [1, 1], [False, True]),
        (3, [2], [0], [True, True]),
        (60, list(range(60)), list(range(60)), [False, False]),
        (60, list(range(59)), [3, 4], [False, False]),
    ],
)
def test_few_pictures_of_few_of_the_classes_are_measured(
    classes: int, validation: list[int], test: list[int], undefined: list[bool], tmp_path: Path
) -> None:
    parts = [few(validation, classes, "validation"), few(test, classes, "test")]
    table = calibration.table({"features": pd.concat(parts)})
    assert table["pictures"].tolist() == [len(validation), len(test)]
    assert table["auc"].isna().tolist() == undefined
    for name in ("expected_calibration_error", "error_by_chance", "brier", "confidence"):
        assert np.isfinite(table[name]).all()
    artifacts.write_csv(tmp_path / "calibration.csv", table)
    again = pd.read_csv(tmp_path / "calibration.csv")
    pd.testing.assert_frame_equal(again, table, check_exact=True, check_dtype=False)


@given(ANSWERS)
def test_no_threshold_is_better_than_the_best(answers: list[tuple[int, float]]) -> None:
    def accuracy(threshold: float) -> float:
        return float(np.mean([(p > threshold) == (label == 1) for label, p in answers]))

    labels, probability = (list(column) for column in zip(*answers, strict=True))
    best = calibration.best_threshold(binary(labels, probability))
    every = [accuracy(t) for t in [*np.linspace(0, 1, 101), *PROBABILITIES]]
    assert accuracy(best) == pytest.approx(max(every))


@pytest.mark.parametrize(
    ("labels", "probability", "expected"),
    [
        ([0, 1], [0.1, 0.9], 0.5),  # as good as any between
        ([0, 0, 1, 1], [0.1, 0.6, 0.8, 0.9], 0.7),
        ([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.9], 0.25),
        ([1, 1], [0.2, 0.3], 0.0),
        ([0, 0], [0.7, 0.8], 1.0),
    ],
)
def test_the_threshold_is_the_nearest_to_one_half(
    labels: list[int], probability: list[float], expected: float
) -> None:
    assert calibration.best_threshold(binary(labels, probability)) == pytest.approx(expected)


def test_the_threshold_is_chosen_on_validation_and_measured_on_both() -> None:
    validation = binary([0, 0, 1, 1], [0.1, 0.6, 0.8, 0.9], "validation")  # best: 0.7
    test = binary([0, 0, 1, 1], [0.6, 0.75, 0.65, 0.9])
    frames: dict[rungs.Rung, pd.DataFrame] = {"features": pd.concat([validation, test])}
    frame = calibration.table(frames)
    assert frame[["rung", "subset"]].to_numpy().tolist() == [
        ["features", "validation"],
        ["features", "test"],
    ]
    np.testing.assert_allclose(frame["threshold"], [0.7, 0.7])
    np.testing.assert_allclose(frame["accuracy"], [3 / 4, 2 / 4])
    np.testing.assert_allclose(frame["threshold_accuracy"], [1.0, 2 / 4])
    np.testing.assert_allclose(frame["confidence"], [0.8, 0.725])
    squares = [0.6**2 + 0.75**2 + 0.35**2 + 0.1**2]
    assert frame["brier"][1] == pytest.approx(squares[0] / 4)
    assert frame["auc"][1] == pytest.approx(3 / 4)


def test_three_classes_have_no_threshold() -> None:
    both = [ternary().assign(subset=subset) for subset in ("validation", "test")]
    row = calibration.table({"features": pd.concat(both)}).iloc[1]
    assert pd.isna(row["threshold"])
    assert pd.isna(row["threshold_accuracy"])
    distances = [0.3, 0.2, 0.1], [0.3, 0.6, 0.3], [0.6, 0.1, 0.7], [0.2, 0.3, 0.5]
    assert row["brier"] == pytest.approx(np.square(distances).sum() / 4)
    assert row["expected_calibration_error"] == pytest.approx((0.3 + 0.6 + 0.6 + 0.5) / 4)


def test_probabilities_as_rounded_as_a_networks_are_probabilities() -> None:
    columns = [f"probability_{label}" for label in range(3)]
    exact = pd.concat([ternary().assign(subset=subset) for subset in ("validation", "test")])
    rounded = exact.copy()
    rounded[columns] = exact[columns].astype(np.float32).astype(np.float64) * (1 + 1e-6)
    one, other = (calibration.table({"features": frame})["brier"][1] for frame in (exact, rounded))
    assert one == pytest.approx(other, rel=1e-5)
