"""Which picture belongs to which subset."""

import hashlib
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ladder import errors, paths, settings

# Test comes first, so that it stays the same whatever is given to train and validation.
ORDER: tuple[paths.Subset, ...] = ("test", "validation", "train")


def by_number(
    members: pd.DataFrame, split: settings.Split, test_starts_at: int | None
) -> pd.DataFrame:
    """Returns the members that a subset takes, with their `subset`; no random number is drawn.

    In every class the numbers from 0 are train, the next validation, and test follows, or starts
    at `test_starts_at`. For 1,000 / 500 / 500 this is the book's split (DLwP 5.2.2). Using fewer
    train pictures leaves validation and test as they are.

    Raises:
        InputError: `split` has shares, a class has too few numbers for a subset, or test would
            overlap validation.
    """
    counts = split.counts
    if counts is None:
        raise errors.InputError(
            "split",
            expected="numbers of pictures: the pictures of this source are divided by number",
            received=f"the shares {split.train}, {split.validation} and {split.test}",
            advice="Set split.train, split.validation and split.test to whole numbers.",
        )
    validation_start = counts["train"]
    test_start = validation_start + counts["validation"]
    if test_starts_at is not None:
        if test_start > test_starts_at:
            raise errors.InputError(
                "split",
                expected=f"train and validation to take at most {test_starts_at} of a class",
                received=test_start,
                advice="Lower split.train or split.validation.",
            )
        test_start = test_starts_at
    ranges: dict[paths.Subset, range] = {
        "train": range(validation_start),
        "validation": range(validation_start, validation_start + counts["validation"]),
        "test": range(test_start, test_start + counts["test"]),
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


def by_hash(
    pictures: pd.DataFrame, split: settings.Split, put_aside: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Returns the pictures that a subset takes, with their `subset`, in order of `pictures`.

    `pictures` has path, class_name, sha256, group and subset, which is "" where none is given. No
    random number is drawn: a group's position is the sha256 of its key, as a number from 0 to 1.
    The lowest positions are test, the next validation, the rest train. So a group keeps its subset
    when others are added, and the order of names means nothing. Géron's Hands-On Machine Learning
    (chapter 2) divides rows like this, by a hash of their ids.

    Shares set the bounds. Where they leave a class without a subset, the nearest group moves to it
    that leaves no other subset empty; so a group of a small class can move when others are added.
    Counts are filled in order of positions, for each class: test, validation, then train. Groups
    that fit go first; where they are too few, a group is cut, and its rest is not used.

    A given subset is kept. If validation or test is given nowhere, train's pictures are divided
    again, by the same positions and by shares of what they replace. From train, the first
    `split.train_used_per_class` pictures of each class are taken, in order of positions.

    `put_aside` (path, reason, class_name; also subset, if there is one) cannot be used. Their
    classes are to have all subsets like the others, and an error names them.

    Raises:
        InputError: a class is left without a subset, or has too few pictures for the counts.
    """
    pictures = pictures.reset_index(drop=True)
    parts, numbers = _parts(pictures)
    if split.counts:
        _fill(parts, split.counts)
    else:
        _divide(parts, split)
    divided = pictures.assign(
        given=pictures["subset"],
        subset=pd.Series([parts[number].subset for number in numbers], dtype=str),
        position=[parts[number].position for number in numbers],
    )
    if split.counts:
        divided = _first(divided, split.counts)
    _check_every_class(divided, split, put_aside)
    if split.train_used_per_class:
        divided = _first(divided, {"train": split.train_used_per_class})
    used = divided[divided["subset"].notna()].reset_index(drop=True)
    return used[pictures.columns]


@dataclass
class _Part:
    """Pictures that one subset takes: of one group and, where subsets are given, of one of them."""

    position: float
    allowed: tuple[paths.Subset, ...]  # subsets, in order of positions
    sizes: Counter[str] = field(default_factory=Counter)  # numbers of pictures, by class
    subset: paths.Subset | None = None


def position(group: str) -> float:
    """Returns the sha256 of a group's key as a number from 0 to 1."""
    return int.from_bytes(hashlib.sha256(group.encode()).digest()[:8], "big") / 2**64


def _parts(pictures: pd.DataFrame) -> tuple[list[_Part], list[int]]:
    """Returns the parts, and each picture's place among them."""
    given = set(pictures["subset"])
    from_train = tuple(subset for subset in ORDER if subset == "train" or subset not in given)
    allowed: dict[str, tuple[paths.Subset, ...]] = {
        "": ORDER,
        "train": from_train,
        "validation": ("validation",),
        "test": ("test",),
    }
    parts: dict[tuple[str, str], _Part] = {}
    keys = list(zip(pictures["group"], pictures["subset"], strict=True))
    for key, class_name in zip(keys, pictures["class_name"], strict=True):
        if key not in parts:
            parts[key] = _Part(position(key[0]), allowed[key[1]])
        parts[key].sizes[class_name] += 1
    places = {key: place for place, key in enumerate(parts)}
    return list(parts.values()), [places[key] for key in keys]


def _divide(parts: Iterable[_Part], split: settings.Split) -> None:
    """Gives each part the subset of its position, then each class a part in every subset."""
    parts = sorted(parts, key=lambda part: part.position)
    parts_of_class = defaultdict(list)
    numbers: Counter[tuple[str, paths.Subset | None]] = Counter()  # of parts, by class and subset
    for part in parts:
        distances = _distances(part, split)
        own_subset: paths.Subset = min(distances, key=distances.__getitem__)
        part.subset = own_subset
        for class_name in part.sizes:
            parts_of_class[class_name].append(part)
            numbers[class_name, own_subset] += 1
    for class_name, subset in itertools.product(sorted(parts_of_class), ORDER):
        if numbers[class_name, subset]:
            continue
        spare = [
            part
            for part in parts_of_class[class_name]
            if subset in part.allowed and all(numbers[name, part.subset] > 1 for name in part.sizes)
        ]
        if spare:
            nearest = min(spare, key=lambda part: _distances(part, split)[subset])
            for name in nearest.sizes:
                numbers[name, nearest.subset] -= 1
                numbers[name, subset] += 1
            nearest.subset = subset


def _distances(part: _Part, split: settings.Split) -> dict[paths.Subset, float]:
    """Returns how far the part's position lies from the bounds of every subset that may take it."""
    shares = {"train": split.train, "validation": split.validation, "test": split.test}
    whole = sum(shares[subset] for subset in part.allowed)
    distances: dict[paths.Subset, float] = {}
    low = 0.0
    for subset in part.allowed:
        high = low + shares[subset] / whole
        distances[subset] = max(low - part.position, part.position - high, 0.0)
        low = high
    return distances


def _fill(parts: Iterable[_Part], counts: Mapping[str, int]) -> None:
    """Gives each subset parts in order of their positions, until it has its count of each class."""
    parts = sorted(parts, key=lambda part: part.position)
    for subset in ORDER:
        room = dict.fromkeys((name for part in parts for name in part.sizes), counts[subset])
        for whole in (True, False):
            for part in parts:
                if part.subset is None and subset in part.allowed:
                    least = part.sizes if whole else dict.fromkeys(part.sizes, 1)
                    if all(room[name] >= size for name, size in least.items()):
                        part.subset = subset
                        for name, size in part.sizes.items():
                            room[name] = max(room[name] - size, 0)


def _first(divided: pd.DataFrame, counts: Mapping[str, int]) -> pd.DataFrame:
    """Returns `divided` without subset where one has its count of a class in lower positions."""
    ordered = divided.dropna(subset="subset").sort_values(["position", "sha256", "path"])
    places = ordered.groupby(["class_name", "subset"]).cumcount()
    taken = places < ordered["subset"].map(counts).fillna(np.inf)
    return divided.assign(subset=ordered["subset"].where(taken))


def _check_every_class(
    divided: pd.DataFrame, split: settings.Split, put_aside: pd.DataFrame | None
) -> None:
    """Raises an InputError if a class has fewer pictures in a subset than it takes."""
    least = {"train": split.train_used_per_class or 1, "validation": 1, "test": 1}
    least |= split.counts or {}
    numbers = divided.groupby(["class_name", "subset"]).size().to_dict()
    if put_aside is None:
        put_aside = pd.DataFrame({"path": [], "reason": [], "class_name": []}, dtype=str)
    names = {*divided["class_name"], *put_aside["class_name"].dropna()} - {""}
    lacking = [
        _Lack(name, subset, numbers.get((name, subset), 0), least[subset])
        for name, subset in itertools.product(sorted(names), paths.SUBSETS)
        if numbers.get((name, subset), 0) < least[subset]
    ]
    if not lacking:
        return
    lack = lacking[0]
    given = set(divided["given"]) - {""}
    own, lost = (frame[frame["class_name"] == lack.class_name] for frame in (divided, put_aside))
    if split.counts or lack.number:
        where, expected, received, advice = _smaller(lack, own, split)
    elif given:
        where, expected, received, advice, lost = _empty(lack, own, lost, given)
    else:
        where, expected, received, advice = _few_groups(lack, own, split)
    others = len({other.class_name for other in lacking}) - 1
    if others:
        advice += f" It is so with {_some(others, 'other class', 'other classes')}, too."
    raise errors.InputError(
        where, expected=expected, received=received + _lost(lost), advice=advice
    )


class _Lack(NamedTuple):
    """A class has a smaller number of pictures in a subset than it takes at least."""

    class_name: str
    subset: paths.Subset
    number: int
    least: int


def _smaller(lack: _Lack, own: pd.DataFrame, split: settings.Split) -> tuple[str, str, str, str]:
    advice = f"Add pictures of {lack.class_name}, or lower the counts in `split`."
    if not split.counts:
        advice = "Lower split.train_used_per_class, or set it to null for all."
    return (
        f"class {lack.class_name}, subset {lack.subset}",
        _some(lack.least, "picture"),
        f"{lack.number}, of {_in_groups(own)}",
        advice,
    )


def _empty(
    lack: _Lack, own: pd.DataFrame, lost: pd.DataFrame, given: set[str]
) -> tuple[str, str, str, str, pd.DataFrame]:
    expected, source = "at least 1 picture", str(lack.subset)
    from_train = [subset for subset in ("validation", "test") if subset not in given]
    if from_train and lack.subset not in given - {"train"}:
        source = "train"
        expected = (
            f"at least {1 + len(from_train)} groups of pictures, from which "
            f"{' and '.join(from_train)} can be taken, too"
        )
    return (
        f"class {lack.class_name}, subset {source}",
        expected,
        _in_groups(own[own["given"] == source]),
        f"Add pictures of {lack.class_name} to {source}, or leave the class out.",
        lost[lost["subset"] == source] if "subset" in lost else lost,
    )


def _few_groups(lack: _Lack, own: pd.DataFrame, split: settings.Split) -> tuple[str, str, str, str]:
    groups = own["group"].nunique()
    shared = " that other classes need, too" if groups >= len(paths.SUBSETS) else ""
    advice = f"Add pictures of {lack.class_name}, or leave the class out."
    if groups < len(own) and split.group:
        advice += " Or choose a split.group that makes more groups."
    if groups < len(own) and split.hash_distance:
        advice += " Or lower split.hash_distance: near duplicates are one group."
    return (
        f"class {lack.class_name}",
        "at least 3 groups of pictures, one for each subset",
        _in_groups(own) + shared,
        advice,
    )


def _in_groups(pictures: pd.DataFrame) -> str:
    groups = pictures["group"].nunique()
    return f"{_some(len(pictures), 'picture')} in {_some(groups, 'group')}"


def _some(number: int, word: str, words: str | None = None) -> str:
    return f"{number:,} {word if number == 1 else words or word + 's'}"


def _lost(put_aside: pd.DataFrame) -> str:
    """Returns what an error says of the pictures that were put aside."""
    shown = [
        f"{path} ({reason})"
        for path, reason in zip(put_aside["path"], put_aside["reason"], strict=True)
    ]
    more = f" and {len(shown) - 3} more" if len(shown) > 3 else ""
    return f"; put aside: {', '.join(shown[:3])}{more}" if shown else ""


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
