"""A convnet of random weights, by itself or handed over as a climb does: `models/photos`."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ladder import artifacts, paths, rungs
from ladder.networks import deployed, models
from ladder.networks.runtime import keras

SIZE = 48
NAME = "photos"
RUNGS: tuple[rungs.Rung, ...] = ("scratch", "scratch_augmented")
ACCURACY = {"accuracy": 0.9, "ci_low": 0.8, "ci_high": 0.95, "pictures": 1040}


def hand_over(class_names: Sequence[str]) -> None:
    """Writes `models/photos` below the working directory; its advised rung is `scratch`."""
    files = paths.DatasetPaths(NAME)
    for rung in RUNGS:
        description = models.Description(
            rung=rung,
            image_size=SIZE,
            class_names=[*class_names],
            dropout=0.0 if rung == "scratch" else 0.5,
            base=None,
            fed="images",
        )
        models.write(network(description), files.weights(rung))
        content = {"model": description.model_dump(), "runtime": {"policy": "float32"}}
        artifacts.write_json(files.description(rung), content)
    deployed.deploy(files, "scratch", files.model, {"test_accuracy": ACCURACY})


def convnet(*class_names: str) -> tuple[Any, models.Description]:
    """Returns a convnet that is sure of different classes, with its description."""
    description = models.Description(
        rung="scratch",
        image_size=SIZE,
        class_names=[*class_names],
        dropout=0.5,
        base=None,
        fed="images",
    )
    return network(description), description


def network(description: models.Description) -> Any:
    """Returns a convnet that is sure of different classes, for reasons in the picture."""
    keras.utils.set_random_seed(7)
    model = models.build(description)
    last = model.get_layer("probabilities")
    kernel = np.random.default_rng(1).normal(0, 5, last.kernel.shape)
    last.set_weights([kernel.astype(np.float32), np.zeros(last.bias.shape, np.float32)])
    return model
