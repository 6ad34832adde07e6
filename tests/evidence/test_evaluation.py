import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from ladder import artifacts, rungs
from ladder.evidence import evaluation, prediction_tables

Z = 1.959963984540054  # the 97.5 % quantile of the normal distribution

THREE = ["probability_0", "probability_1", "probability_2"]


def binary(labels: list[int], probability: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"label": labels, "probability": probability})


def ternary() -> pd.DataFrame:
    """Returns predictions of three classes: 4 of 6 right, both mistakes of class 2."""
    rows = [
        (0, 0.7, 0.2, 0.1),
        (0, 0.5, 0.3, 0.2),
        (1, 0.1, 0.8, 0.1),
        (1, 0.3, 0.4, 0.3),
        (2, 0.6, 0.1, 0.3),
        (2, 0.2, 0.5, 0.3),
    ]
    return pd.DataFrame(rows, columns=["label", *THREE])


def wilson(correct: int, count: int) -> tuple[float, float]:
    """Returns the interval by its closed formula (Wilson 1927)."""
    share = correct / count
    centre = share + Z**2 / (2 * count)
    spread = Z * math.sqrt(share * (1 - share) / count + Z**2 / (4 * count**2))
    scale = 1 + Z**2 / count
    return (centre - spread) / scale, (centre + spread) / scale


def pairs_in_order(positive: list[float], negative: list[float]) -> float:
    """Returns the share of pairs where the positive one has more, a tie counting one half."""
    pairs = list(itertools.product(positive, negative))
    return sum((p > n) + 0.5 * (p == n) for p, n in pairs) / len(pairs)


def test_accuracy_is_the_share_of_right_answers() -> None:
    frame = binary([1, 1, 0, 0, 1], [0.9, 0.4, 0.1, 0.2, 0.51])
    assert evaluation.measure(frame)["accuracy"] == 0.8


@pytest.mark.parametrize(("correct", "count"), [(1, 2), (9, 10), (10, 10), (0, 10), (970, 1000)])
def test_the_interval_is_wilsons(correct: int, count: int) -> None:
    labels = [i % 2 for i in range(count)]
    right = [float(label) if i < correct else 1.0 - label for i, label in enumerate(labels)]
    measured = evaluation.measure(binary(labels, right))
    interval = measured["accuracy_ci_low"], measured["accuracy_ci_high"]
    assert interval == pytest.approx(wilson(correct, count), abs=1e-12)


@pytest.mark.parametrize(
    ("correct", "count", "low", "high"),  # Newcombe 1998, table I, method 3
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_the_published_one(
    correct: int, count: int, low: float, high: float
) -> None:
    labels = [i % 2 for i in range(count)]
    answers = [float(label) if i < correct else 1.0 - label for i, label in enumerate(labels)]
    measured = evaluation.measure(binary(labels, answers))
    assert round(measured["accuracy_ci_low"], 4) == low
    assert round(measured["accuracy_ci_high"], 4) == high


def test_loss_is_the_mean_crossentropy() -> None:
    measured = evaluation.measure(binary([1, 0, 1], [0.9, 0.2, 0.6]))
    by_hand = -(math.log(0.9) + math.log(0.8) + math.log(0.6)) / 3
    assert measured["loss"] == pytest.approx(by_hand, rel=1e-12)


def test_a_sure_mistake_costs_what_it_costs_in_keras() -> None:
    measured = evaluation.measure(binary([0, 1], [1.0, 1.0]))
    assert measured["loss"] == pytest.approx(-math.log(1e-7) / 2, rel=1e-6)


def test_auc_counts_the_pairs_in_order() -> None:
    frame = binary([1, 1, 1, 0, 0], [0.9, 0.6, 0.3, 0.6, 0.1])
    assert evaluation.measure(frame)["auc"] == pytest.approx(4.5 / 6)


@given(
    st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]), min_size=1, max_size=8),
    st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]), min_size=1, max_size=8),
)
def test_measures_agree_with_counting(positive: list[float], negative: list[float]) -> None:
    frame = binary([1] * len(positive) + [0] * len(negative), positive + negative)
    right = sum(p > 0.5 for p in positive) + sum(n <= 0.5 for n in negative)
    measured = evaluation.measure(frame)
    assert measured["accuracy"] == pytest.approx(right / len(frame))
    assert measured["auc"] == pytest.approx(pairs_in_order(positive, negative))
    assert measured["accuracy_ci_low"] <= measured["accuracy"] <= measured["accuracy_ci_high"]


