"""The networks of chapter 5: built, cut, frozen, written and read; raw pixels → probabilities."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ladder import artifacts, errors, paths, rungs, settings
from ladder.networks import bases
from ladder.networks.runtime import keras


class Description(settings.Section):
    """How to build a rung's model; stored as JSON next to the weights."""

    rung: rungs.Rung
    image_size: int
    class_names: list[str]
    dropout: float
    base: settings.BuiltBase | None  # None: the convnet from scratch
    fed: paths.Inputs  # its input in training and in prediction: see `part_fed`


def build(description: Description) -> keras.Model:
    """Returns the rung's model with random weights: (n, S, S, 3) in [0, 255] → probabilities.

    (n, 1), of the second class, for two classes, else (n, k); float32. One flat graph.
    """
    size = description.image_size
    pixels = keras.Input((size, size, 3), name="pixels")
    if description.base is None:
        outputs = _convnet(pixels, description.dropout, len(description.class_names))
    else:
        features = bases.extend(pixels, description.base)
        outputs = _head(features, description.dropout, len(description.class_names))
    return keras.Model(pixels, outputs, name=description.rung)


def _convnet(pixels: Any, dropout: float, classes: int) -> Any:
    """The convnet of DLwP 5.2.3, with the dropout of 5.2.5 where it is not 0."""
    layers = keras.layers
    x = layers.Rescaling(1 / 255, dtype="float32", name="preprocessing")(pixels)
    for i, filters in enumerate((32, 64, 128, 128), 1):
        x = layers.Conv2D(filters, 3, activation="relu", name=f"conv{i}")(x)
        x = layers.MaxPooling2D(name=f"pool{i}")(x)
    x = layers.Flatten(name="flatten")(x)
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Dense(512, activation="relu", name="dense")(x)
    return _probabilities(x, classes)


def _head(features: Any, dropout: float, classes: int) -> Any:
    """The dense head of DLwP 5.3.1."""
    layers = keras.layers
    x = layers.Flatten(name="flatten")(features)
    x = layers.Dense(256, activation="relu", name="dense")(x)
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    return _probabilities(x, classes)


def _probabilities(x: Any, classes: int) -> Any:
    units, activation = (1, "sigmoid") if classes == 2 else (classes, "softmax")
    layer = keras.layers.Dense(units, activation=activation, dtype="float32", name="probabilities")
    return layer(x)


def pixels_to_features(base: settings.BuiltBase, image_size: int, weights: Path) -> keras.Model:
    """Returns the base with its weights: (n, S, S, 3) in [0, 255] → features."""
    pixels = keras.Input((image_size, image_size, 3), name="pixels")
    model = keras.Model(pixels, bases.extend(pixels, base))
    load_base(model, base, weights)
    return model


def load_base(model: keras.Model, base: settings.BuiltBase, weights: Path) -> None:
    """Sets the weights of the model's layers that are the base's, by their names.

    Raises:
        InputError: the file is cut, or of another network.
    """
    source, names = bases.build(base.name), {layer.name for layer in model.layers}
    _load(source, weights)
    for layer in source.layers:
        if layer.weights and layer.name in names:  # what follows the base's output is not there
            model.get_layer(layer.name).set_weights(layer.get_weights())


def between(model: keras.Model, ends: Iterable[str]) -> keras.Model:
    """Returns the part from the pixels to the outputs of the layers `ends`, sharing its layers.

    Raises:
        InputError: there is no such layer.
    """
    for end in ends:
        bases.check_layer(model, end)
    return keras.Model(model.input, [model.get_layer(end).output for end in ends])


def part_fed(model: keras.Model, description: Description) -> keras.Model:
    """Returns the part of a rung's model that takes what its training was fed.

    That is the whole model for images, else what follows the base or the cut, whose outputs are
    stored as features or activations. It shares its layers with the model.

    Raises:
        InputError: the base has no such layer as the cut.
        ValueError: a convnet from scratch is fed something else than images.
    """
    if description.fed == "images":
        return model
    if description.base is None:
        raise ValueError(f"expected images for a convnet from scratch, received {description.fed}")
    features = bases.features(description.base)
    return tail(model, features if description.fed == "features" else description.base.cut)


