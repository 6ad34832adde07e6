"""Trains the head on stored features and looks at it after every epoch (DLwP 5.3.1)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ladder import artifacts, errors, tracking
from ladder.experiments import on_base, plan
from ladder.networks import runtime, training


def main() -> None:
    settings = plan.load()
    parameters, size = settings.heads, settings.animals.image_size
    count = settings.views.train_pictures
    runtime.start(settings.runtime_on_base, seed=None)
    arrays = artifacts.read_npz(plan.ANIMALS)
    labels = arrays["train_labels"][:count]
    model = on_base.network(0, size, parameters.dropout, plan.WEIGHTS)
    block = on_base.last_block(model)
    train = on_base.outputs(block, artifacts.read_npy(plan.activations("train"))[:count])[0]
    validation = on_base.outputs(block, artifacts.read_npy(plan.activations("validation")))[0]
    views = [on_base.outputs(block, view)[0] for view in artifacts.read_views(plan.VIEWS)]
    as_they_are, augmented = training.unchanged(train), training.cycled(views)
    ways = {
        "no_dropout": (as_they_are, 0.0),
        "dropout": (as_they_are, parameters.dropout),
        "augmented": (augmented, parameters.dropout),
    }
    results: dict[str, NDArray[Any]] = {"labels": arrays["validation_labels"]}
    for name, (inputs, dropout) in ways.items():
        probabilities, accuracies = [], []
        section = {**parameters.model_dump(), "dropout": dropout}
        for seed in range(settings.seeds):
            with tracking.experiment_run(plan.EXPERIMENT, f"head-{name}", seed, section):
                network = on_base.network(seed, size, dropout, plan.WEIGHTS)
                watched = on_base.train_and_watch(
                    network, inputs, labels, validation, parameters, seed
                )
                tracking.log_metrics({"accuracy": watched[1][-1]})
            probabilities.append(watched[0])
            accuracies.append(watched[1])
        results[name] = np.stack(probabilities)  # (seeds, epochs, pictures)
        results[f"{name}_accuracy"] = np.stack(accuracies)  # (seeds, epochs), while training
    artifacts.write_npz(plan.HEADS, results)


if __name__ == "__main__":
    errors.run(main)