def test_three_classes_are_measured() -> None:
    frame = ternary()
    measured = evaluation.measure(frame)
    assert measured["accuracy"] == pytest.approx(4 / 6)
    of_true_labels = [0.7, 0.5, 0.8, 0.4, 0.3, 0.3]
    by_hand = -sum(math.log(probability) for probability in of_true_labels) / 6
    assert measured["loss"] == pytest.approx(by_hand, rel=1e-12)
    each = [
        pairs_in_order(
            frame.loc[frame["label"] == i, column].tolist(),
            frame.loc[frame["label"] != i, column].tolist(),
        )
        for i, column in enumerate(THREE)
    ]
    assert measured["auc"] == pytest.approx(sum(each) / 3)


def test_confusion_counts_true_by_predicted() -> None:
    frame = binary([0, 0, 0, 1, 1, 1, 1], [0.1, 0.2, 0.9, 0.8, 0.4, 0.3, 0.2])
    assert evaluation.confusion(frame).tolist() == [[2, 1], [3, 1]]


def test_confusion_has_a_row_and_a_column_for_a_class_that_is_absent() -> None:
    assert evaluation.confusion(binary([0, 0], [0.1, 0.2])).tolist() == [[2, 0], [0, 0]]


def test_confusion_of_three_classes() -> None:
    assert evaluation.confusion(ternary()).tolist() == [[2, 0, 0], [0, 2, 0], [1, 1, 0]]


def test_results_are_of_validation_and_test_apart() -> None:
    validation = binary([0, 1, 1, 0], [0.1, 0.9, 0.2, 0.3]).assign(subset="validation")
    test = binary([0, 1], [0.8, 0.7]).assign(subset="test")
    frame = pd.concat([test, validation]).assign(id=range(6))
    results = evaluation.results(frame, twins())
    assert list(results) == ["validation", "test"]
    assert (results["validation"]["accuracy"], results["validation"]["pictures"]) == (0.75, 4)
    assert (results["test"]["accuracy"], results["test"]["pictures"]) == (0.5, 2)
    assert results["validation"]["confusion"] == {
        "true_0_as_0": 2,
        "true_0_as_1": 0,
        "true_1_as_0": 1,
        "true_1_as_1": 1,
    }


def test_the_auc_is_of_the_classes_that_the_subset_has() -> None:
    frame = ternary()[ternary()["label"] != 1]
    rest = {i: frame.loc[frame["label"] != i, THREE[i]].tolist() for i in (0, 2)}
    own = {i: frame.loc[frame["label"] == i, THREE[i]].tolist() for i in (0, 2)}
    by_hand = sum(pairs_in_order(own[i], rest[i]) for i in (0, 2)) / 2
    assert evaluation.measure(frame)["auc"] == pytest.approx(by_hand)


@pytest.mark.parametrize("frame", [binary([1, 1], [0.2, 0.9]), binary([0], [0.2])])
def test_of_one_class_alone_there_is_no_auc(frame: pd.DataFrame) -> None:
    assert math.isnan(evaluation.measure(frame)["auc"])
    of_three = pd.DataFrame([(1, 0.2, 0.5, 0.3)] * 2, columns=["label", *THREE])
    assert math.isnan(evaluation.measure(of_three)["auc"])


def many(labels: list[int], classes: int) -> pd.DataFrame:
    """Returns answers at random."""
    random = np.random.default_rng(0)
    drawn = random.dirichlet(np.ones(classes), len(labels)).astype(np.float32)
    return pd.DataFrame(drawn, columns=[f"probability_{i}" for i in range(classes)]).assign(
        label=labels, id=[str(i) for i in range(len(labels))]
    )


@pytest.mark.parametrize("labels", [list(range(60)), [*range(59), 0], [*range(30)] * 2, [7] * 5])
def test_sixty_classes_with_a_picture_each_or_none_are_measured(labels: list[int]) -> None:
    frame = many(labels, 60)
    measured = evaluation.measure(frame)
    assert measured["accuracy_ci_low"] <= measured["accuracy"] <= measured["accuracy_ci_high"]
    probability = prediction_tables.probabilities(frame)
    each = [
        metrics.roc_auc_score(frame["label"] == i, probability[:, i])
        for i in set(labels)
        if len(set(labels)) > 1
    ]
    assert math.isnan(measured["auc"]) == (not each)
    if each:
        assert measured["auc"] == pytest.approx(np.mean(each), abs=1e-12)
    by_class = evaluation.by_class(frame, [f"c{i}" for i in range(60)])
    assert by_class["pictures"].sum() == len(labels)


def test_of_complete_classes_the_auc_is_that_of_scikit_learn() -> None:
    frame = many([0, 1, 2, 3] * 10, 4)
    probability = prediction_tables.probabilities(frame)
    probability = probability / probability.sum(axis=1, keepdims=True)
    expected = metrics.roc_auc_score(frame["label"], probability, multi_class="ovr")
    assert evaluation.measure(frame)["auc"] == pytest.approx(expected, abs=1e-6)


