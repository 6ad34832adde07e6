"""Trains the convnet with other ways to make maps smaller (DLwP 5.1.2)."""

import functools
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ladder import artifacts, errors, tracking
from ladder.experiments import digits, plan
from ladder.networks import runtime


def main() -> None:
    settings = plan.load()
    parameters = settings.pooling
    runtime.start(settings.runtime, seed=None)
    arrays = artifacts.read_npz(plan.MNIST)
    count = parameters.train_pictures
    train = arrays["x_train"][:count], arrays["y_train"][:count]
    test = arrays["x_test"], arrays["y_test"]
    results: dict[str, NDArray[Any]] = {}
    for pooling in digits.POOLINGS:
        answers, took = [], []
        for seed in range(settings.seeds):
            section = {"pooling": pooling, **parameters.model_dump()}
            with tracking.experiment_run(plan.EXPERIMENT, f"pooling-{pooling}", seed, section):
                model, seconds = digits.train(
                    functools.partial(digits.convnet, pooling), seed, *train, parameters
                )
                right = digits.right(model, *test)
                tracking.log_metrics({"test_accuracy": right.mean(), "seconds": seconds})
            answers.append(right)
            took.append(seconds)
        results |= {pooling: np.stack(answers), f"{pooling}_seconds": np.array(took)}
    artifacts.write_npz(plan.POOLING, results)
    counts = pd.DataFrame([digits.counts(pooling) for pooling in digits.POOLINGS])
    artifacts.write_csv(plan.COUNTS, counts)
    sides = [(*row, digits.side_after(*row)) for row in digits.CONVOLUTIONS]
    columns = ["size", "padding", "strides", "side"]
    artifacts.write_csv(plan.PADDING, pd.DataFrame(sides, columns=columns))


if __name__ == "__main__":
    errors.run(main)
