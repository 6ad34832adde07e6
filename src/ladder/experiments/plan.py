"""chapter/params.yaml, read strictly, and where the chapter's files lie."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from ladder import settings

PARAMS = Path("chapter/params.yaml")
EXPERIMENT = "chapter"  # in MLflow
DATA, REPORTS = Path("data/chapter"), Path("reports/chapter")
MNIST, DIGITS, POOLING = DATA / "mnist.npz", DATA / "digits.npz", DATA / "pooling.npz"
COUNTS, PADDING = DATA / "counts.csv", DATA / "padding.csv"
PAGE = REPORTS / "chapter.html"


class Fit(settings.Section):
    """A training by RMSprop with a constant rate; the last epoch's weights are kept."""

    epochs: settings.Count
    batch_size: settings.Count
    learning_rate: Annotated[float, Field(gt=0, le=1)]

    def constant(self) -> settings.Fit:
        """Returns it as a training of the ladder: a constant rate, and no early end."""
        return settings.Fit(
            epochs=self.epochs,
            minimum_epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            schedule="constant",
            patience=self.epochs,
            validate_every=self.epochs,
        )


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


class Chapter(settings.Section):
    """The whole of chapter/params.yaml."""

    seeds: Annotated[int, Field(ge=2)]  # 0, 1, … of every network
    runtime: settings.Runtime
    digits: Digits
    shifts: Shifts
    pooling: Pooling


def load() -> Chapter:
    """Returns the settings of the chapter's experiments.

    Raises:
        InputError: a key is missing or unknown, a wrong type or range.
    """
    return settings.read_as(Chapter, PARAMS)
