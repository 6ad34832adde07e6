"""A small network and pictures for it, of random numbers that are the same every time."""

import numpy as np
from numpy.typing import NDArray

from ladder.networks import models
from ladder.networks.runtime import keras

SIZE = 96  # a last convolution of 6 x 6


def convnet(classes: int) -> keras.Model:
    """Returns the untrained convnet of rung 1."""
    keras.utils.set_random_seed(3)
    description = models.Description(
        rung="scratch",
        image_size=SIZE,
        class_names=[f"kind{number}" for number in range(classes)],
        dropout=0.0,
        base=None,
        fed="images",
    )
    return models.build(description)


def drawn(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, SIZE, SIZE, 3), np.uint8)
