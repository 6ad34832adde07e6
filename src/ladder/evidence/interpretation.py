"""What the network sees: activation maps, filter patterns, heatmaps, as arrays (DLwP 5.4)."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ladder import errors
from ladder.networks import bases, models
from ladder.networks.runtime import keras, tf

with warnings.catch_warnings():
    # 2026-11: tf-keras-vis 0.8.7 asks for scipy.ndimage.interpolation, gone in SciPy 2.
    warnings.simplefilter("ignore", DeprecationWarning)
    from tf_keras_vis.gradcam import Gradcam
    from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus
    from tf_keras_vis.utils.model_modifiers import ReplaceToLinear

# Selvaraju et al. 2017; Chattopadhay et al. 2018.
METHODS = {"grad_cam": Gradcam, "grad_cam_plus_plus": GradcamPlusPlus}

MAPPED = (keras.layers.Conv2D, keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)
HEATMAP_BATCH_SIZE = 10  # changes only memory and speed
LEAK = 0.01
STEP = 1.0  # pixel values, as the book's, of an image's root mean square per step of ascent


def activation_maps(
    model: keras.Model, image: NDArray[np.uint8], names: Sequence[str] = ()
) -> dict[str, NDArray[np.float32]]:
    """Returns what layers give for one image (S, S, 3): every convolution and pooling layer.

    Or those that are named. By the layer's name, in their order: (height, width, channels)
    (DLwP 5.4.1).

    Raises:
        InputError: the model has no convolution, or no such layer.
    """
    last_convolution(model)
    names = names or [layer.name for layer in model.layers if isinstance(layer, MAPPED)]
    outputs = keras.tree.flatten(models.between(model, names).predict_on_batch(image[None]))
    return {name: output[0] for name, output in zip(names, outputs, strict=True)}


def last_convolution(model: keras.Model) -> str:
    """Returns the name of the last convolution layer.

    Raises:
        InputError: the model has none.
    """
    name: str = _convolutions(model)[-1].name
    return name


def mapped_layer(model: keras.Model) -> str:
    """Returns the name of the layer whose places heatmaps are of.

    That is the one whose output is averaged over the picture at the end, through which everything
    flows; where nothing is averaged, the last convolution.

    Raises:
        InputError: the model has no convolution.
    """
    pools = [x for x in model.layers if isinstance(x, keras.layers.GlobalAveragePooling2D)]
    averaged = [layer.name for layer in model.layers if pools and layer.output is pools[-1].input]
    return averaged[0] if averaged else last_convolution(model)


def first_kernels(model: keras.Model) -> NDArray[np.float32]:
    """Returns the first convolution's kernels (filters, height, width, channels).

    Raises:
        InputError: the model has no convolution.
    """
    kernels: NDArray[np.float32] = _convolutions(model)[0].get_weights()[0]
    return np.moveaxis(kernels, -1, 0)


def _convolutions(model: keras.Model) -> list[keras.layers.Layer]:
    convolutions = bases.convolutions(model)
    if not convolutions:
        raise errors.InputError(
            f"interpretation of {model.name}",
            expected="a model with a convolution, where it looks at parts of a picture",
            received=f"layers {', '.join(layer.name for layer in model.layers)}",
            advice="Choose another rung.",
        )
    return convolutions


def blank_share(maps: NDArray[np.float32]) -> float:
    """Returns the share of channels of (height, width, channels) that show nothing.

    That is the same number everywhere; of one pixel, 0.
    """
    pixels = maps.reshape(-1, maps.shape[-1])
    blank = pixels == 0 if len(pixels) == 1 else pixels.max(axis=0) == pixels.min(axis=0)
    return float(blank.mean())


def displayable(maps: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Returns each channel around 128 with a deviation of 64, as the book does, blank ones as 0."""
    mean, deviation = maps.mean(axis=(0, 1)), maps.std(axis=(0, 1))
    scaled = (maps - mean) / np.where(deviation, deviation, 1) * 64 + 128
    return np.where(deviation, scaled.clip(0, 255), 0).astype(np.uint8)


def filter_patterns(
    model: keras.Model, layer: str, filters: Sequence[int], steps: int, seed: int
) -> NDArray[np.uint8]:
    """Returns the images (len(filters), S, S, 3) that a convolution's filters respond to most.

    Gradient ascent in input space (DLwP 5.4.2) on each filter's mean response.

    Raises:
        InputError: the model has no such layer, or it is no convolution.
    """
    ascended = ascend(model, layer, filters, noise(model, len(filters), seed), steps)
    return to_image(ascended)