def test_every_class_has_its_recall_and_its_precision() -> None:
    by_class = evaluation.by_class(ternary(), ["ash", "elm", "oak"])
    assert list(by_class) == [
        "class_name",
        "pictures",
        "right",
        "recall",
        "recall_low",
        "recall_high",
        "precision",
        "most_confused_with",
    ]
    assert by_class["class_name"].tolist() == ["ash", "elm", "oak"]
    assert by_class["pictures"].tolist() == [2, 2, 2]
    assert by_class["right"].tolist() == [2, 2, 0]
    assert by_class["recall"].tolist() == [1, 1, 0]
    np.testing.assert_allclose(by_class["precision"], [2 / 3, 2 / 3, np.nan])  # oak: never
    assert by_class["most_confused_with"].fillna("").tolist() == ["", "", "ash"]
    for row, right in zip(by_class.to_dict("records"), (2, 2, 0), strict=True):
        interval = row["recall_low"], row["recall_high"]
        assert interval == pytest.approx(wilson(right, 2), abs=1e-12)


def test_the_class_that_most_mistakes_are_taken_for_is_named() -> None:
    answers = np.eye(3)[[1, 2, 2, 2, 1, 0]]
    frame = pd.DataFrame(answers, columns=THREE).assign(label=[0, 0, 0, 2, 2, 2])
    by_class = evaluation.by_class(frame, ["ash", "elm", "oak"])
    assert by_class["most_confused_with"].fillna("").tolist() == ["oak", "", "ash"]


def test_a_class_without_pictures_has_no_recall() -> None:
    by_class = evaluation.by_class(ternary()[:2], ["ash", "elm", "oak"])
    assert by_class["pictures"].tolist() == [2, 0, 0]
    assert by_class.loc[1:, ["recall", "recall_low", "recall_high"]].isna().all(axis=None)


def test_measures_by_class_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    by_class = evaluation.by_class(ternary(), ["ash", "elm", "oak"])
    artifacts.write_csv(tmp_path / "by_class.csv", by_class)
    again = pd.read_csv(tmp_path / "by_class.csv")
    pd.testing.assert_frame_equal(again, by_class, check_exact=True)


LABELS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30)


@given(LABELS)
def test_means_over_classes_are_of_those_that_the_subset_has(pairs: list[tuple[int, int]]) -> None:
    labels, answers = (list(column) for column in zip(*pairs, strict=True))
    columns = [f"probability_{i}" for i in range(4)]
    frame = pd.DataFrame(np.eye(4)[answers], columns=columns).assign(label=labels)
    recalls, scores = [], []
    for label in set(labels):
        hits = sum(true == answer == label for true, answer in pairs)
        pictures, taken = labels.count(label), answers.count(label)
        recalls.append(hits / pictures)
        scores.append(2 * hits / (pictures + taken))
    assert evaluation.balanced_accuracy(frame) == pytest.approx(sum(recalls) / len(recalls))
    assert evaluation.macro_f1(frame) == pytest.approx(sum(scores) / len(scores))


def test_unequal_classes_do_not_hide_behind_a_large_one() -> None:
    frame = binary([0] * 90 + [1] * 10, [0.1] * 100)
    assert evaluation.measure(frame)["accuracy"] == 0.9
    assert evaluation.balanced_accuracy(frame) == 0.5
    assert evaluation.macro_f1(frame) == pytest.approx((2 * 90 / 190 + 0) / 2)


def test_the_baseline_answers_trains_most_frequent_class_always() -> None:
    subsets = ["train"] * 5 + ["validation"] * 4 + ["test"] * 3
    labels = [2, 2, 2, 0, 1, 2, 0, 0, 0, 0, 2, 2]
    manifest = pd.DataFrame({"label": labels, "subset": subsets})
    manifest["class_name"] = manifest["label"].map({0: "ash", 1: "elm", 2: "oak"})
    baseline = evaluation.baseline(manifest)
    assert baseline["subset"].tolist() == ["train", "validation", "test"]
    assert baseline["class_name"].tolist() == ["oak"] * 3
    assert baseline["pictures"].tolist() == [5, 4, 3]
    np.testing.assert_allclose(baseline["balanced_accuracy"], [1 / 3, 1 / 2, 1 / 2])
    np.testing.assert_allclose(baseline["macro_f1"], [0.75 / 3, 0.4 / 2, 0.8 / 2])
    for row, right in zip(baseline.to_dict("records"), (3, 1, 2), strict=True):
        interval = row["accuracy_ci_low"], row["accuracy_ci_high"]
        assert interval == pytest.approx(wilson(right, row["pictures"]))


def twins(*ids: str) -> pd.DataFrame:
    """Returns duplicates whose later pictures have these ids."""
    return pd.DataFrame({"id": ["cat.0"] * len(ids), "other_id": list(ids)})


