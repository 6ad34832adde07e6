"""Which base for these pictures? Rung 3 on every base whose weights are on this machine."""

import importlib.metadata
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from ladder import artifacts, base_names, errors, paths, provenance, rungs, settings
from ladder.climbs import climbs, experiments, predicted, recipes
from ladder.evidence import base_comparison
from ladder.networks import weight_files
from ladder.page import sentences

RUNG: rungs.Rung = "features"
SIZE = "base.image_size"
OPTIONS = "--base, --size, -S, or the recipe"  # what a person says a climb by


@dataclass(frozen=True)
class Climb:
    """One climb of the study: its overrides of params.yaml, and what the file comes to."""

    overrides: tuple[str, ...]
    params: settings.Settings

    @property
    def base(self) -> str:
        """The base's name."""
        return self.params.base.name

    @property
    def size(self) -> int:
        """Pixels a side of the base's pictures."""
        return self.params.base.pictures_size(self.params.image_size)


def run(
    names: Sequence[str], sizes: Sequence[int], changes: Sequence[str], plan: recipes.Plan
) -> None:
    """Climbs rung 3 on bases of these names and sizes, and says which one to take.

    Without names it takes all whose weights are on this machine; see `planned` for the sizes.
    `changes` are those of `-S`. All is checked before the first climb. Writes `studies/bases.csv`
    (`base_comparison.compare`) and `studies/bases.json` (the identity of a climb by the plan).
    """
    experiments.check_code_committed()
    own = _params(plan.overrides)
    study = planned(names, sizes, changes, plan.overrides, own)
    for line in [] if names else absent(own.base):
        print(line)
    print(f"Rung 3 on {', '.join(f'{climb.base} at {climb.size} pixels' for climb in study)}.")
    identities = [climbs.planned(climb.overrides) for climb in study]
    costs, predictions = [], []
    for climb, identity in zip(tqdm(study, "bases", disable=None), identities, strict=True):
        climbs.check_unchanged(climb.overrides, identity)
        row, answers = _climbed(climb, plan, identity)
        costs.append(row)
        predictions.append(answers)
    table = base_comparison.compare(pd.DataFrame(costs), predictions)
    artifacts.write_csv(plan.studies / "bases.csv", table)
    provenance.write(plan.studies / "bases.json", climbs.planned(plan.overrides))
    print(sentences.bases_table(table))
    print("", *sentences.bases_advice(table, own.evaluation.margin_points), sep="\n")


def planned(
    names: Sequence[str],
    sizes: Sequence[int],
    changes: Sequence[str],
    overrides: Sequence[str],
    own: settings.Settings,
) -> list[Climb]:
    """Returns the climbs of the study, checked: every base at every size.

    `own` is params.yaml with the plan's `overrides`. Without `sizes` its base has its own size, and
    any other the one that its weights were trained with; all have the same one if `changes` name
    `base.image_size`.

    Raises:
        InputError: a base that there is not, a base or size twice, a size or params that a base
            cannot take, a package that is not installed, no base at all.
    """
    _check_once("--base", names)
    _check_once("--size", sizes)
    _check_known(names)
    is_said = SIZE in {recipes.split_line(line, "-S")[0] for line in changes}
    return [
        _climb(name, size, overrides, own)
        for name in names or _present(own.base)
        for size in sizes or [_size(name, own, is_said=is_said)]
    ]


def _check_once(option: str, values: Sequence[str] | Sequence[int]) -> None:
    if len({*values}) < len(values):
        raise errors.InputError(
            option,
            expected="every value once",
            received=" ".join(map(str, values)),
            advice="Leave out the second.",
        )


def _check_known(names: Sequence[str]) -> None:
    for name in names:
        if name not in base_names.BASES:
            raise errors.InputError(
                "--base",
                expected=f"one of {', '.join(base_names.BASES)}",
                received=name,
                advice="Correct the name.",
            )


def _present(own: settings.Base) -> list[str]:
    """Returns the bases whose weights are on this machine, that of the params first.

    Raises:
        InputError: there is none.
    """
    names = [name for name in base_names.BASES if is_present(name, own)]
    if not names:
        raise errors.InputError(
            "ladder bases",
            expected="a base whose weights are on this machine",
            received="none",
            advice="Name one, to download its weights: --base resnet50.",
        )
    return sorted(names, key=lambda name: name != own.name)


