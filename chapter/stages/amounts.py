"""Trains on more and more pictures, with augmentation and without (DLwP 5.2.1, 5.2.5)."""

import numpy as np
from numpy.typing import NDArray

from ladder import artifacts, errors, paths, tracking
from ladder.experiments import amounts, on_base, plan
from ladder.networks import runtime


def main() -> None:
    settings = plan.load()
    parameters, heads, size = settings.amounts, settings.heads, settings.animals.image_size
    runtime.start(settings.runtime, seed=None)
    arrays = artifacts.read_npz(plan.ANIMALS)
    block = on_base.last_block(on_base.network(0, size, heads.dropout, plan.WEIGHTS))

    def pictures(subset: paths.Subset) -> amounts.Pictures:
        (features,) = on_base.outputs(block, artifacts.read_npy(plan.activations(subset)))
        return amounts.Pictures(arrays[f"{subset}_images"], features, arrays[f"{subset}_labels"])

    train, test, seeds = pictures("train"), pictures("test"), []
    for seed in range(settings.seeds):
        measured: dict[str, NDArray[np.bool_]] = {}
        for count in parameters.train_pictures:
            section = {**parameters.model_dump(), "train_pictures": count}
            with tracking.experiment_run(plan.EXPERIMENT, f"amounts-{count}", seed, section):
                network = on_base.network(seed, size, heads.dropout, plan.WEIGHTS)
                right = amounts.of_seed(
                    seed,
                    train.first(count),
                    test,
                    network,
                    parameters,
                    settings.augmentation,
                    heads,
                )
                tracking.log_metrics({f"{way}_test_accuracy": r.mean() for way, r in right.items()})
            measured |= {f"{way}_{count}": r for way, r in right.items()}
        seeds.append(measured)
    artifacts.write_npz(plan.AMOUNTS, plan.stacked(seeds))


if __name__ == "__main__":
    errors.run(main)