def tail(model: keras.Model, start: str) -> keras.Model:
    """Returns the part from layer `start`'s output to the probabilities.

    It shares its layers with `model`: what trains the part trains the model.

    Raises:
        InputError: there is no such layer.
    """
    bases.check_layer(model, start)
    return keras.Model(model.get_layer(start).output, model.output, name=f"{model.name}_tail")


def enlarge(smaller: keras.Model, model: keras.Model) -> None:
    """Sets the weights of a convnet from scratch to those that a smaller one has learned.

    Smaller are the pictures alone. The dense layer has a weight for every place of the last maps:
    it is resampled to the larger maps (bilinear), and divided by the growth of their number.
    """
    for layer in smaller.layers:
        weights = layer.get_weights()
        if layer.name == "dense":
            places = [maps.get_layer("flatten").input.shape[1:] for maps in (smaller, model)]
            weights[0] = _resampled(weights[0], *places)
        model.get_layer(layer.name).set_weights(weights)


def _resampled(
    kernel: NDArray[np.float32], smaller: tuple[int, int, int], larger: tuple[int, int, int]
) -> NDArray[np.float32]:
    """Returns a dense layer's kernel (H * W * channels, units) for larger maps."""
    units = kernel.shape[1]
    maps = kernel.reshape(1, *smaller[:2], -1)  # channels and units together
    resized = keras.ops.image.resize(maps, larger[:2], data_format="channels_last")
    growth = math.prod(larger) / math.prod(smaller)
    flat: NDArray[np.float32] = keras.ops.convert_to_numpy(resized).reshape(-1, units)
    return flat / np.float32(growth)


def freeze(model: keras.Model, unfreeze_from: str) -> None:
    """Makes the layers from `unfreeze_from` on trainable, and those before it not.

    Batch normalisations stay frozen, so that they go on with the statistics of the base's own
    pictures, in training as in prediction. Compile afterwards: Keras fixes what it trains when it
    compiles.

    Raises:
        InputError: there is no such layer.
    """
    bases.check_layer(model, unfreeze_from)
    trainable = False
    for layer in model.layers:
        trainable = trainable or layer.name == unfreeze_from
        layer.trainable = trainable and not isinstance(layer, keras.layers.BatchNormalization)


def unfrozen_from(model: keras.Model, description: Description, unfreeze_from: str) -> str:
    """Returns the name of the first layer to train: for `auto` the one that follows the cut.

    Raises:
        ValueError: `auto` of a convnet from scratch, which has no cut.
    """
    if unfreeze_from != settings.AUTO:
        return unfreeze_from
    if description.base is None:
        raise ValueError("expected a layer of the convnet from scratch, received auto")
    names: list[str] = [layer.name for layer in model.layers]
    return names[names.index(description.base.cut) + 1]


def trainable_parameters(model: keras.Model) -> int:
    """Returns how many numbers training may change."""
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


def rebuild(model: keras.Model, description: Description) -> keras.Model:
    """Returns the model freshly built and never compiled, with the same weights.

    Written from it, weights have the same bytes every time.
    """
    fresh = build(description)
    fresh.set_weights(model.get_weights())
    return fresh


def write(model: keras.Model, path: Path) -> None:
    """Writes the weights alone; the description is a file of its own."""
    with artifacts.whole(path) as temporary:
        model.save_weights(temporary)


def read(weights: Path, description: Description) -> keras.Model:
    """Returns a written model: our own architecture, so that no foreign code runs.

    Raises:
        InputError: the file is cut, or of another network.
    """
    model = build(description)
    _load(model, weights)
    return model


def _load(model: keras.Model, weights: Path) -> None:
    try:
        model.load_weights(weights)
    except (OSError, ValueError) as error:
        raise errors.InputError(
            str(weights),
            expected=f"a whole .weights.h5 of {model.name}",
            received=str(error).partition("\n")[0],
            advice="Delete it and run `dvc repro` again.",
        ) from error
