"""Networks for digits: the convnet of DLwP 5.1, a dense one, other ways to shrink maps."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ladder.experiments import plan
from ladder.networks import rung_models, training
from ladder.networks.runtime import keras, tf

SIZE, CLASSES = 28, 10
FILTERS = (32, 64, 64)  # of the three convolutions, each 3 x 3
Pooling = Literal["max", "average", "strides", "none"]
POOLINGS: tuple[Pooling, ...] = ("max", "average", "strides", "none")
Padding = Literal["valid", "same"]
# Size of the maps, padding and strides of the 3 x 3 convolutions that DLwP 5.1.1 speaks of.
CONVOLUTIONS: tuple[tuple[int, Padding, int], ...] = (
    (5, "valid", 1),
    (5, "same", 1),
    (28, "valid", 1),
    (28, "same", 1),
    (5, "valid", 2),
)
DIRECTIONS = ((0, 1), (0, -1), (1, 0), (-1, 0))  # rows and columns to shift by


def convnet(pooling: Pooling = "max", units: int = 64) -> keras.Model:
    """Returns the convnet of DLwP 5.1: (n, 28, 28) uint8 digits → (n, 10) probabilities.

    With max pooling and 64 units it is the book's. `pooling` says what follows the first two
    convolutions: a pooling of 2 x 2, a stride of 2 in the convolution itself, or nothing.
    """
    layers = keras.layers
    pixels = keras.Input((SIZE, SIZE), name="pixels")
    x = layers.Reshape((SIZE, SIZE, 1))(layers.Rescaling(1 / 255)(pixels))
    for number, filters in enumerate(FILTERS, 1):
        is_last = number == len(FILTERS)
        strides = 2 if pooling == "strides" and not is_last else 1
        x = layers.Conv2D(filters, 3, strides, activation="relu", name=f"conv{number}")(x)
        if pooling == "max" and not is_last:
            x = layers.MaxPooling2D(2)(x)
        elif pooling == "average" and not is_last:
            x = layers.AveragePooling2D(2)(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(units, activation="relu", name="dense")(x)
    outputs = layers.Dense(CLASSES, activation="softmax", name="probabilities")(x)
    return keras.Model(pixels, outputs, name=f"convnet-{pooling}")


def dense(units: int) -> keras.Model:
    """Returns the network of DLwP 2.1: (n, 28, 28) uint8 digits → (n, 10) probabilities."""
    layers = keras.layers
    pixels = keras.Input((SIZE, SIZE), name="pixels")
    x = layers.Flatten()(layers.Rescaling(1 / 255)(pixels))
    x = layers.Dense(units, activation="relu")(x)
    outputs = layers.Dense(CLASSES, activation="softmax", name="probabilities")(x)
    return keras.Model(pixels, outputs, name="dense")


def train(
    build: Callable[[], keras.Model],
    seed: int,
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    fit: plan.Fit,
) -> tuple[keras.Model, float]:
    """Returns a network trained with this seed, and the seconds that its training took."""
    keras.utils.set_random_seed(seed)
    model = build()
    batches = training.Batches(
        training.unchanged(images), labels.astype(np.int64), fit.batch_size, seed
    )
    history = training.fit_first(model, batches, fit.epochs, fit.constant())
    return model, float(history["seconds"].sum())


def right(
    model: keras.Model, images: NDArray[np.uint8], labels: NDArray[np.uint8]
) -> NDArray[np.bool_]:
    """Returns for each picture whether the most probable label is the true one (n,)."""
    is_right: NDArray[np.bool_] = rung_models.predict(model, images).argmax(axis=1) == labels
    return is_right


def shifted(images: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.uint8]:
    """Returns the digits (n, 28, 28) moved down and to the right, black where nothing was."""
    size = images.shape[1]
    moved = np.zeros_like(images)
    target = [slice(max(by, 0), size + min(by, 0)) for by in (rows, columns)]
    source = [slice(max(-by, 0), size + min(-by, 0)) for by in (rows, columns)]
    moved[:, target[0], target[1]] = images[:, source[0], source[1]]
    return moved


def right_when_shifted(
    model: keras.Model, images: NDArray[np.uint8], labels: NDArray[np.uint8], shifts: int
) -> NDArray[np.float32]:
    """Returns how often each picture is right, moved by 0, 1, … pixels: (1 + shifts, n).

    It is moved up, down, left and right: a number is one of 0, 1/4, 1/2, 3/4, 1.
    """
    shares = [right(model, images, labels).astype(np.float32)]
    for pixels in range(1, shifts + 1):
        moved = (shifted(images, pixels * r, pixels * c) for r, c in DIRECTIONS)
        answers = [right(model, each, labels) for each in moved]
        shares.append(np.mean(answers, axis=0, dtype=np.float32))
    return np.stack(shares)


def cut_share(images: NDArray[np.uint8], pixels: int) -> float:
    """Returns the share of the digits' light that a shift moves out of the picture."""
    moved = [shifted(images, pixels * r, pixels * c).sum(dtype=np.int64) for r, c in DIRECTIONS]
    return float(1 - np.mean(moved) / images.sum(dtype=np.int64))


def window(model: keras.Model, layer: str) -> int:
    """Returns the side of the input window that one unit of a layer sees, in pixels.

    It is measured: of noise, the pixels that have a gradient of the middle unit of all maps.
    """
    part = keras.Model(model.input, model.get_layer(layer).output)
    middle = part.output_shape[1] // 2
    pixels = tf.constant(np.random.default_rng(0).uniform(0, 255, (64, SIZE, SIZE)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        unit = tf.reduce_sum(part(pixels)[:, middle, middle])
    seen = np.abs(tape.gradient(unit, pixels).numpy()).max(axis=0) > 0
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    return int(max(np.ptp(rows), np.ptp(columns)) + 1)


def counts(pooling: Pooling) -> dict[str, int]:
    """Returns the sizes of a convnet: of the last maps, its weights, those behind 512 units.

    Keys: side (of the last maps), coefficients (numbers of a picture in them), parameters (of the
    network), dense_512 (of a dense layer of 512 units behind these maps), window (of the third
    convolution, pixels).
    """
    model, wide = convnet(pooling), convnet(pooling, units=512)
    _, side, _, channels = model.get_layer("conv3").output.shape
    return {
        "side": int(side),
        "coefficients": int(side * side * channels),
        "parameters": int(model.count_params()),
        "dense_512": int(wide.get_layer("dense").count_params()),
        "window": window(model, "conv3"),
    }


def side_after(size: int, padding: Padding, strides: int) -> int:
    """Returns the side of the maps of a 3 x 3 convolution over (size, size), as Keras makes it."""
    layer = keras.layers.Conv2D(1, 3, strides, padding)
    return int(layer.compute_output_shape((None, size, size, 1))[1])
