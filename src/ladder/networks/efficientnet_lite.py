"""EfficientNet-Lite (Liu 2020, after Tan and Le 2019): without its classifier, for `bases`."""

import dataclasses
import functools
import math
from collections.abc import Callable
from typing import Any

from ladder.networks.runtime import keras

EPSILON = 1e-3  # of the batch normalisations


@dataclasses.dataclass(frozen=True)
class Stage:
    """Inverted residual blocks one after another, of which the first may halve the size."""

    repeats: int
    kernel: int
    stride: int  # of the first block
    expansion: int  # of the channels, within a block
    filters: int


STAGES = (  # of Lite0, which the others scale
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
STEM, TOP = 32, 1280  # of every width
DIVISOR = 8  # of the filters of a stage


def scaled(width: float, depth: float) -> tuple[Stage, ...]:
    """Returns Lite0's stages with more filters and more blocks (Tan and Le 2019).

    Filters are rounded to the nearest multiple of eight, upwards where that would take a tenth of
    them; the first and the last stage keep their one block.
    """
    return tuple(
        dataclasses.replace(
            stage,
            filters=_rounded(stage.filters * width),
            repeats=math.ceil(stage.repeats * depth) if stage.repeats > 1 else 1,
        )
        for stage in STAGES
    )


def _rounded(filters: float) -> int:
    nearest = max(DIVISOR, int(filters + DIVISOR / 2) // DIVISOR * DIVISOR)
    return nearest if nearest >= 0.9 * filters else nearest + DIVISOR


def builder(width: float, depth: float) -> Callable[..., keras.Model]:
    """Returns a function that builds a base of this width and depth; see `build`."""
    return functools.partial(build, scaled(width, depth))


def build(
    stages: tuple[Stage, ...], input_tensor: Any, include_top: bool, weights: None, pooling: str
) -> keras.Model:
    """Returns the base with random weights: pixels in about [-1, 1] → pooled features (n, 1280).

    Its arguments are those of the builders of `keras.applications`, as far as `bases` uses them.

    Raises:
        ValueError: it is asked for with a classifier, weights, or without pooling.
    """
    if include_top or weights is not None or pooling != "avg":
        raise ValueError("expected no classifier, no weights and average pooling")
    x = _normalized(_convolution(input_tensor, STEM, 3, 2, "stem"), "stem_bn", "stem_activation")
    for number, stage in enumerate(stages, 1):
        for i in range(stage.repeats):
            stride = stage.stride if i == 0 else 1
            x = _block(x, stage, stride, f"block{number}{'abcde'[i]}")
    x = _normalized(_convolution(x, TOP, 1, 1, "top"), "top_bn", "top_activation")
    x = keras.layers.GlobalAveragePooling2D(name="avg_pool")(x)
    return keras.Model(keras.utils.get_source_inputs(input_tensor), x)


def _block(inputs: Any, stage: Stage, stride: int, name: str) -> Any:
    """An inverted residual block (Sandler et al. 2018): wide within, without squeeze."""
    channels, x = inputs.shape[-1], inputs
    if stage.expansion > 1:
        x = _convolution(x, channels * stage.expansion, 1, 1, f"{name}_expand")
        x = _normalized(x, f"{name}_expand_bn", f"{name}_expand_activation")
    x = keras.layers.DepthwiseConv2D(
        stage.kernel, stride, padding="same", use_bias=False, name=f"{name}_dwconv"
    )(x)
    x = _normalized(x, f"{name}_bn", f"{name}_activation")
    x = _convolution(x, stage.filters, 1, 1, f"{name}_project")
    x = keras.layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_project_bn")(x)
    if stride == 1 and channels == stage.filters:
        x = keras.layers.Add(name=f"{name}_add")([inputs, x])
    return x


def _convolution(x: Any, filters: int, kernel: int, stride: int, name: str) -> Any:
    """Padded as TensorFlow pads: of an odd number of pixels the larger part after."""
    return keras.layers.Conv2D(
        filters, kernel, stride, padding="same", use_bias=False, name=f"{name}_conv"
    )(x)


def _normalized(x: Any, normalization: str, activation: str) -> Any:
    x = keras.layers.BatchNormalization(epsilon=EPSILON, name=normalization)(x)
    return keras.layers.ReLU(6.0, name=activation)(x)
