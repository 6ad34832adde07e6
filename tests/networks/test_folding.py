"""The same function with fewer layers that compute: against the network as it is."""

import numpy as np
import pytest

from ladder import base_names, settings
from ladder.networks import bases, folding, weights
from ladder.networks.runtime import keras

RANDOM = np.random.default_rng(0)


def draw_statistics(model: keras.Model) -> None:
    """Gives every normalisation statistics that change what it gives."""
    for layer in normalizations(model):
        layer.set_weights([RANDOM.uniform(0.8, 1.2, w.shape) for w in layer.get_weights()])


def normalizations(model: keras.Model) -> list[keras.layers.Layer]:
    kind = keras.layers.BatchNormalization
    return [layer for layer in model.layers if isinstance(layer, kind)]


@pytest.mark.parametrize("name", base_names.BASES)
def test_every_base_gives_the_same(name: str) -> None:
    size = base_names.BASES[name].smallest_size
    about = settings.BuiltBase(name=name, weights="none", preprocessing="imagenet", cut="")
    pixels = keras.Input((size, size, 3), name="pixels")
    model = keras.Model(pixels, bases.extend(pixels, about))
    weights.draw(model, 0)
    draw_statistics(model)
    before = model.get_weights()
    folded = folding.fold(model)
    images = RANDOM.integers(0, 256, (2, size, size, 3)).astype(np.float32)
    expected, received = (m(images, training=False).numpy() for m in (model, folded))
    assert np.ptp(expected) > 0
    np.testing.assert_allclose(received, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())
    assert normalizations(folded) == []
    assert [layer.name for layer in folded.layers] == [layer.name for layer in model.layers]
    for ours, theirs in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)  # nothing is shared


def test_a_convolution_with_a_bias_keeps_it() -> None:
    pixels = keras.Input((6, 6, 3))
    x = keras.layers.Conv2D(4, 3, bias_initializer="ones")(pixels)
    model = keras.Model(pixels, keras.layers.BatchNormalization(scale=False, center=False)(x))
    draw_statistics(model)
    folded = folding.fold(model)
    images = RANDOM.normal(size=(2, 6, 6, 3)).astype(np.float32)
    np.testing.assert_allclose(folded(images), model(images, training=False), rtol=1e-4, atol=1e-5)
    assert normalizations(folded) == []


def test_a_normalisation_stays_whose_convolution_is_used_elsewhere_or_bent() -> None:
    pixels = keras.Input((6, 6, 3))
    used_twice = keras.layers.Conv2D(4, 3, name="used_twice")(pixels)
    one = keras.layers.BatchNormalization(name="one")(used_twice)
    bent = keras.layers.Conv2D(4, 3, activation="relu")(pixels)
    two = keras.layers.BatchNormalization(name="two")(bent)
    straight = keras.layers.BatchNormalization()(keras.layers.Conv2D(4, 3)(pixels))
    model = keras.Model(pixels, keras.layers.Add()([one, used_twice, two, straight]))
    draw_statistics(model)
    folded = folding.fold(model)
    assert [layer.name for layer in normalizations(folded)] == ["one", "two"]
    images = RANDOM.normal(size=(2, 6, 6, 3)).astype(np.float32)
    np.testing.assert_allclose(folded(images), model(images, training=False), rtol=1e-4, atol=1e-5)


def test_a_network_without_normalisations_is_left_as_it_is() -> None:
    model = bases.build("vgg16")
    assert folding.fold(model) is model
