"""What `ladder climb` says before it begins: what there is, what it will do, how long it takes."""

import time
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd

from ladder import errors, paths, settings
from ladder.climbs import estimates, proposals, recipes
from ladder.pictures import examination, originals, sources

SAMPLE = 64  # pictures that are opened to measure the time that one takes
SHOWN, LONGEST = 30, 40  # classes in the table on the terminal; letters of a class name


def introduce(
    pictures: str, name: str, recipe: str, changes: Sequence[str]
) -> dict[str, str] | None:
    """Prints what a climb on a person's own pictures will do.

    Returns the recipe that is proposed for them, empty where they have one, and None where the
    pictures are not a person's own.

    Raises:
        InputError: their layout gives no classes, or an override is wrong.
    """
    path = recipes.path_of(pictures)
    dataset = name or (recipes.name_of(path) if path else pictures)
    recipes.check_name(dataset)
    overrides = recipes.of_dataset(dataset) if recipes.is_recipe(dataset) else {}
    is_own = overrides.get("dataset.source") == "folder" if overrides else path is not None
    if not is_own:
        return None
    if path and overrides and not name:
        _check_same(dataset, path)
    own = sources.own(path or recipes.remembered(dataset))
    proposed = {} if overrides else _proposed(dataset, own)
    combined = recipes.combined(overrides or proposed, recipe, changes)
    params = recipes.settings_of(combined)
    table = _counts(own.layout.pictures, params.split)
    for line in chain(_pictures(dataset, own, table, params.split), _costs(params, table, own)):
        print(line)  # at once: the costs are measured for seconds
    print(
        f"The page will hold thumbnails of your pictures; reports/{dataset} stays out of git until "
        "you delete its .gitignore."
    )
    if proposed:
        print(f"It writes recipes/{dataset}.txt, which you may edit: ladder climb {dataset}")
    return proposed


def _proposed(dataset: str, own: sources.Own) -> dict[str, str]:
    current = settings.read(settings.PARAMS)
    _check_new(dataset, current.dataset)
    return proposals.recipe(dataset, own.layout.pictures, current)


def _pictures(
    dataset: str, own: sources.Own, table: pd.DataFrame, split: settings.Split
) -> Iterator[str]:
    """Yields lines on the pictures; stops where a class has too few."""
    yield f"{dataset}: {len(own.layout.pictures):,} pictures of {len(table)} classes"
    yield own.layout.sentence
    given = set(own.layout.pictures["subset"])
    if given == {""}:
        _check_enough(table, split)
    yield _shown(table, exact=split.counts is not None or given == {*paths.SUBSETS})
    yield from passed_over(own.layout.passed_over)


def _check_new(dataset: str, of_params: settings.Dataset) -> None:
    """Stops where a person's pictures would take the place of the reports of params.yaml's."""
    if dataset == of_params.name and of_params.source != "folder":
        raise errors.InputError(
            "--name",
            expected=f"another name than that of the dataset of {settings.PARAMS}",
            received=dataset,
            advice="Choose another name: --name NAME.",
        )


def _check_same(dataset: str, path: Path) -> None:
    """Stops where another folder of the same name was climbed: its results would be replaced."""
    before = recipes.place_of(dataset)
    if before and before.resolve() != path.resolve():
        raise errors.InputError(
            dataset,
            expected=f"the pictures that it was climbed on before, {before}",
            received=path,
            advice=f"Give others another name: --name NAME. Or say --name {dataset}, if these are "
            "the same pictures in another place.",
        )


def _check_enough(table: pd.DataFrame, split: settings.Split) -> None:
    """Stops where a class has too few pictures for all subsets, whatever their hashes are."""
    least = sum(split.counts.values()) if split.counts else len(paths.SUBSETS)
    few = table[table["pictures"] < least]
    if len(few):
        name, number = few.index[0], int(few["pictures"].iloc[0])
        more = f"; {len(few) - 1} other classes have too few as well" if len(few) > 1 else ""
        raise errors.InputError(
            f"class {name}",
            expected=f"at least {least} pictures, for train, validation and test",
            received=f"{number}{more}",
            advice=f"Add pictures of {name}, leave the class out, or change `split`.",
        )