def test_accuracy_without_duplicates_leaves_the_later_pictures_out() -> None:
    test = binary([0, 1, 0, 1], [0.1, 0.9, 0.8, 0.7]).assign(subset="test")
    frame = pd.concat([test, test.assign(subset="validation")])
    frame["id"] = ["cat.5", "dog.5", "cat.6", "dog.6", "cat.0", "dog.0", "cat.1", "dog.1"]
    results = evaluation.results(frame, twins("dog.5", "cat.6", "dog.1", "cat.6"))
    measured = {
        subset: (r["pictures_without_duplicates"], r["accuracy_without_duplicates"])
        for subset, r in results.items()
    }
    assert measured == {"test": (2, 1.0), "validation": (3, pytest.approx(2 / 3))}
    assert results["test"]["accuracy"] == 0.75


def test_where_all_pictures_are_duplicates_there_is_no_accuracy_without() -> None:
    frame = binary([0, 1], [0.1, 0.9]).assign(id=["cat.5", "dog.5"])
    both = pd.concat([frame.assign(subset=subset) for subset in ("validation", "test")])
    test = evaluation.results(both, twins("cat.5", "dog.5"))["test"]
    assert test["pictures_without_duplicates"] == 0
    assert "accuracy_without_duplicates" not in test


def result(validation: float, test: float, seconds: float, parameters: int) -> dict[str, Any]:
    def around(accuracy: float) -> dict[str, float]:
        low, high = accuracy - 0.02, accuracy + 0.01
        return {"accuracy": accuracy, "accuracy_ci_low": low, "accuracy_ci_high": high}

    return {
        "validation": around(validation),
        "test": around(test) | {"accuracy_without_duplicates": test - 0.1},
        "seconds": seconds,
        "seconds_alone": 2 * seconds,
        "trainable_parameters": parameters,
    }


def climbed(is_book: bool) -> pd.DataFrame:
    results = {
        rung: result(0.5 + i / 10, 0.6 + i / 20, 12.345, i) for i, rung in enumerate(rungs.RUNGS)
    }
    return evaluation.ladder(results, is_book)


@pytest.mark.parametrize("is_book", [True, False])
def test_the_ladder_has_a_row_a_rung_and_these_columns(is_book: bool) -> None:
    frame = climbed(is_book)
    assert list(frame) == [
        "rung",
        "book",
        "book_subset",
        "validation_accuracy",
        "validation_ci_low",
        "validation_ci_high",
        "test_accuracy",
        "test_ci_low",
        "test_ci_high",
        "seconds",
        "trainable_parameters",
        "seconds_alone",
        "test_accuracy_without_duplicates",
    ]
    assert frame["rung"].tolist() == [
        "scratch",
        "scratch_augmented",
        "features",
        "features_augmented",
        "fine_tuned",
    ]


def test_a_rung_of_the_ladder_holds_its_results() -> None:
    row = climbed(True).to_dict("records")[1]
    assert row == {
        "rung": "scratch_augmented",
        "book": 0.82,
        "book_subset": "validation",
        "validation_accuracy": 0.6,
        "validation_ci_low": pytest.approx(0.58),
        "validation_ci_high": pytest.approx(0.61),
        "test_accuracy": 0.65,
        "test_ci_low": pytest.approx(0.63),
        "test_ci_high": pytest.approx(0.66),
        "seconds": 12.3,
        "trainable_parameters": 1,
        "seconds_alone": 24.7,
        "test_accuracy_without_duplicates": pytest.approx(0.55),
    }


@pytest.mark.parametrize(
    ("views", "alone"), [(2, [1, 2, 3 + 100, 4 + 300, 9 + 300]), (0, [1, 2, 3 + 100, 4, 9])]
)
def test_a_rung_costs_what_it_adds_and_alone_all_that_it_needs(
    views: int, alone: list[float]
) -> None:
    training = dict(zip(rungs.RUNGS, [1.0, 2.0, 3.0, 4.0, 5.0], strict=True))
    extraction = {"extract_features": 100.0, "extract_views": 200.0 if views else 0.0}
    costs = evaluation.costs(training, extraction, views)
    added = [1, 2, 103, 204 if views else 4, 5]
    assert [rung["seconds"] for rung in costs.values()] == added
    assert [rung["seconds_alone"] for rung in costs.values()] == alone


def test_the_books_figures_stand_beside_its_pictures() -> None:
    frame = climbed(True)
    assert frame["book"].tolist() == [0.71, 0.82, 0.90, 0.96, 0.97]
    assert frame["book_subset"].tolist() == ["validation"] * 4 + ["test"]


def test_the_books_figures_do_not_stand_beside_other_pictures() -> None:
    frame = climbed(False)
    assert frame["book"].isna().all()
    assert frame["book_subset"].isna().all()
    assert frame.to_csv(index=False).splitlines()[1].startswith("scratch,,,0.5,")
