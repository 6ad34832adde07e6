"""EfficientNet-Lite0 (Liu 2020) as numbers."""

from benchmarks.workers.networks.layers import (
    AveragePooling,
    Convolution,
    Draw,
    Layer,
    Relu,
    Residual,
)
from benchmarks.workers.networks.network import Network

EPSILON, HIGHEST = 1e-3, 6.0  # of batch normalisations, of activations
STEM, TOP = 32, 1280  # channels

# Blocks: how many, kernel size, stride of the first of them, expansion of the channels, filters.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


def layers() -> list[Layer]:
    """Returns all layers, the same in every process."""
    draw, channels = Draw(), STEM
    stack = _convolution(draw, 3, 3, STEM, stride=2)
    for repeats, kernel, first_stride, expansion, filters in STAGES:
        for i in range(repeats):
            stride = first_stride if i == 0 else 1
            block = _block(draw, kernel, stride, channels, expansion * channels, filters)
            stack += [Residual(tuple(block))] if stride == 1 and channels == filters else block
            channels = filters
    return [*stack, *_convolution(draw, 1, channels, TOP), AveragePooling()]


def _block(
    draw: Draw, size: int, stride: int, inputs: int, expanded: int, filters: int
) -> list[Layer]:
    expand = _convolution(draw, 1, inputs, expanded) if expanded > inputs else []
    depthwise = Convolution(draw.depthwise_kernel(size, expanded), None, stride, depthwise=True)
    filtered: list[Layer] = [depthwise, draw.normalization(expanded, EPSILON), Relu(HIGHEST)]
    project: list[Layer] = [
        Convolution(draw.kernel(1, expanded, filters)),
        draw.normalization(filters, EPSILON),
    ]
    return [*expand, *filtered, *project]


def _convolution(draw: Draw, size: int, inputs: int, filters: int, stride: int = 1) -> list[Layer]:
    kernel = draw.kernel(size, inputs, filters)
    normalization = draw.normalization(filters, EPSILON)
    return [Convolution(kernel, None, stride), normalization, Relu(HIGHEST)]


# Its authors count 4,652,008 with the classifier of 1,000 classes, which has 1,281,000. The
# 21,008 means and 21,008 variances of its batch normalisations are not among these.
NETWORK = Network(layers, image_size=224, parameters=4_652_008 - 1_281_000 + 2 * 21_008)
