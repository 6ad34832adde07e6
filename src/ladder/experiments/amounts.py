"""The convnet of DLwP 5.2 for small pictures, on more and more of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ladder import settings
from ladder.experiments import animals, on_base, plan
from ladder.networks import training
from ladder.networks.runtime import keras


def convnet(dropout: float) -> keras.Model:
    """Returns the convnet of DLwP 5.2.3 less its last convolution: (n, 32, 32, 3) → (n, 1).

    Pictures of 32 pixels have no room for a fourth one. Dropout stands where it does in 5.2.5.
    """
    layers = keras.layers
    pixels = keras.Input((animals.SIZE, animals.SIZE, 3), name="pixels")
    x = layers.Rescaling(1 / 255, dtype="float32")(pixels)
    for filters in (32, 64, 128):
        x = layers.Conv2D(filters, 3, activation="relu")(x)
        x = layers.MaxPooling2D()(x)
    x = layers.Flatten()(x)
    x = layers.Dropout(dropout)(x)
    x = layers.Dense(512, activation="relu")(x)
    outputs = layers.Dense(1, activation="sigmoid", dtype="float32", name="probabilities")(x)
    return keras.Model(pixels, outputs, name="convnet")


def train(
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    parameters: plan.Amounts,
    seed: int,
    ranges: settings.Ranges | None,
) -> keras.Model:
    """Returns a trained convnet; with `ranges` it sees a fresh view of a picture in every epoch."""
    keras.utils.set_random_seed(seed)
    model = convnet(parameters.dropout)
    inputs = training.augmented(images, ranges, seed) if ranges else training.unchanged(images)
    batches = training.Batches(inputs, labels.astype(np.int64), parameters.batch_size, seed)
    fit = parameters.on(len(images))
    training.fit_first(model, batches, fit.epochs, fit)
    return model


@dataclass(frozen=True)
class Pictures:
    """Pictures of 32 pixels (n, 32, 32, 3), the base's features of them, and labels (n,)."""

    images: NDArray[np.uint8]
    features: NDArray[np.float16]
    labels: NDArray[np.uint8]

    def first(self, count: int) -> "Pictures":
        """Returns the first so many, of which half are cats."""
        return Pictures(self.images[:count], self.features[:count], self.labels[:count])


def of_seed(
    seed: int,
    train_pictures: Pictures,
    test: Pictures,
    network: keras.Model,
    parameters: plan.Amounts,
    ranges: settings.Ranges,
    heads: plan.Heads,
) -> dict[str, NDArray[np.bool_]]:
    """Returns which test pictures are right (n,), by way of training, on these train pictures.

    as_they_are and augmented are the convnet; head is that of `network`, VGG16 with a fresh head,
    on its features.
    """
    images, labels = train_pictures.images, train_pictures.labels
    plain = train(images, labels, parameters, seed, ranges=None)
    augmented = train(images, labels, parameters, seed, ranges)
    inputs = training.unchanged(train_pictures.features)
    layer = on_base.OUTPUT
    fit = parameters.head_on(len(images), heads)
    on_base.train(network, on_base.HEAD, layer, inputs, labels, fit, seed)
    head = on_base.part_from(network, layer)
    return {
        "as_they_are": on_base.right(plain, test.images, test.labels),
        "augmented": on_base.right(augmented, test.images, test.labels),
        "head": on_base.right(head, test.features, test.labels),
    }
