"""Fine-tuning of one block of VGG16, and of more and more of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ladder.experiments import on_base, plan
from ladder.networks import models, training
from ladder.networks.runtime import keras

Inputs = Mapping[str, NDArray[Any]]  # by layer, whose output it is; PIXELS: the pictures
PIXELS = "pixels"


def entrance(first: str) -> str:
    """Returns the layer whose output enters the network at a layer of `plan.FIRST_LAYERS`."""
    if first == on_base.HEAD:
        return on_base.OUTPUT
    number = int(first.removeprefix("block").partition("_")[0])
    return plan.BLOCK_NAMES[number - 2] if number > 1 else PIXELS


def inputs(network: keras.Model, images: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    """Returns what enters at every layer of `plan.FIRST_LAYERS` for pictures (n, S, S, 3)."""
    layers = [entrance(first) for first in plan.FIRST_LAYERS.values()]
    stored = [layer for layer in layers if layer != PIXELS]
    maps = on_base.outputs(models.between(network, stored), images)
    return {PIXELS: images, **dict(zip(stored, maps, strict=True))}


def of_seed(
    seed: int,
    network: keras.Model,
    train: Inputs,
    labels: NDArray[np.uint8],
    test: Inputs,
    test_labels: NDArray[np.uint8],
    head: plan.Fit,
    fit: plan.Fit,
) -> dict[str, NDArray[Any]]:
    """Returns for each of `plan.FIRST_LAYERS` which test pictures are right, and what it costs.

    <name>_right (n,); <name>_seconds, of an epoch; <name>_parameters, that are trained. The head of
    `network` is fresh, and is trained first; "head" trains it for as long again, as the others do
    with more.
    """
    start = on_base.OUTPUT
    on_base.train(
        network, on_base.HEAD, start, training.unchanged(train[start]), labels, head, seed
    )
    trained = network.get_weights()
    results: dict[str, NDArray[Any]] = {}
    for name, first in plan.FIRST_LAYERS.items():
        network.set_weights(trained)
        layer = entrance(first)
        fed = training.unchanged(train[layer])
        seconds = on_base.train(network, first, layer, fed, labels, fit, seed)
        part = on_base.part_from(network, layer)
        results |= {
            f"{name}_right": on_base.right(part, test[layer], test_labels),
            f"{name}_seconds": np.array(seconds),
            f"{name}_parameters": np.array(models.trainable_parameters(network)),
        }
    return results
