"""Layers as numbers, for every framework to build the same network from. It needs numpy alone."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Convolution:
    """A convolution that is padded as TensorFlow pads for "same".

    Its kernel is (size, size, inputs, outputs), of a depthwise one (size, size, channels, 1).
    """

    kernel: Array
    bias: Array | None = None
    stride: int = 1
    depthwise: bool = False


@dataclass(frozen=True)
class Normalization:
    """Batch normalisation as in prediction, with fixed statistics; a number for each channel."""

    scale: Array
    offset: Array
    mean: Array
    variance: Array
    epsilon: float


@dataclass(frozen=True)
class Relu:
    """What is negative becomes 0; what is above `highest`, if there is one, becomes it."""

    highest: float | None = None


@dataclass(frozen=True)
class MaxPooling:
    """The largest of 2 × 2 places, every second place."""


@dataclass(frozen=True)
class AveragePooling:
    """The mean of all places: (n, height, width, channels) → (n, channels)."""


@dataclass(frozen=True)
class Residual:
    """Layers one after another, whose input is added to their output."""

    layers: "tuple[Layer, ...]"


Layer = Convolution | Normalization | Relu | MaxPooling | AveragePooling | Residual


def arrays(layers: Iterable[Layer]) -> list[Array]:
    """Returns all weights in the order of Keras: layer by layer, the statistics last."""
    found: list[Array] = []
    for layer in layers:
        match layer:
            case Convolution():
                found += [layer.kernel] if layer.bias is None else [layer.kernel, layer.bias]
            case Normalization():
                found += [layer.scale, layer.offset, layer.mean, layer.variance]
            case Residual():
                found += arrays(layer.layers)
    return found


def size_after(size: int, layer: Layer) -> int:
    """Returns the height, which is the width, of a layer's output for an input of `size`."""
    match layer:
        case Convolution():
            return -(-size // layer.stride)
        case MaxPooling():
            return size // 2
        case AveragePooling():
            return 1
        case Residual():
            for inner in layer.layers:
                size = size_after(size, inner)
    return size


def padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Returns how many zeros TensorFlow puts before and after `size` places for "same"."""
    zeros = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return zeros // 2, zeros - zeros // 2


class Draw:
    """Random weights, the same in every process.

    Kernels have the scale that keeps relu's variance (He et al. 2015), so that no value becomes a
    denormal number, which processors are slow with.
    """

    def __init__(self) -> None:
        self._random = np.random.default_rng(0)

    def kernel(self, size: int, inputs: int, outputs: int) -> Array:
        """Returns the kernel of a convolution, (size, size, inputs, outputs)."""
        drawn = self._random.standard_normal((size, size, inputs, outputs), np.float32)
        return drawn * np.float32(np.sqrt(2 / (size * size * inputs)))

    def depthwise_kernel(self, size: int, channels: int) -> Array:
        """Returns the kernel of a depthwise convolution, (size, size, channels, 1)."""
        return self.kernel(size, 1, channels).swapaxes(2, 3)

    def normalization(self, channels: int, epsilon: float) -> Normalization:
        """Returns statistics and factors that differ from channel to channel, and are near 0 or 1.

        A framework that mixes them up computes something else.
        """
        scale, variance = self._random.uniform(0.75, 1.25, (2, channels)).astype(np.float32)
        offset, mean = self._random.uniform(-0.25, 0.25, (2, channels)).astype(np.float32)
        return Normalization(scale, offset, mean, variance, epsilon)