def absent(own: settings.Base) -> list[str]:
    """Returns lines on the bases whose weights are not on this machine, and how to get them."""
    names = [name for name in base_names.BASES if not is_present(name, own)]
    served = [name for name in names if "keras" in base_names.BASES[name].sources]
    lines = [
        f"{name}: the package {source} is not installed."
        for name in names
        if name not in served
        for source in base_names.BASES[name].sources.values()
    ]
    if served:
        lines.append(
            f"Not on this machine: {', '.join(served)}. Name one, and its weights are downloaded: "
            f"--base {served[0]}."
        )
    return lines


def is_present(name: str, own: settings.Base) -> bool:
    """Returns whether the weights of a base are on this machine; `own` is that of the params."""
    sources = base_names.BASES[name].sources
    if name != own.name:
        return any(_is_here(kind, source) for kind, source in sources.items())
    if own.weights_file is not None:
        return (paths.root() / own.weights_file).is_file()
    return own.weights == "none" or _is_here(own.weights, sources[own.weights])


def _is_here(kind: base_names.Weights, source: str) -> bool:
    return (keras_downloads() / source).is_file() if kind == "keras" else _is_installed(source)


def _is_installed(package: str) -> bool:
    try:
        importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def keras_downloads() -> Path:
    """Returns the folder that Keras stores the weights in that it downloads."""
    home = os.environ.get("KERAS_HOME", "~/.keras")
    return Path(home).expanduser() / "models"


def _size(name: str, own: settings.Settings, *, is_said: bool) -> int:
    if name == own.base.name or is_said:
        return own.base.pictures_size(own.image_size)
    return base_names.BASES[name].pretrained_size


def _climb(name: str, size: int, overrides: Sequence[str], own: settings.Settings) -> Climb:
    """Returns the climb on a base of pictures of this size, checked."""
    changes: dict[str, object] = {}
    if name != own.base.name:
        changes |= _of_another(name, own)
    if changes or size != own.base.pictures_size(own.image_size):
        changes[SIZE] = "null" if size == own.image_size else size
    every = (*overrides, *(f"{key}={value}" for key, value in changes.items()))
    params = _params(every)
    weight_files.check(params.base)
    return Climb(every, params)


def _params(overrides: Sequence[str]) -> settings.Settings:
    return settings.checked(recipes.params(settings.PARAMS, overrides), OPTIONS)


def _of_another(name: str, own: settings.Settings) -> dict[str, object]:
    """Returns the values of params.yaml for another base than its own, but for the size."""
    row = base_names.BASES[name]
    here = [kind for kind, source in row.sources.items() if _is_here(kind, source)]
    served = [kind for kind in row.sources if kind == "keras"]
    return {
        "base.name": name,
        "base.weights": [*here, *served, *row.sources][0],
        "base.weights_file": "null",
        "base.weights_sha256": "null",
        "base.cut": settings.AUTO,
        "base.output": settings.AUTO,
        "train_end_to_end.unfreeze_from": "flatten",
        "fine_tune.unfreeze_from": settings.AUTO,
        "interpretation.filter_layers": settings.AUTO,
        "interpretation.pattern_size": max(own.interpretation.pattern_size, row.smallest_size),
    }


def _climbed(
    climb: Climb, plan: recipes.Plan, identity: provenance.Identity
) -> tuple[Mapping[str, Any], pd.DataFrame]:
    """Climbs, and returns what it cost (a row for `base_comparison.compare`) and its predictions.

    Raises:
        InputError: the rung came from another machine's cache.
    """
    files, base = paths.DatasetPaths(plan.dataset), climb.params.base
    name = f"{plan.name}-on-{climb.base}-{climb.size}"
    climbed = predicted.climb(name, climb.overrides, [RUNG], files, identity)
    commit = climbed.commit
    timing = json.loads(experiments.fetched(commit, files.seconds("extract_features")))
    pictures = len(experiments.read_frame(commit, files.manifest))
    training = experiments.read_frame(commit, files.history(RUNG))["seconds"].sum()
    row = {
        "base": climb.base,
        "image_size": climb.size,
        "weights": base.weights,
        "features": base.names.features(climb.size),
        "pictures_per_second": pictures / timing["seconds"],
        "megabytes": experiments.size(commit, paths.base_weights(base)) / 1e6,
        "seconds": timing["seconds"] + float(training),
    }
    return row, climbed.predictions[RUNG]
