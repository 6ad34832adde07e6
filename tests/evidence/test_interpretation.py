"""Against closed forms and the papers' formulas, by GradientTape and numpy alone."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ladder import errors, rungs
from ladder.evidence import interpretation
from ladder.networks import models
from ladder.networks.runtime import keras, tf

SIZE = 48
PIXELS = np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE, 3), np.uint8)


def convnet(classes: int = 2, rung: rungs.Rung = "scratch") -> keras.Model:
    names = ["cat", "dog", "eel"][:classes]
    keras.utils.set_random_seed(1)
    return models.build(
        models.Description(
            rung=rung, image_size=SIZE, class_names=names, dropout=0.5, base=None, fed="images"
        )
    )


@pytest.fixture(scope="module")
def binary() -> keras.Model:
    return convnet()


def small(*layers: Any, size: int = 4) -> keras.Model:
    """Returns a model of few layers on raw pixels."""
    pixels = x = keras.Input((size, size, 3), name="pixels")
    for layer in layers:
        x = layer(x)
    return keras.Model(pixels, x, name="small")


def test_the_convnet_has_eight_maps_each_its_layers_output(binary: keras.Model) -> None:
    maps = interpretation.activation_maps(binary, PIXELS[0])
    assert list(maps) == [f"{kind}{i}" for i in (1, 2, 3, 4) for kind in ("conv", "pool")]
    x = PIXELS[:1].astype(np.float32)
    for layer in binary.layers[1:9]:
        x = layer(x)
        if layer.name in maps:
            np.testing.assert_allclose(maps[layer.name], np.asarray(x)[0], rtol=1e-5, atol=1e-6)
    assert maps["pool1"].shape == (23, 23, 32)


def test_the_layers_that_are_named_have_their_maps_alone(binary: keras.Model) -> None:
    every = interpretation.activation_maps(binary, PIXELS[0])
    named = interpretation.activation_maps(binary, PIXELS[0], ("pool1", "conv4"))
    assert list(named) == ["pool1", "conv4"]
    np.testing.assert_array_equal(named["conv4"], every["conv4"])


def test_first_kernels_are_the_first_convolutions(binary: keras.Model) -> None:
    kernels = interpretation.first_kernels(binary)
    assert kernels.shape == (32, 3, 3, 3)
    np.testing.assert_array_equal(kernels[5], binary.get_layer("conv1").get_weights()[0][..., 5])


def test_channels_of_planted_dead_filters_are_blank() -> None:
    convolution = keras.layers.Conv2D(8, 3, activation="relu", name="convolution")
    model = small(convolution, keras.layers.MaxPooling2D(name="pool"), size=9)
    kernel = np.random.default_rng(0).normal(size=(3, 3, 3, 8)).astype(np.float32)
    bias = np.zeros(8, np.float32)
    kernel[..., :3] = 0
    bias[2] = 5  # the same everywhere, though not 0
    bias[3] = -1e6  # always off
    convolution.set_weights([kernel, bias])
    maps = interpretation.activation_maps(model, PIXELS[0, :9, :9])
    assert {name: interpretation.blank_share(each) for name, each in maps.items()} == {
        "convolution": 0.5,
        "pool": 0.5,
    }


def test_of_one_pixel_0_alone_is_blank() -> None:
    assert interpretation.blank_share(np.array([[[0, 0, 3, 0.1]]], np.float32)) == 0.5


def test_channels_are_scaled_as_in_the_book() -> None:
    maps = np.random.default_rng(0).normal(3, 7, (5, 6, 4)).astype(np.float32)
    maps[..., 2] = 7
    shown = interpretation.displayable(maps)
    for i in (0, 1, 3):
        channel = maps[..., i].astype(np.float64)  # DLwP 5.4.1, in its order
        channel -= channel.mean()
        channel /= channel.std()
        channel = np.clip(channel * 64 + 128, 0, 255)
        assert np.abs(shown[..., i] - channel).max() <= 1
    assert (shown[..., 2] == 0).all()


def by_hand(model: keras.Model, label: int) -> tuple[Any, Any, Any]:
    """Returns the last convolution's output, a label's score and its gradient there."""
    layers = [layer for layer in model.layers[1:] if "dropout" not in layer.name]
    x = tf.constant(PIXELS, tf.float32)
    for layer in layers[:8]:
        x = layer(x)
    assert layers[7].name == "conv4"
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x
        for layer in layers[8:-1]:
            y = layer(y)
        kernel, bias = layers[-1].get_weights()
        logits = y @ kernel + bias
        scores = (
            (-logits if label == 0 else logits)[:, 0] if kernel.shape[1] == 1 else logits[:, label]
        )
    return x.numpy(), scores.numpy(), tape.gradient(scores, x).numpy()


def to_peak(maps: NDArray[Any]) -> NDArray[Any]:
    positive: NDArray[Any] = np.maximum(maps, 0)
    peak = positive.max(axis=(1, 2), keepdims=True)
    peaks: NDArray[Any] = positive / np.where(peak > 0, peak, 1)
    return peaks


@pytest.mark.parametrize("classes", [2, 3])
def test_heatmaps_are_those_of_the_papers(classes: int) -> None:
    model = convnet(classes)
    heatmaps = interpretation.heatmaps(model, PIXELS)
    for label in range(classes):
        maps, scores, gradient = (each.astype(np.float64) for each in by_hand(model, label))
        weights = gradient.mean(axis=(1, 2), keepdims=True)  # Selvaraju et al. 2017, (1), (2)
        expected = to_peak((weights * maps).sum(axis=-1))
        np.testing.assert_allclose(heatmaps["grad_cam"][:, label], expected, atol=1e-4)
        # Chattopadhay et al. 2018, (19), (10), for Y = exp(S); normalised as their code does
        first = np.exp(scores)[:, None, None, None] * gradient
        second, third = first * gradient, first * gradient**2
        below = 2 * second + third * maps.sum(axis=(1, 2), keepdims=True)
        alpha = np.divide(second, below, out=np.zeros_like(second), where=second != 0)
        alpha /= alpha.sum(axis=(1, 2), keepdims=True)
        weights = (alpha * np.maximum(first, 0)).sum(axis=(1, 2), keepdims=True)
        expected = to_peak((weights * maps).sum(axis=-1))
        np.testing.assert_allclose(heatmaps["grad_cam_plus_plus"][:, label], expected, atol=1e-4)
    assert all((maps.max(axis=(1, 2, 3)) == 1).all() for maps in heatmaps.values())


def test_the_first_class_is_the_negative_of_the_second(binary: keras.Model) -> None:
    negative = keras.models.clone_model(binary)
    negative.set_weights([*binary.get_weights()[:-2], *(-w for w in binary.get_weights()[-2:])])
    heatmaps, mirrored = (interpretation.heatmaps(model, PIXELS) for model in (binary, negative))
    for method, maps in heatmaps.items():
        assert not np.allclose(maps[:, 0], maps[:, 1])
        np.testing.assert_allclose(maps[:, 0], mirrored[method][:, 1], atol=1e-5)
        np.testing.assert_allclose(maps[:, 1], mirrored[method][:, 0], atol=1e-5)


def test_heatmaps_are_of_what_is_averaged_at_the_end(binary: keras.Model) -> None:
    """Of a base with branches the last convolution is but one of them."""
    layers = keras.layers
    pixels = keras.Input((8, 8, 3))
    branches = [layers.Conv2D(2, 1, name=name)(pixels) for name in ("one", "other")]
    joined = layers.Concatenate(name="joined")(branches)
    pooled = layers.GlobalAveragePooling2D()(joined)
    model = keras.Model(pixels, layers.Dense(3)(pooled))
    assert interpretation.mapped_layer(model) == "joined"
    assert interpretation.mapped_layer(binary) == "conv4"


def test_heatmaps_leave_the_model_and_the_other_pictures_alone(binary: keras.Model) -> None:
    before = binary.predict_on_batch(PIXELS)
    together = interpretation.heatmaps(binary, np.concatenate([PIXELS] * 4))  # two batches
    alone = interpretation.heatmaps(binary, PIXELS[1:2])
    for method, maps in alone.items():
        assert maps.shape == (1, 2, 1, 1)[:2] + together[method].shape[2:]
        np.testing.assert_allclose(together[method][10:11], maps, atol=1e-4)
    np.testing.assert_array_equal(binary.predict_on_batch(PIXELS), before)


def test_a_very_sure_model_still_has_heatmaps() -> None:
    model = convnet()
    kernel, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([kernel * 1e5, bias])
    for maps in interpretation.heatmaps(model, PIXELS).values():
        assert np.isfinite(maps).all()
        np.testing.assert_array_equal(maps.max(axis=(2, 3)).max(axis=1), 1)


def test_heat_lies_where_the_reason_is() -> None:
    convolution = keras.layers.Conv2D(1, 1, name="convolution")
    dense = keras.layers.Dense(1, activation="sigmoid", name="probabilities")
    model = small(convolution, keras.layers.Flatten(), dense)
    convolution.set_weights([np.ones((1, 1, 3, 1)), np.zeros(1)])
    dense.set_weights([np.ones((16, 1)), np.zeros(1)])  # any light is a reason for the second class
    image = np.zeros((1, 4, 4, 3), np.uint8)
    image[0, 1, 3] = 200
    expected = np.zeros((4, 4))
    expected[1, 3] = 1
    for maps in interpretation.heatmaps(model, image).values():
        np.testing.assert_allclose(maps[0, 1], expected)
        np.testing.assert_array_equal(maps[0, 0], 0)  # and nothing for the first


def test_a_model_without_convolutions_is_refused() -> None:
    model = small(keras.layers.Flatten(name="flatten"), keras.layers.Dense(1, name="dense"))
    message = (
        "interpretation of small: expected a model with a convolution.*"
        r"Received: layers pixels, flatten, dense\."
    )
    for look in (interpretation.heatmaps, interpretation.activation_maps):
        with pytest.raises(errors.InputError, match=message):
            look(model, PIXELS[:, :4, :4])


def test_ascent_follows_the_gradient_of_each_filter() -> None:
    """Of a 1 × 1 convolution the gradient is its kernel at every pixel, even below its ReLU."""
    convolution = keras.layers.Conv2D(4, 1, activation="relu", name="convolution")
    model = small(convolution)
    kernel = np.random.default_rng(0).normal(size=(1, 1, 3, 4)).astype(np.float32)
    convolution.set_weights([kernel, np.full(4, -1e6, np.float32)])
    start = interpretation.noise(model, 2, seed=0)
    images = interpretation.ascend(model, "convolution", [3, 1], start, steps=5)
    for image, first, i in zip(images, start, [3, 1], strict=True):
        direction = kernel[0, 0, :, i] / np.sqrt(np.mean(kernel[0, 0, :, i] ** 2))
        np.testing.assert_allclose(
            image - first, np.broadcast_to(5 * direction, (4, 4, 3)), rtol=1e-4
        )


def test_patterns_raise_their_filters_and_repeat_with_the_seed(binary: keras.Model) -> None:
    filters = [5, 0, 7]
    start = interpretation.noise(binary, 3, seed=4)
    assert (start >= 128).all()
    assert (start < 148).all()
    end = interpretation.ascend(binary, "conv3", filters, start, steps=8)
    output = models.between(binary, ["conv3"])
    before, after = (
        np.asarray(keras.tree.flatten(output(images))[0]).mean(axis=(1, 2))
        for images in (start, end)
    )
    for i, number in enumerate(filters):
        assert after[i, number] > before[i, number]
    patterns = [
        interpretation.filter_patterns(binary, "conv3", filters, steps=8, seed=seed)
        for seed in (4, 4, 5)
    ]
    assert patterns[0].shape == (3, SIZE, SIZE, 3)
    assert patterns[0].dtype == np.uint8
    np.testing.assert_array_equal(patterns[0], patterns[1])
    np.testing.assert_array_equal(patterns[0], interpretation.to_image(end))
    assert (patterns[0] != patterns[2]).any()


def test_a_filter_that_sees_nothing_keeps_its_noise() -> None:
    convolution = keras.layers.Conv2D(1, 1, name="convolution")
    model = small(convolution)
    convolution.set_weights([np.zeros((1, 1, 3, 1)), np.zeros(1)])
    start = interpretation.noise(model, 1, seed=0)
    np.testing.assert_array_equal(
        interpretation.ascend(model, "convolution", [0], start, steps=3), start
    )


def test_patterns_are_shown_around_grey() -> None:
    pixels = np.random.default_rng(0).normal(900, 3, (2, 40, 40, 3)).astype(np.float32)
    shown = interpretation.to_image(pixels).astype(np.float64)
    np.testing.assert_allclose(shown.mean(axis=(1, 2, 3)), 127.5, atol=0.5)
    np.testing.assert_allclose(shown.std(axis=(1, 2, 3)), 25.5, atol=0.5)


@pytest.mark.parametrize(
    ("layer", "listed"),
    [
        ("conv5", "one of pixels, preprocessing, conv1, pool1, .*, probabilities"),
        ("pool1", "a convolution: one of conv1, conv2, conv3, conv4"),
    ],
)
def test_a_layer_that_has_no_filters_is_named_with_those_that_have(
    binary: keras.Model, layer: str, listed: str
) -> None:
    message = rf"expected {listed}\. Received: {layer}\. .*interpretation\.filter_layers"
    with pytest.raises(errors.InputError, match=message):
        interpretation.filter_patterns(binary, layer, [0], steps=1, seed=0)
