"""VGG16 (Simonyan and Zisserman 2015) as numbers."""

import numpy as np

from benchmarks.workers.networks.layers import Convolution, Draw, Layer, MaxPooling, Relu
from benchmarks.workers.networks.network import Network

# Filters of the convolutions of each block, all 3 × 3. A max pooling ends a block.
BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


def layers() -> list[Layer]:
    """Returns all layers, the same in every process."""
    draw, channels = Draw(), 3
    stack: list[Layer] = []
    for block in BLOCKS:
        for filters in block:
            bias = np.zeros(filters, np.float32)
            stack += [Convolution(draw.kernel(3, channels, filters), bias), Relu()]
            channels = filters
        stack.append(MaxPooling())
    return stack


# The parameters are those of the book's summary (DLwP 5.3.1), the pixels those of its pictures.
NETWORK = Network(layers, image_size=150, parameters=14_714_688)
