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
    images, labels = (array[: shifts.test_pictures] for array in test)
    builders = {"convnet": digits.convnet, "dense": lambda: digits.dense(parameters.dense_units)}
    cut = [digits.cut_share(images, pixels) for pixels in range(shifts.pixels + 1)]
    results = {"cut": np.array(cut)}
    for name, build in builders.items():
        right, right_when_shifted = [], []
        for seed in range(settings.seeds):
            with tracking.experiment_run(plan.EXPERIMENT, name, seed, parameters.model_dump()):
                model, seconds = digits.train(build, seed, *train, parameters)
                right.append(digits.right(model, *test))
                tracking.log_metrics({"test_accuracy": right[-1].mean(), "seconds": seconds})
            shifted = digits.right_when_shifted(model, images, labels, shifts.pixels)
            right_when_shifted.append(shifted)
        results[name] = np.stack(right)  # (seeds, pictures)
        results[f"{name}_shifted"] = np.stack(right_when_shifted)  # (seeds, 1 + shifts, pictures)
    artifacts.write_npz(plan.DIGITS, results)


if __name__ == "__main__":
    errors.run(main)
