import numpy as np
import pytest

from convnets import convnet, drawn
from ladder.evidence import interpretation, looks, selection
from ladder.page import grids


def test_of_many_classes_there_are_the_heatmaps_that_are_looked_at_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(interpretation, "HEATMAP_BATCH_SIZE", 2)
    model, images, labels = convnet(6), drawn(3), np.array([1, 5, 0])
    probabilities = np.random.default_rng(1).dirichlet(np.ones(6), 3)
    every = interpretation.heatmaps(model, images)
    received = looks.heatmaps(model, images, labels, probabilities)
    assert list(received) == list(every)
    pairs = selection.looked_at(labels, probabilities)
    for method, maps in received.items():
        assert maps.shape == every[method].shape
        assert maps.dtype == every[method].dtype
        for heatmaps, expected, pair in zip(maps, every[method], pairs, strict=True):
            np.testing.assert_allclose(heatmaps[pair], expected[pair], atol=1e-5)
            assert expected[pair].any()
            assert not np.delete(heatmaps, pair, axis=0).any()


@pytest.mark.parametrize("classes", [2, 4])
def test_of_few_classes_there_are_all(classes: int) -> None:
    model, images, labels = convnet(classes), drawn(2), np.array([1, 0])
    every = interpretation.heatmaps(model, images)
    received = looks.heatmaps(model, images, labels, np.full((2, classes), 1 / classes))
    for method, maps in every.items():
        np.testing.assert_array_equal(received[method], maps)


def test_looked_at_is_what_the_page_shows() -> None:
    assert looks.MOST_CLASSES == grids.MOST_CLASSES
    random = np.random.default_rng(0)
    probabilities, labels = random.dirichlet(np.ones(7), 50), random.integers(0, 7, 50)
    before = probabilities.copy()
    pairs = selection.looked_at(labels, probabilities)
    shown = [grids.looked_for(int(label), each) for label, each in zip(labels, before, strict=True)]
    assert pairs.tolist() == shown
    assert (pairs == before.argmax(axis=1)[:, None]).any(axis=1).all()  # what it is taken for
    np.testing.assert_array_equal(probabilities, before)
