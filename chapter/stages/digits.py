"""Trains the convnet and the dense network on MNIST, and moves its test digits (DLwP 5.1)."""

import numpy as np

from ladder import artifacts, errors, tracking
from ladder.experiments import digits, plan
from ladder.networks import runtime


def main() -> None:
    settings = plan.load()
    parameters, shifts = settings.digits, settings.shifts
    runtime.start(settings.runtime, seed=None)
    arrays = artifacts.read_npz(plan.MNIST)
    train, test = (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])
    builders = {"convnet": digits.convnet, "dense": lambda: digits.dense(parameters.dense_units)}
    cut = [digits.cut_share(test[0], pixels) for pixels in range(shifts + 1)]
    results = {"cut": np.array(cut)}
    for name, build in builders.items():
        answers = []
        for seed in range(settings.seeds):
            section = {"shifts": shifts, **parameters.model_dump()}
            with tracking.experiment_run(plan.EXPERIMENT, name, seed, section):
                model, seconds = digits.train(build, seed, *train, parameters)
                right = digits.right_when_shifted(model, *test, shifts)
                tracking.log_metrics({"test_accuracy": right[0].mean(), "seconds": seconds})
            answers.append(right)
        results[name] = np.stack(answers)  # (seeds, 1 + shifts, pictures)
    artifacts.write_npz(plan.DIGITS, results)


if __name__ == "__main__":
    errors.run(main)
