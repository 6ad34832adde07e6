"""Fetches cats and dogs of CIFAR-10, more of them than the ladder takes."""

from ladder import artifacts, errors
from ladder.experiments import animals, plan
from ladder.pictures import sources


def main() -> None:
    settings = plan.load()
    arrays = animals.fetch(sources.DOWNLOADS, settings.animals.counts)
    artifacts.write_npz(plan.ANIMALS, arrays)


if __name__ == "__main__":
    errors.run(main)
