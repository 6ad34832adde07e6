"""Fine-tunes one block of VGG16, and more and more of them (DLwP 5.3.2)."""

from ladder import artifacts, errors, tracking
from ladder.experiments import animals, on_base, plan, unfreezing
from ladder.networks import runtime


def main() -> None:
    settings = plan.load()
    parameters, size = settings.unfreezing, settings.animals.image_size
    head = settings.heads.model_copy(update={"epochs": parameters.head_epochs})
    runtime.start(settings.runtime_on_base, seed=None)
    arrays, count = artifacts.read_npz(plan.ANIMALS), parameters.train_pictures
    network = on_base.network(0, size, head.dropout, plan.WEIGHTS)
    train, test = (
        unfreezing.inputs(network, animals.enlarged(images, size))
        for images in (arrays["train_images"][:count], arrays["test_images"])
    )
    labels, seeds = (arrays["train_labels"][:count], arrays["test_labels"]), []
    for seed in range(settings.seeds):
        section = parameters.model_dump()
        with tracking.experiment_run(plan.EXPERIMENT, "unfreezing", seed, section):
            network = on_base.network(seed, size, head.dropout, plan.WEIGHTS)
            measured = unfreezing.of_seed(
                seed, network, train, labels[0], test, labels[1], head, parameters
            )
            tracking.log_metrics({name: each.mean() for name, each in measured.items()})
        seeds.append(measured)
    artifacts.write_npz(plan.UNFREEZING, plan.stacked(seeds))


if __name__ == "__main__":
    errors.run(main)
