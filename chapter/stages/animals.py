"""Fetches cats and dogs of CIFAR-10, more of them than the ladder takes."""

from ladder import artifacts, errors, paths
from ladder.experiments import animals, plan


def main() -> None:
    settings = plan.load()
    arrays = animals.fetch(paths.PARTIAL / "cifar10", settings.animals.counts)
    artifacts.write_npz(plan.ANIMALS, arrays)


if __name__ == "__main__":
    errors.run(main)
