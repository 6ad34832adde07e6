import numpy as np
import pytest

from convnets import convnet, drawn
from ladder import errors
from ladder.evidence import heatmaps, interpretation
from ladder.networks.runtime import keras


@pytest.fixture(scope="module", params=[2, 3])
def model(request: pytest.FixtureRequest) -> keras.Model:
    return convnet(request.param)


@pytest.mark.parametrize("method", interpretation.METHODS)
def test_each_picture_has_the_heatmap_of_its_label(model: keras.Model, method: str) -> None:
    images, labels = drawn(4), np.array([1, 0, 1, max(2, model.output_shape[-1]) - 1])
    every = interpretation.heatmaps(model, images)[method]
    look = heatmaps.look(model, method)
    expected = every[np.arange(4), labels]
    np.testing.assert_allclose(look(images, labels), expected, atol=1e-5)
    np.testing.assert_allclose(look(images[1:2], labels[1:2]), expected[1:2], atol=1e-5)
    assert expected.any(axis=(1, 2)).sum() >= 2


def test_the_model_stays_as_it_was(model: keras.Model) -> None:
    before = model.layers[-1].activation
    heatmaps.look(model)(drawn(1), np.array([0]))
    assert model.layers[-1].activation is before


def test_a_model_without_a_convolution_is_refused() -> None:
    inputs = keras.Input((8, 8, 3))
    flat = keras.layers.Dense(1)(keras.layers.Flatten()(inputs))
    with pytest.raises(errors.InputError, match="expected a model with a convolution"):
        heatmaps.look(keras.Model(inputs, flat))
