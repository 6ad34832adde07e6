"""The five rungs of chapter 5, in one table that everything else reads."""

from dataclasses import dataclass
from typing import Final, Literal

from ladder import errors

Rung = Literal["scratch", "scratch_augmented", "features", "features_augmented", "fine_tuned"]

SMALL_DATASETS = "5.2-using-convnets-with-small-datasets"
PRETRAINED = "5.3-using-a-pretrained-convnet"


@dataclass(frozen=True)
class Row:
    """One rung: its stage, its look, and the book's figure with the place where it stands."""

    title: str  # two lines, for figures
    stage: str  # its script in stages/, and its section of params.yaml
    book: float  # accuracy
    book_subset: Literal["validation", "test"]
    notebook: str  # of the book's first edition
    colour: str  # safe for colour-blind readers (Okabe and Ito 2008)
    starts_from: Rung | None = None  # the rung whose model it trains on


TABLE: Final[dict[Rung, Row]] = {
    "scratch": Row(
        "convnet\nfrom scratch", "train_scratch", 0.71, "validation", SMALL_DATASETS, "#999999"
    ),
    "scratch_augmented": Row(
        "+ augmentation\nand dropout",
        "train_scratch_augmented",
        0.82,
        "validation",
        SMALL_DATASETS,
        "#e69f00",
    ),
    "features": Row(
        "dense head on\nstored features", "train_head", 0.90, "validation", PRETRAINED, "#56b4e9"
    ),
    "features_augmented": Row(
        "frozen base\n+ augmentation",
        "train_end_to_end",
        0.96,
        "validation",
        PRETRAINED,
        "#009e73",
    ),
    "fine_tuned": Row(
        "fine-tuned\nlast block",
        "fine_tune",
        0.97,
        "test",
        PRETRAINED,
        "#cc79a7",
        starts_from="features_augmented",
    ),
}
RUNGS: Final[tuple[Rung, ...]] = tuple(TABLE)
ON_A_BASE: Final[tuple[Rung, ...]] = ("features", "features_augmented", "fine_tuned")


def named(name: str) -> Rung:
    """Returns the rung of this name.

    Raises:
        InputError: there is none; the message lists those there are.
    """
    for rung in RUNGS:
        if rung == name:
            return rung
    raise errors.InputError(
        "name of a rung",
        expected=f"one of {', '.join(RUNGS)}",
        received=name,
        advice="Correct the name.",
    )
