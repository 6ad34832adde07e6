import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from test_suspects import FIVE, clouds

from ladder.evidence import planted

HASH_DISTANCE = 70  # of 256 bits, as in params.yaml


@pytest.fixture(scope="module")
def scenes() -> NDArray[np.uint8]:
    """Returns pictures with a photograph's mixture of coarse and fine shapes, all different."""
    pictures = []
    for number in range(12):
        random, pixels = np.random.default_rng(number), np.zeros((96, 96, 3))
        for scale in (1, 2, 4, 8, 16):
            octave = gaussian_filter(random.normal(0, 1, pixels.shape), (scale, scale, 0))
            pixels += scale / 16 * octave / octave.std()
        pixels -= pixels.min()
        pictures.append(255 * pixels / pixels.max())
    return np.stack(pictures).astype(np.uint8)


def test_every_copy_of_different_pictures_is_found_and_nothing_besides(
    scenes: NDArray[np.uint8],
) -> None:
    table = planted.copies(scenes, HASH_DISTANCE)
    assert list(table) == planted.COLUMNS
    assert table["planted"].tolist() == list(planted.ALTERATIONS)
    assert table["number"].eq(12).all()
    assert table["found"].eq(12).all()
    assert table["besides"].eq(0).all()


def test_too_strict_a_threshold_is_seen_to_miss_copies(scenes: NDArray[np.uint8]) -> None:
    counts = planted.copies(scenes, 0).set_index("planted")["found"]
    assert counts["copy mirrored"] == 12  # the same bits
    assert counts["copy cropped by 5 %"] == 0


def test_pictures_that_are_alike_count_besides(scenes: NDArray[np.uint8]) -> None:
    """Two rows hold the same picture, so that a copy of each is near the other as well."""
    table = planted.copies(scenes[[0, 0, 1]], HASH_DISTANCE)
    assert table["found"].eq(3).all()
    assert table["besides"].eq(2).all()


def test_of_many_pictures_some_are_copied_each_once_and_in_order() -> None:
    rows = planted.drawn(10_000, seed=0)
    assert len(rows) == planted.COPIED
    assert (np.diff(rows) > 0).all()
    assert 0 <= rows[0] < 1000
    assert 9000 < rows[-1] < 10_000
    assert planted.drawn(12, seed=0).tolist() == list(range(12))


@pytest.mark.parametrize("classes", [2, 3])
def test_labels_turned_among_distant_classes_are_found(classes: int) -> None:
    features, labels = clouds(classes, 200)
    groups, none = np.arange(len(labels)), np.empty(0, np.int64)
    before = labels.copy()
    table = planted.turned_labels(features, labels, groups, none, FIVE, seed=0)
    assert (labels == before).all()
    (row,) = table.to_dict("records")
    assert row["number"] == 4 * classes  # 2 %
    assert row["found"] >= 0.7 * row["number"]  # how many there are is estimated, too
    assert row["besides"] == 0


def test_in_features_that_tell_nothing_turned_labels_stay_hidden() -> None:
    """Then a find is chance: the turned are suspected no more often than all the rest."""
    features = np.random.default_rng(0).normal(0, 1, (2000, 4))
    labels = np.arange(2000) % 2
    table = planted.turned_labels(
        features, labels, np.arange(2000), np.empty(0, np.int64), FIVE, seed=0
    )
    row = table.iloc[0]
    share = row["besides"] / (2000 - row["number"])
    assert abs(row["found"] / row["number"] - share) < 4 * np.sqrt(0.25 / row["number"])


def test_labels_suspected_as_they_are_are_neither_turned_nor_counted() -> None:
    features, labels = clouds(2, 200)
    labels[[3, 250]] = [1, 0]
    groups = np.arange(400)
    table = planted.turned_labels(features, labels, groups, np.array([3, 250]), FIVE, seed=0)
    assert table["besides"].item() == 0
    table = planted.turned_labels(features, labels, groups, np.empty(0, np.int64), FIVE, seed=0)
    assert table["besides"].item() in {1, 2}  # how many there are is estimated, too


def test_where_no_label_can_be_judged_none_is_found() -> None:
    """All pictures are copies of one another: no fit can leave a group out."""
    features, labels = clouds(2, 50)
    one = np.zeros(100, np.int64)
    table = planted.turned_labels(features, labels, one, np.empty(0, np.int64), FIVE, seed=0)
    assert table.to_numpy().tolist() == [["label turned", 2, 0, 0]]


@pytest.mark.parametrize("labels", [[0, 1], [0, 0, 1, 2], [4, 4, 4, 7, 7, 7], [0] * 30 + [5] * 30])
def test_labels_of_tiny_sets_are_turned_into_others_of_the_set(labels: list[int]) -> None:
    array, none = np.array(labels), np.empty(0, np.int64)
    features = np.random.default_rng(0).normal(0, 1, (len(labels), 8)) + 6 * np.eye(8)[labels]
    groups = np.arange(len(labels))
    table = planted.turned_labels(features, array, groups, none, FIVE, seed=0)
    (row,) = table.to_dict("records")
    assert row["number"] == round(0.02 * len(labels))
    assert row["found"] <= row["number"]


@pytest.mark.parametrize("count", [1, 2])
def test_one_picture_is_enough_to_plant_copies(scenes: NDArray[np.uint8], count: int) -> None:
    table = planted.copies(scenes[:count], HASH_DISTANCE)
    assert table["number"].eq(count).all()
    assert table["found"].eq(count).all()