def noise(model: keras.Model, count: int, seed: int) -> NDArray[np.float32]:
    """Returns the book's start of the ascent: grey, and noise of 20 pixel values (n, S, S, 3)."""
    drawn = np.random.default_rng(seed).random((count, *model.input_shape[1:]), np.float32)
    return 128 + 20 * drawn


def ascend(
    model: keras.Model,
    layer: str,
    filters: Sequence[int],
    images: NDArray[np.float32],
    steps: int,
) -> NDArray[np.float32]:
    """Returns the images after `steps` steps up the gradient of a filter's response each."""
    respond = responses(model, layer, filters)

    def step(images: Any) -> Any:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            response = respond(images)
        gradient = tape.gradient(response, images)
        size = tf.sqrt(tf.reduce_mean(tf.square(gradient), axis=(1, 2, 3), keepdims=True))
        return images + STEP * tf.math.divide_no_nan(gradient, size)

    traced, ascended = tf.function(step), tf.constant(images)
    for _ in range(steps):
        ascended = traced(ascended)
    result: NDArray[np.float32] = ascended.numpy()
    return result


def responses(model: keras.Model, layer: str, filters: Sequence[int]) -> Callable[[Any], Any]:
    """Returns the function images (n, S, S, 3) → mean response of filters[i] to image i, (n,).

    Through a leaky ReLU, so that a filter that the first noise leaves below 0 has a gradient.

    Raises:
        InputError: the model has no such layer, or it is no convolution.
    """
    bases.check_layer(model, layer)
    convolution = model.get_layer(layer)
    if not isinstance(convolution, keras.layers.Conv2D):
        names = ", ".join(each.name for each in bases.convolutions(model))
        raise errors.InputError(
            "name of a layer",
            expected=f"a convolution: one of {names}",
            received=layer,
            advice="Correct interpretation.filter_layers in params.yaml.",
        )
    before = keras.Model(model.input, convolution.input)
    channels = tf.constant(filters)[:, None]

    def respond(images: Any) -> Any:
        maps = convolution.convolution_op(before(images), convolution.kernel)
        if convolution.use_bias:
            maps += convolution.bias
        means = tf.reduce_mean(tf.nn.leaky_relu(maps, LEAK), axis=(1, 2))
        return tf.gather(means, channels, batch_dims=1)[:, 0]

    return respond


def to_image(pixels: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Returns each image around grey with a deviation of 0.1 of the range, as the book does."""
    axes = (1, 2, 3)
    mean, deviation = pixels.mean(axes, keepdims=True), pixels.std(axes, keepdims=True)
    scaled = (pixels - mean) / (deviation + 1e-5) * 0.1 + 0.5
    image: NDArray[np.uint8] = (255 * scaled.clip(0, 1)).round().astype(np.uint8)
    return image


def heatmaps(model: keras.Model, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """Returns where a model looks for each class, by the key of the method.

    Each is (n, k, height, width) in [0, 1] over the layer of `mapped_layer`, for images
    (n, S, S, 3) and k classes; the largest value of a map is 1, of one that says nothing 0. The
    score of a class is taken before the sigmoid or softmax; with one unit, the first class is its
    negative.

    Raises:
        InputError: the model has no convolution.
    """
    layer, count = mapped_layer(model), max(2, model.output_shape[-1])
    maps: dict[str, NDArray[np.float32]] = {}
    for key, method in METHODS.items():
        look = method(model, ReplaceToLinear(), clone=True)
        batches = [
            [
                look(
                    score(number),
                    batch,
                    penultimate_layer=layer,
                    seek_penultimate_conv_layer=False,
                    expand_cam=False,
                    normalize_cam=False,
                )
                for number in range(count)
            ]
            for batch in _batches(images)
        ]
        stacked: NDArray[np.float32] = np.concatenate(
            [np.stack(batch, axis=1) for batch in batches]
        )
        peak = stacked.max(axis=(2, 3), keepdims=True)
        maps[key] = np.divide(stacked, peak, out=stacked, where=peak > 0)
    return maps


def score(label: int) -> Callable[[Any], Any]:
    """Returns the function outputs before their activation (n, 1) or (n, k) → a label's score.

    Less its own value, so that it is 0 with the same gradient: Grad-CAM++ takes its exponential,
    which a sure model would drive out of the range of float32.
    """

    def of(outputs: Any) -> Any:
        if outputs.shape[-1] == 1:
            value = outputs[:, 0] if label else -outputs[:, 0]
        else:
            value = outputs[:, label]
        return value - tf.stop_gradient(value)

    return of


def _batches(images: NDArray[np.uint8]) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(images), HEATMAP_BATCH_SIZE):
        yield images[start : start + HEATMAP_BATCH_SIZE].astype(np.float32)
