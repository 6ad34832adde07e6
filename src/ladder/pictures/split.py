"""Which picture belongs to which subset."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ladder import errors, paths, settings


def by_number(
    members: pd.DataFrame, split: settings.Split, test_starts_at: int | None
) -> pd.DataFrame:
    """Returns the members that a subset takes, with their `subset`; no random number is drawn.

    In every class the numbers from 0 are train, the next validation, and test follows, or starts
    at `test_starts_at`. For 1,000 / 500 / 500 this is the book's split (DLwP 5.2.2). Using fewer
    train pictures leaves validation and test as they are.

    Raises:
        InputError: a class has too few numbers for a subset, or test would overlap validation.
    """
    validation_start = split.train_per_class
    test_start = validation_start + split.validation_per_class
    if test_starts_at is not None:
        if test_start > test_starts_at:
            raise errors.InputError(
                "split",
                expected=f"train and validation to take at most {test_starts_at} of a class",
                received=test_start,
                advice="Lower split.train_per_class or split.validation_per_class.",
            )
        test_start = test_starts_at
    ranges: dict[paths.Subset, range] = {
        "train": range(validation_start),
        "validation": range(validation_start, validation_start + split.validation_per_class),
        "test": range(test_start, test_start + split.test_per_class),
    }
    parts = []
    for subset, numbers in ranges.items():
        part = members[members["number"].between(numbers.start, numbers.stop - 1)]
        _check_counts(part, subset, numbers, members["class_name"].unique().tolist())
        if subset == "train" and split.train_used_per_class is not None:
            part = part[part["number"] < split.train_used_per_class]
        parts.append(part.assign(subset=subset))
    return pd.concat(parts, ignore_index=True)


def _check_counts(part: pd.DataFrame, subset: str, numbers: range, class_names: list[str]) -> None:
    for class_name in class_names:
        received = int((part["class_name"] == class_name).sum())
        if received < len(numbers):
            raise errors.InputError(
                f"split, subset {subset}",
                expected=f"{len(numbers)} pictures of {class_name}, numbered {numbers.start} to "
                f"{numbers.stop - 1}",
                received=received,
                advice="Give an archive with more pictures, or lower the counts in `split`.",
            )


def shuffle_train_labels(manifest: pd.DataFrame, deal: int) -> pd.DataFrame:
    """Returns the manifest with the labels of train dealt out at random; deals count from 1.

    A control: what is learned from it can, over many deals, be worth no more than chance on test.
    """
    rows = manifest["subset"] == "train"
    labels = manifest["label"].copy()
    labels[rows] = np.random.default_rng(deal - 1).permutation(labels[rows])
    return manifest.assign(label=labels)


def example(test: pd.DataFrame, picture: int | str) -> NDArray[np.int64]:
    """Returns the row of one picture, by its place in test or by its id.

    Raises:
        InputError: test has no such picture.
    """
    places = test.index if isinstance(picture, int) else test["id"]
    rows = np.flatnonzero(places == picture)
    if not len(rows):
        raise errors.InputError(
            "interpretation.picture",
            expected=f"a place in test from 0 to {len(test) - 1}, or an id such as "
            f"{test['id'].iloc[0]}",
            received=picture,
            advice="Correct it in params.yaml; manifest.csv lists the ids.",
        )
    return rows
