"""chapter/params.yaml, read strictly, and where the chapter's files lie."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ladder import paths, settings

PARAMS = Path("chapter/params.yaml")
EXPERIMENT = "chapter"  # in MLflow
DATA, REPORTS = Path("data/chapter"), Path("reports/chapter")
MNIST, DIGITS, POOLING = DATA / "mnist.npz", DATA / "digits.npz", DATA / "pooling.npz"
COUNTS, PADDING = DATA / "counts.csv", DATA / "padding.csv"
ANIMALS, WEIGHTS = DATA / "animals.npz", DATA / "vgg16.weights.h5"
VIEWS = DATA / "activations/views"
ACTIVATIONS = DATA / "activations"  # <subset>.npy, views/view-01.npy, …
BLOCKS, HEADS, FINE_TUNING = DATA / "blocks.npz", DATA / "heads.npz", DATA / "fine_tuning.npz"
MACHINE = DATA / "machine.json"  # that VGG16 ran on
UNFREEZING, AMOUNTS = DATA / "unfreezing.npz", DATA / "amounts.npz"
BLOCK_NAMES = tuple(f"block{number}_pool" for number in range(1, 6))  # the ends of VGG16's
# What is fine-tuned → its first layer; at first nothing but the head.
FIRST_LAYERS = {
    "head": "flatten",
    "block5": "block5_conv1",
    "blocks4_5": "block4_conv1",
    "blocks3_5": "block3_conv1",
    "all": "block1_conv1",
}
PAGE = REPORTS / "chapter.html"


def activations(subset: paths.Subset) -> Path:
    """Returns the file of what the base gives before its last block."""
    return ACTIVATIONS / f"{subset}.npy"


def to_the_end(
    epochs: int, batch_size: int, learning_rate: float, schedule: Literal["constant", "cosine"]
) -> settings.Fit:
    """Returns a training of the ladder that does not end early."""
    return settings.Fit(
        epochs=epochs,
        minimum_epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        schedule=schedule,
        patience=epochs,
        validate_every=epochs,
    )


class Fit(settings.Section):
    """A training by RMSprop with a constant rate; the last epoch's weights are kept."""

    epochs: settings.Count
    batch_size: settings.Count
    learning_rate: Annotated[float, Field(gt=0, le=1)]

    def constant(self) -> settings.Fit:
        """Returns it as a training of the ladder: a constant rate, and no early end."""
        return to_the_end(self.epochs, self.batch_size, self.learning_rate, "constant")


class Digits(Fit):
    """The networks for digits: the convnet, and the dense one that it is compared with."""

    dense_units: settings.Count


class Shifts(settings.Section):
    """How far the first of the test digits are moved."""

    pixels: Annotated[int, Field(ge=1, le=27)]  # at most
    test_pictures: Annotated[int, Field(ge=1, le=10_000)]


class Pooling(Fit):
    """The convnet with other ways to make maps smaller, on some of the digits."""

    train_pictures: Annotated[int, Field(ge=1, le=60_000)]


class Animals(settings.Section):
    """How many cats and dogs of CIFAR-10 there are, and their size as the base takes them."""

    train: Annotated[int, Field(ge=2, le=8000, multiple_of=2)]
    validation: Annotated[int, Field(ge=2, le=2000, multiple_of=2)]
    test: Annotated[int, Field(ge=2, le=2000, multiple_of=2)]
    image_size: Annotated[int, Field(ge=96, le=192, multiple_of=96)]  # pixels; a place is whole

    @property
    def counts(self) -> dict[paths.Subset, int]:
        """Pictures by subset."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


class Blocks(settings.Section):
    """How many train pictures the blocks of the base are read from."""

    train_pictures: settings.Count


class Views(settings.Section):
    """Augmented views of train pictures, whose activations are stored."""

    train_pictures: settings.Count  # the first
    count: settings.Count  # views of each picture


class Heads(Fit):
    """The head on stored features, with dropout and without, with augmentation and without."""

    dropout: settings.Fraction


class FineTuning(Fit):
    """Fine-tuning after the head was trained as in `heads`, or before."""

    large_learning_rate: Annotated[float, Field(gt=0, le=1)]
    pasted_pictures: Annotated[int, Field(ge=2)]  # that have another in a corner


class Unfreezing(Fit):
    """Fine-tuning from different blocks on."""

    train_pictures: settings.Count
    head_epochs: settings.Count  # before, at `heads`' rate


class Amounts(settings.Section):
    """Trainings on more and more pictures; each sees as many in all, whatever there are."""

    train_pictures: Annotated[list[settings.Count], Field(min_length=2)]  # rising
    seen: settings.Count  # by the convnet, pictures that come again included
    batch_size: settings.Count
    learning_rate: Annotated[float, Field(gt=0, le=1)]
    dropout: settings.Fraction
    head_seen: settings.Count  # by the head, at `heads`' rate

    def on(self, count: int) -> settings.Fit:
        """Returns the convnet's training on so many pictures; the rate falls to 0."""
        epochs = self._epochs(self.seen, count)
        return to_the_end(epochs, self.batch_size, self.learning_rate, "cosine")

    def head_on(self, count: int, heads: Heads) -> Heads:
        """Returns the head's training on so many pictures."""
        return heads.model_copy(update={"epochs": self._epochs(self.head_seen, count)})

    @staticmethod
    def _epochs(seen: int, count: int) -> int:
        return max(1, round(seen / count))


class Chapter(settings.Section):
    """The whole of chapter/params.yaml."""

    seeds: Annotated[int, Field(ge=2)]  # 0, 1, … of every network
    runtime: settings.Runtime
    runtime_on_base: settings.Runtime  # of what has the base in it
    digits: Digits
    shifts: Shifts
    pooling: Pooling
    animals: Animals
    augmentation: settings.Ranges
    views: Views
    blocks: Blocks
    heads: Heads
    fine_tuning: FineTuning
    unfreezing: Unfreezing
    amounts: Amounts

    @model_validator(mode="after")
    def _there_are_as_many_pictures(self) -> Self:
        there_are = self.animals.train
        for key, count in (
            ("views.train_pictures", self.views.train_pictures),
            ("blocks.train_pictures", self.blocks.train_pictures),
            ("unfreezing.train_pictures", self.unfreezing.train_pictures),
            ("the last of amounts.train_pictures", self.amounts.train_pictures[-1]),
        ):
            if count > there_are:
                raise _error(f"{key} to be at most animals.train, {there_are}", count)
        if self.fine_tuning.pasted_pictures > self.animals.test:
            expected = (
                f"fine_tuning.pasted_pictures to be at most animals.test, {self.animals.test}"
            )
            raise _error(expected, self.fine_tuning.pasted_pictures)
        counts = self.amounts.train_pictures
        if counts != sorted({*counts}):
            raise _error("amounts.train_pictures to rise", counts)
        return self


def _error(expected: str, received: object) -> PydanticCustomError:
    return PydanticCustomError("pictures", expected, {"received": str(received)})


def load() -> Chapter:
    """Returns the settings of the chapter's experiments.

    Raises:
        InputError: a key is missing or unknown, a wrong type or range.
    """
    return settings.read_as(Chapter, PARAMS)


def stacked(seeds: Sequence[Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """Returns the arrays of all seeds, by name, with the seed first."""
    return {name: np.stack([seed[name] for seed in seeds]) for name in seeds[0]}
