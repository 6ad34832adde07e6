import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ladder import settings
from ladder.evidence import suspects

FIVE = settings.Audit(hash_distance=0, folds=5, inverse_regularization=8.0)


def clouds(
    classes: int, each: int, apart: float = 6.0
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Returns features (n, 2, 2, 3) of classes that stand apart, and their labels."""
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(classes), each)
    features = random.normal(0, 1, (len(labels), 2, 2, 3))
    features += apart * np.eye(3)[labels][:, None, None]
    return features, labels


def pictures(labels: NDArray[np.int64]) -> pd.DataFrame:
    ids = [f"cat.{i}" for i in range(len(labels))]
    return pd.DataFrame(
        {"id": ids, "subset": "train", "label": labels, "path": "x"}, range(7, 7 + len(ids))
    )


@pytest.mark.parametrize("classes", [2, 3])
def test_planted_flips_are_found_and_nothing_else(classes: int) -> None:
    features, labels = clouds(classes, 50)
    flipped = np.random.default_rng(1).choice(len(labels), 8, replace=False)
    true = labels.copy()
    labels[flipped] = (labels[flipped] + 1) % classes
    groups = np.arange(len(labels))
    probabilities = suspects.out_of_fold(features, labels, groups, FIVE)
    suspected = suspects.find(pictures(labels), probabilities)
    assert list(suspected) == suspects.COLUMNS
    assert set(suspected["id"]) <= {f"cat.{i}" for i in flipped}
    assert len(suspected) >= 7  # how many there are is estimated, too
    rows = suspected["id"].str.removeprefix("cat.").astype(int)
    assert suspected["label"].tolist() == labels[rows].tolist()
    assert suspected["suggested_label"].tolist() == true[rows].tolist()
    assert suspected["self_confidence"].is_monotonic_increasing
    assert suspected["self_confidence"].max() < 0.5


def test_sound_labels_are_not_suspected() -> None:
    features, labels = clouds(2, 30)
    probabilities = suspects.out_of_fold(features, labels, np.arange(60), FIVE)
    assert len(suspects.find(pictures(labels), probabilities)) == 0


def test_probabilities_are_of_all_classes() -> None:
    features, labels = clouds(3, 10)
    probabilities = suspects.out_of_fold(features, labels, np.arange(30), FIVE)
    assert probabilities is not None
    assert probabilities.shape == (30, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    assert (probabilities.argmax(axis=1) == labels).all()


def test_a_picture_is_judged_without_its_duplicates() -> None:
    """Labels drawn at random can be known only from a copy that the fit has seen."""
    random = np.random.default_rng(1)
    features = np.repeat(random.normal(0, 1, (80, 300)), 2, axis=0)
    labels = np.repeat(random.integers(0, 2, 80), 2)

    def accuracy(groups: NDArray[np.int64]) -> float:
        probabilities = suspects.out_of_fold(features, labels, groups, FIVE)
        assert probabilities is not None
        return float((probabilities.argmax(axis=1) == labels).mean())

    assert accuracy(np.arange(160)) > 0.9
    assert accuracy(np.repeat(np.arange(80), 2)) < 0.7


def test_there_are_no_more_folds_than_groups_in_a_class() -> None:
    """With two groups of the first class, each half is judged by a fit on the other."""
    features, labels = clouds(2, 20)
    groups = np.array([*[0] * 10, *[1] * 10, *range(2, 22)])
    probabilities = suspects.out_of_fold(features, labels, groups, FIVE)
    two = FIVE.model_copy(update={"folds": 2})
    expected = suspects.out_of_fold(features, labels, groups, two)
    assert probabilities is not None
    assert expected is not None
    np.testing.assert_array_equal(probabilities, expected)
    assert (probabilities.argmax(axis=1) == labels).all()


def test_answers_are_those_of_cross_validation() -> None:
    features, labels = clouds(3, 20, apart=1.0)
    groups = np.arange(60) // 2
    probabilities = suspects.out_of_fold(features, labels, groups, FIVE)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=8 / 12, max_iter=1000))
    expected = cross_val_predict(
        model,
        features.reshape(60, -1).astype(np.float32),
        labels,
        groups=groups,
        cv=StratifiedGroupKFold(5),
        method="predict_proba",
    )
    assert probabilities is not None
    np.testing.assert_array_equal(probabilities, expected)


def test_a_class_of_one_group_is_left_out_and_the_others_are_judged() -> None:
    features, labels = clouds(3, 20)
    alone = labels == 2
    groups = np.where(alone, 99, np.arange(60))
    labels[[0, 25]] = [1, 0]
    probabilities = suspects.out_of_fold(features, labels, groups, FIVE)
    assert probabilities is not None
    assert np.isnan(probabilities[alone]).all()
    judged = suspects.out_of_fold(features[~alone], labels[~alone], groups[~alone], FIVE)
    np.testing.assert_array_equal(probabilities[~alone][:, :2], judged)
    assert (probabilities[~alone][:, 2] == 0).all()
    suspected = suspects.find(pictures(labels), probabilities)
    assert set(suspected["id"]) <= {"cat.0", "cat.25"}
    assert len(suspected) >= 1


@pytest.mark.parametrize("each", [1, 2, 3])
def test_sixty_classes_of_few_pictures_are_judged_where_that_can_be(each: int) -> None:
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(60), each)
    features = random.normal(0, 1, (len(labels), 80)) + 9 * np.eye(80)[labels]
    probabilities = suspects.out_of_fold(features, labels, np.arange(len(labels)), FIVE)
    assert (probabilities is None) == (each == 1)
    suspected = suspects.find(pictures(labels), probabilities)
    assert list(suspected) == suspects.COLUMNS
    if probabilities is not None:
        assert not np.isnan(probabilities).any()
        assert (probabilities.argmax(axis=1) == labels).mean() > 0.9


def test_a_picture_is_not_judged_by_a_fit_that_saw_none_of_its_class() -> None:
    """Both groups of the small class stand in one fold, as two large groups are of both classes."""
    labels = np.array([0] * 8 + [1] * 8 + [2] * 2)
    groups = np.array([0] * 4 + [1] * 4 + [0] * 4 + [1] * 4 + [0, 1])
    features = np.random.default_rng(0).normal(0, 1, (18, 5)) + 6 * np.eye(5)[labels]
    for numbers in (groups, np.where(labels == 2, [*range(16), 2, 3], np.arange(18))):
        probabilities = suspects.out_of_fold(features, labels, numbers, FIVE)
        assert probabilities is not None
        known = ~np.isnan(probabilities).any(axis=1)
        np.testing.assert_allclose(probabilities[known].sum(axis=1), 1, rtol=1e-6)
        assert (probabilities[known, labels[known]] > 0).all()


@pytest.mark.parametrize("labels", [[1, 1, 1], [0], [0, 1], [2, 0, 2, 0]])
def test_few_test_pictures_of_few_classes_have_suspects_or_none(labels: list[int]) -> None:
    drawn = np.random.default_rng(0).dirichlet(np.ones(3), len(labels))
    suspected = suspects.find(pictures(np.array(labels)), drawn)
    assert list(suspected) == suspects.COLUMNS
    assert len(suspected) <= len(labels)


def test_with_one_group_in_a_class_none_is_suspected() -> None:
    features, labels = clouds(2, 4)
    groups = np.array([0, 0, 0, 0, 1, 2, 3, 4])
    assert suspects.out_of_fold(features, labels, groups, FIVE) is None
    suspected = suspects.find(pictures(labels), None)
    assert len(suspected) == 0
    assert list(suspected) == suspects.COLUMNS
