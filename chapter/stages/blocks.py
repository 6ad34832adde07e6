"""Reads classes and colours from every block of VGG16 (DLwP 5.3, 5.4.1)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ladder import artifacts, errors
from ladder.experiments import animals, blocks, on_base, plan
from ladder.networks import models, runtime


def main() -> None:
    settings = plan.load()
    size, draws = settings.animals.image_size, settings.seeds
    runtime.start(settings.runtime_on_base, seed=None)
    model = models.pixels_to_features(on_base.BASE, size, plan.WEIGHTS)
    results: dict[str, NDArray[Any]] = {}
    for name, subsets in (("animals", of_animals(settings)), ("digits", of_digits(settings))):
        images = [animals.enlarged(pictures, size) for pictures, _ in subsets]
        labels = [numbers for _, numbers in subsets]
        read = [blocks.of_images(model, each) for each in images]
        for number, layer in enumerate(plan.BLOCK_NAMES):
            maps = [each.maps[number] for each in read]
            right, accuracy = blocks.right_by_class(maps, labels, draws)
            results |= {
                f"{name}_{layer}_right": right,
                f"{name}_{layer}_validation": np.array(accuracy),
                f"{name}_{layer}_blank": read[-1].blank[number],
                f"{name}_{layer}_zeros": read[-1].zeros[number],
                f"{name}_{layer}_colours": blocks.colours_explained(
                    (maps[0], maps[-1]), (images[0], images[-1])
                ),
            }
    artifacts.write_npz(plan.BLOCKS, results)


Subset = tuple[NDArray[np.uint8], NDArray[np.uint8]]  # pictures and labels


def of_animals(settings: plan.Chapter) -> list[Subset]:
    """Returns train, validation and test."""
    arrays = artifacts.read_npz(plan.ANIMALS)
    counts = settings.animals.counts | {"train": settings.blocks.train_pictures}
    return [
        (arrays[f"{subset}_images"][:count], arrays[f"{subset}_labels"][:count])
        for subset, count in counts.items()
    ]


def of_digits(settings: plan.Chapter) -> list[Subset]:
    """Returns as many digits as animals; those of validation follow those of train."""
    arrays = artifacts.read_npz(plan.MNIST)
    train, counts = settings.blocks.train_pictures, settings.animals
    rows = (
        ("train", slice(train)),
        ("train", slice(train, train + counts.validation)),
        ("test", slice(counts.test)),
    )
    return [(arrays[f"x_{part}"][some], arrays[f"y_{part}"][some]) for part, some in rows]


if __name__ == "__main__":
    errors.run(main)
