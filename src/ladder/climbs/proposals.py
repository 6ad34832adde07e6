"""What `ladder climb` decides for a person's pictures: a recipe, which they may edit."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ladder import paths, settings

IMAGE_SIZE = 150  # the book's, of the convnets from scratch
SMALL_IMAGE_SIZE = 96  # of the first epochs of one of them
# More accurate and several times as fast as VGG16: docs/reproduction.md, "Bases".
BASE = {
    "base.name": "efficientnet_lite0",
    "base.image_size": 224,
    "base.weights": "package",
}
SHARES: dict[paths.Subset, float] = {"train": 0.6, "validation": 0.2, "test": 0.2}
UNREADABLE_SHARE = 0.1  # of few pictures one or two are more than params.yaml allows
UNEQUAL = 3  # times as many pictures of the largest class as of the smallest
# The trainings of params.yaml are for 2,000 pictures. Of more pictures there are fewer epochs,
# down to these, so that a training sees as many in all.
PICTURES = 2000
FEWEST_EPOCHS = {
    "train_scratch": 10,
    "train_scratch_augmented": 15,
    "train_head": 10,
    "train_end_to_end": 6,
    "fine_tune": 2,
}
STORED_VIEWS = ((5_000, 4), (20_000, 2))  # of at most so many train pictures; else 1


def recipe(name: str, layout: pd.DataFrame, params: settings.Settings) -> dict[str, str]:
    """Returns the recipe of a new dataset: overrides of params.yaml by key.

    `layout` has a row per picture, with its class_name and the subset that its folder says, or "".
    """
    train = counts(layout, SHARES)["train"].sum()
    decided: dict[str, Any] = {
        "dataset.name": name,
        "dataset.source": "folder",
        "image_size": IMAGE_SIZE,
        "train_scratch_augmented.small_image_size": SMALL_IMAGE_SIZE,
        **BASE,
        **{f"split.{subset}": share for subset, share in SHARES.items()},
        "split.unreadable_share": UNREADABLE_SHARE,
        "interpretation.picture": 0,
        **({"class_weight": "balanced"} if _is_unequal(layout) else {}),
        "augmentation.views": next((views for most, views in STORED_VIEWS if train <= most), 1),
    }
    for section, fewest in FEWEST_EPOCHS.items():
        fit: settings.Fit = getattr(params, section)
        epochs = min(fit.epochs, max(fewest, round(fit.epochs * PICTURES / max(train, 1))))
        if epochs < fit.epochs:
            decided[f"{section}.epochs"] = epochs
            decided[f"{section}.minimum_epochs"] = min(fit.minimum_epochs, epochs)
    return {key: str(value) for key, value in decided.items()}


def _is_unequal(layout: pd.DataFrame) -> bool:
    numbers = layout["class_name"].value_counts()
    return bool(numbers.max() > UNEQUAL * numbers.min())


def text(overrides: Mapping[str, str]) -> str:
    """Returns the recipe as the file that a person edits."""
    name = overrides["dataset.name"]
    comments = {
        "split.train": "shares of each class, or counts such as 200; of a folder that is divided"
        " already only what is missing",
        "image_size": "pixels, of the convnets from scratch",
        "train_scratch_augmented.small_image_size": "pixels, in the first epochs of one of them",
        "base.name": "the pretrained base; or another: docs/parameters.md",
        "base.image_size": "pixels, of the base",
        "class_weight": "every class counts alike in training, however few its pictures; or none",
        "augmentation.views": "stored views of a train picture",
    }
    lines = [
        f"# Your pictures. Edit it, and climb again: ladder climb {name}",
        "# docs/parameters.md lists all keys; those that are not here are as in params.yaml.",
        *(
            f"{key}={value}" + (f"   # {comments[key]}" if key in comments else "")
            for key, value in overrides.items()
        ),
    ]
    return "\n".join(lines) + "\n"


def counts(layout: pd.DataFrame, shares: Mapping[paths.Subset, float]) -> pd.DataFrame:
    """Returns about how many pictures of each class every subset will have.

    A row per class name, a column per subset. What a folder says stays; a subset that it lacks is
    taken out of train.
    """
    rows = pd.crosstab(layout["class_name"], layout["subset"])
    table = rows.reindex(columns=["", *paths.SUBSETS], fill_value=0)
    missing = [subset for subset in paths.SUBSETS if not table[subset].sum()]
    if "train" not in missing and not table[""].sum():
        table[""], table["train"] = table["train"], 0
        missing.append("train")
    whole = sum(shares[subset] for subset in missing)
    for subset in missing:
        table[subset] = (table[""] * shares[subset] / whole).round().astype(int)
    return table[[*paths.SUBSETS]]