def _counts(pictures: pd.DataFrame, split: settings.Split) -> pd.DataFrame:
    """Returns about how many pictures of each class there are, and that each subset will have."""
    table = proposals.counts(pictures, _shares(split))
    if split.counts:
        table = table.assign(**split.counts)
    if split.train_used_per_class:
        table["train"] = table["train"].clip(upper=split.train_used_per_class)
    table.insert(0, "pictures", pictures["class_name"].value_counts())
    return table


def _shares(split: settings.Split) -> dict[paths.Subset, float]:
    numbers = {"train": split.train, "validation": split.validation, "test": split.test}
    return {subset: numbers[subset] / sum(numbers.values()) for subset in paths.SUBSETS}


def _shown(table: pd.DataFrame, *, exact: bool) -> str:
    """Returns the classes with their pictures by subset; of many, those with the fewest."""
    whole = table.rename_axis(None).rename_axis(None, axis=1)
    whole.index = [_cut(name) for name in whole.index]
    rows = whole.nsmallest(SHOWN, "pictures").sort_index() if len(whole) > SHOWN else whole
    text = rows.to_string(
        header=["pictures", *(name if exact else f"~{name}" for name in paths.SUBSETS)]
    )
    return text + (
        f"\n… the {SHOWN} smallest of {len(whole)} classes" if len(whole) > SHOWN else ""
    )


def _cut(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST // 2]}…{name[-LONGEST // 2 :]}"


def passed_over(table: pd.DataFrame) -> list[str]:
    """Returns a line per reason: how many files are passed over for it, with an example."""
    return [
        f"Passed over, {reason}: {len(rows):,} {'file' if len(rows) == 1 else 'files'}, such as "
        f"{rows['path'].iloc[0]}"
        for reason, rows in table.groupby("reason", sort=False)
    ]


def _sample(pictures: originals.Originals, names: pd.Series) -> tuple[float, pd.DataFrame]:
    """Returns how many pictures of a sample are examined a second, and what that gave."""
    places = np.unique(np.linspace(0, len(names) - 1, min(SAMPLE, len(names))).astype(int))
    started = time.perf_counter()
    examined = examination.examine(pictures.read, names.iloc[places])
    seconds = time.perf_counter() - started
    return len(places) / seconds, examined


def _costs(params: settings.Settings, table: pd.DataFrame, own: sources.Own) -> Iterator[str]:
    """Yields lines on what a climb takes on this machine, and on pictures that cannot be read."""
    names = own.layout.pictures["path"]
    decoded, sample = _sample(own.originals, names)
    unreadable = sample.loc[sample["reason"].notna(), ["path", "reason"]]
    if len(unreadable):
        first = "; ".join(": ".join(row) for row in unreadable.head(3).itertuples(index=False))
        yield f"{len(unreadable)} of {len(sample)} pictures looked at cannot be read ({first})."
    by_subset = {subset: int(table[subset].sum()) for subset in paths.SUBSETS}
    rates, start = _measured(params, len(table))
    seconds = sum(estimates.seconds(params, by_subset, decoded, rates, start).values())
    room = estimates.room(params, by_subset, sum(own.originals.size(name) for name in names))
    yield (
        f"This machine decodes {decoded:,.0f} pictures a second, and {params.base.names.title} "
        f"takes {rates['base']:,.0f}."
    )
    yield f"The climb takes about {duration(seconds)} and {volume(room)} on the disk."


def _measured(params: settings.Settings, classes: int) -> tuple[dict[str, float], float]:
    """Returns the rates of this machine, and how many seconds TensorFlow takes to start."""
    started = time.perf_counter()
    from ladder.networks import probe  # TensorFlow

    start = time.perf_counter() - started
    return probe.rates(params.base, params.image_size, classes, params.runtime), start


def duration(seconds: float) -> str:
    """Returns a time as a person says it: 4 minutes, 2.5 hours."""
    if seconds < 5400:
        minutes = max(1, round(seconds / 60))
        return f"{minutes} minute{'s' if minutes > 1 else ''}"
    return f"{seconds / 3600:.1f} hours"


def volume(size: float) -> str:
    """Returns a number of bytes as a person says it: 40 MB, 2.5 GB."""
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{max(1, round(size / 1e6))} MB"
