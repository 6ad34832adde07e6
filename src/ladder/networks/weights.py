"""The weights of the pretrained base: where they come from, read without running foreign code."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ladder import errors, settings
from ladder.networks import bases, torch_files, unpickling, weight_files
from ladder.networks.runtime import keras

# Weights "none" are random and the same for every seed: then extraction needs no seed.
UNTRAINED_SEED = 0


class ArrayUnpickler(unpickling.StrictUnpickler):
    """Reads a pickle of plain numpy arrays."""

    expected = "a pickle of numpy arrays alone"
    admitted: ClassVar[Mapping[tuple[str, str], Any]] = {
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        **{  # what numpy itself writes for an array
            (f"numpy.{core}.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0]
            for core in ("core", "_core")
        },
    }


def load(model: keras.Model, base: settings.Base) -> None:
    """Sets the weights of the base alone, in place, to those that params.yaml names.

    Raises:
        InputError: the weights cannot be had, or are not the ones expected.
    """
    if package := weight_files.PACKAGES.get((base.name, base.weights)):
        read = load_torchvision if base.weights == "torchvision" else load_torch
        read(model, weight_files.of_package(package))
    elif base.weights_file is not None:
        load_file(model, weight_files.own(base))
    elif base.weights == "keras":
        load_keras(model)
    else:
        draw(model, UNTRAINED_SEED)


def draw(model: keras.Model, seed: int) -> None:
    """Sets kernels to random numbers of the scale that keeps relu's variance (He et al. 2015).

    Those of depthwise convolutions, of which an output has one input, keep that of no relu.
    """
    initializer = keras.initializers.HeNormal(seed=keras.random.SeedGenerator(seed))
    for weight in model.weights:
        if weight.name.endswith("kernel"):
            *size, inputs, outputs = weight.shape
            if outputs == 1:  # depthwise
                drawn = np.swapaxes(initializer((*size, 1, inputs)), -1, -2) / np.sqrt(2)
            else:
                drawn = initializer(weight.shape)
            weight.assign(drawn)


def load_torchvision(model: keras.Model, path: Path) -> None:
    """Sets VGG16's weights from torchvision's, stored as numpy arrays in order of the layers.

    Raises:
        InputError: the pickle names anything but numpy arrays.
    """
    with path.open("rb") as file:
        arrays: dict[str, NDArray[np.float32]] = _flatten(ArrayUnpickler(file).load())
    for i, layer in enumerate(bases.convolutions(model)):
        layer.set_weights([arrays[f"VGG16_0/Conv_{i}/{part}"] for part in ("kernel", "bias")])


def load_torch(model: keras.Model, path: Path) -> None:
    """Sets a base's weights from those that PyTorch wrote in the same order.

    Without the classifier's, `_fc`, and without the counts of batches. PyTorch's kernels are
    (outputs, inputs, height, width), of depthwise convolutions (channels, 1, height, width).

    Raises:
        InputError: the file is no such file, or of another network.
    """
    arrays = [
        array.transpose(2, 3, 0, 1) if "depthwise" in name else _kernel_last(array)
        for name, array in torch_files.read(path).items()
        if not name.startswith("_fc.") and not name.endswith("num_batches_tracked")
    ]
    _set(model, arrays, path)


def _kernel_last(array: NDArray[Any]) -> NDArray[Any]:
    return array.transpose(2, 3, 1, 0) if array.ndim == 4 else array


def _set(model: keras.Model, arrays: list[NDArray[Any]], path: Path) -> None:
    try:
        model.set_weights(arrays)
    except ValueError as error:
        raise _of_another_network(model, path, error) from error


def load_file(model: keras.Model, path: Path) -> None:
    """Sets the base's weights from a file of `keras.applications` without the top.

    Raises:
        InputError: the file is of another network.
    """
    try:
        model.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        raise _of_another_network(model, path, error) from error


def _of_another_network(model: keras.Model, path: Path, error: Exception) -> errors.InputError:
    return errors.InputError(
        path.name,
        expected=f"weights of {model.name} without its top",
        received=str(error).partition("\n")[0],
        advice="Correct base.name or base.weights_file.",
    )


def _flatten(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        flat |= _flatten(value, f"{name}/") if isinstance(value, dict) else {name: value}
    return flat


def load_keras(model: keras.Model) -> None:
    """Sets the base's weights from those that `keras.applications` serves.

    Raises:
        InputError: they cannot be downloaded.
    """
    try:
        model.set_weights(bases.pretrained_by_keras(model.name).get_weights())
    except Exception as error:  # Keras raises a bare Exception where its download fails
        raise errors.InputError(
            "base.weights: keras",
            expected="keras.applications to download its ImageNet weights",
            received=error,
            advice="Put the file into ~/.keras/models by hand, or name yours: base.weights_file.",
        ) from error
