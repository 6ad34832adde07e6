"""Fine-tunes the last block, with a trained head and with a fresh one (DLwP 5.3.2, 5.4.3)."""

import numpy as np

from ladder import artifacts, errors, tracking
from ladder.experiments import animals, fine_tuning, on_base, plan
from ladder.networks import runtime


def main() -> None:
    settings = plan.load()
    heads, parameters, size = settings.heads, settings.fine_tuning, settings.animals.image_size
    runtime.start(settings.runtime_on_base, seed=None)
    arrays = artifacts.read_npz(plan.ANIMALS)
    labels, count = arrays["test_labels"], parameters.pasted_pictures
    pasted, corners = animals.pasted(arrays["test_images"][:count], labels[:count], size)
    views = artifacts.read_views(plan.VIEWS)
    block = on_base.last_block(on_base.network(0, size, heads.dropout, plan.WEIGHTS))
    pictures = fine_tuning.Pictures(
        views=views,
        features=[on_base.outputs(block, view)[0] for view in views],
        labels=arrays["train_labels"][: settings.views.train_pictures],
        test=artifacts.read_npy(plan.activations("test")),
        test_labels=labels,
        pasted=pasted,
        corners=corners,
        pasted_labels=labels[:count].astype(np.int64),
    )
    seeds = []
    for seed in range(settings.seeds):
        section = parameters.model_dump()
        with tracking.experiment_run(plan.EXPERIMENT, "fine-tuning", seed, section):
            network = on_base.network(seed, size, heads.dropout, plan.WEIGHTS)
            seeds.append(fine_tuning.of_seed(seed, network, pictures, heads, parameters))
            tracking.log_metrics({name: each.mean() for name, each in seeds[-1].items()})
    artifacts.write_npz(plan.FINE_TUNING, plan.stacked(seeds))


if __name__ == "__main__":
    errors.run(main)
