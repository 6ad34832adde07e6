"""Climbs beside the workspace: DVC experiments with overrides, and the reports that they leave.

The workspace's own params.yaml, dvc.lock and data stay as they are.
"""

import argparse
import io
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from ruamel.yaml import YAML

from ladder import (
    archives,
    artifacts,
    comparison,
    errors,
    paths,
    processes,
    provenance,
    report,
    settings,
    sources,
)

RECIPES = Path("recipes")
# DVC, without a warning per output that the lock of another dataset does not hold yet.
DVC = """
import logging, sys
from dvc.cli import main
logging.getLogger("dvc_data.index.checkout").setLevel("ERROR")
sys.exit(main(sys.argv[1:]))
"""
BOOK = "dogs_vs_cats"  # the recipe of the book's photographs; all others stand on it
# Recipes that ask of others: a base that goes on training beside frozen ones that see the book's
# pixels, at our rates and at the book's.
BESIDE = {"unfrozen": ("book_preprocessing", "book")}


@dataclass(frozen=True)
class Plan:
    """What to climb on: a dataset's source, the overrides of params.yaml, where reports go.

    Studies of recipes lie below those of the default climb, where `render` finds them.
    """

    source: str
    overrides: tuple[str, ...]
    reports: Path
    studies: Path
    name: str


def arguments(description: str) -> argparse.ArgumentParser:
    """Returns a parser of what every climb takes: an archive and a recipe."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--archive", default="", help="zip or folder of the book's photographs")
    parser.add_argument("--recipe", default="", help="a list of overrides in recipes/")
    return parser


def plan(archive: str, recipe: str) -> Plan:
    """Returns the plan: params.yaml as it is, or a recipe; an archive alone means the book's.

    The archive's path travels in the environment alone, so that it enters no file.

    Raises:
        InputError: there is no such recipe or no archive.
    """
    chosen = recipe or (BOOK if archive else "")
    lines: dict[str, str] = {}
    for name in dict.fromkeys((BOOK, chosen) if chosen else ()):
        lines |= dict(line.split("=", 1) for line in read_recipe(name))
    if archive:
        path = Path(archive).absolute()
        lines["dataset.archive_sha256"] = archives.sha256(path)
        os.environ[sources.ARCHIVE_VARIABLE] = str(path)
    overrides = tuple(f"{key}={value}" for key, value in lines.items())
    source = lines.get("dataset.source", settings.load("dataset").dataset.source)
    reports = paths.DatasetPaths(source).reports
    studies = reports / "studies"
    if chosen in ("", BOOK):
        return Plan(source, overrides, reports, studies, "book" if chosen else source)
    return Plan(source, overrides, reports / chosen, studies / chosen, f"book-{chosen}")


def read_recipe(name: str) -> list[str]:
    """Returns the overrides of a list in recipes/, `key=value`, without its comments.

    Raises:
        InputError: there is no such list, or a line of it is no `key=value`.
    """
    path = RECIPES / f"{name}.txt"
    if not path.is_file():
        raise errors.InputError(
            "RECIPE",
            expected=f"one of {', '.join(sorted(p.stem for p in RECIPES.glob('*.txt')))}",
            received=name,
            advice=f"Choose one, or write {path}.",
        )
    return read_list(path)


def read_list(path: Path) -> list[str]:
    """Returns a list's lines without its comments.

    Raises:
        InputError: a line is no `key=value`.
    """
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    overrides = [line for line in lines if line]
    for line in overrides:
        if "=" not in line:
            raise errors.InputError(
                str(path),
                expected="lines of `key=value`",
                received=line,
                advice="Correct it: split.train_per_class=200.",
            )
    return overrides


def values(overrides: Sequence[str]) -> dict[str, Any]:
    """Returns overrides, `section.key=value`, by key, a later one over an earlier."""
    yaml = YAML(typ="safe", pure=True)
    pairs = (line.split("=", 1) for line in overrides)
    return {key: yaml.load(value) for key, value in pairs}


def override(params: Path, changes: Mapping[str, Any]) -> None:
    """Writes values by `section.key` into a params.yaml, whose comments stay.

    Raises:
        InputError: it has no such key.
    """
    yaml = YAML()
    content = yaml.load(params)
    change(content, changes)
    yaml.dump(content, params)


def params(path: Path, overrides: Sequence[str]) -> dict[str, Any]:
    """Returns the content of a params.yaml with overrides, `section.key=value`.

    Raises:
        InputError: it has no such key.
    """
    content: dict[str, Any] = YAML(typ="safe", pure=True).load(path)
    change(content, values(overrides))
    return content


def now(overrides: Sequence[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Returns the params and the code that a climb of the workspace with overrides would have.

    Raises:
        InputError: params.yaml has no such key.
    """
    return params(settings.PARAMS, overrides), provenance.of_project(Path())


def digest(overrides: Sequence[str]) -> str:
    """Returns the digest (`provenance`) of a climb of the workspace with overrides.

    Raises:
        InputError: params.yaml has no such key.
    """
    return provenance.digest(*now(overrides))


def check_unchanged(overrides: Sequence[str], before: str) -> None:
    """Checks that the next climb of a study has the `digest` of those before.

    Raises:
        InputError: it has not.
    """
    if digest(overrides) != before:
        raise errors.InputError(
            "study",
            expected="the same code and params for every climb",
            received="a change since the first",
            advice="Start it again: what is climbed already comes from the run cache.",
        )


def change(content: Any, changes: Mapping[str, Any]) -> None:
    """Puts values by `section.key` into the content of a params.yaml.

    Raises:
        InputError: it has no such key.
    """
    for key, value in changes.items():
        *sections, name = key.split(".")
        place = content
        for section in sections:
            place = place.get(section) if isinstance(place, Mapping) else None
        if not isinstance(place, MutableMapping) or name not in place:
            raise errors.InputError(
                "recipe", expected="keys of params.yaml", received=key, advice="Correct the recipe."
            )
        place[name] = value


def climb(name: str, overrides: Sequence[str], targets: Sequence[str] = ()) -> str:
    """Climbs in a copy, as a DVC experiment of this name, and returns its commit.

    An experiment of that name is replaced; what was climbed before comes from the run cache. Of two
    overrides of a key the later one counts.
    """
    name = name.replace("_", "-")
    reference = f"refs/exps/*/*/{name}"
    if _git("for-each-ref", reference):
        _dvc("exp", "remove", "--quiet", name)
    last = {override.partition("=")[0]: override for override in overrides}
    changes = (f"--set-param={override}" for override in last.values())
    _dvc("exp", "run", "--temp", "--name", name, *changes, *targets)
    return _git("for-each-ref", "--format=%(objectname)", reference).decode().strip()


def take(commit: str, source: str, target: Path) -> None:
    """Puts what evaluate and render wrote for a dataset in a climb's commit into `target`."""
    folder = paths.DatasetPaths(source).reports
    lock = YAML(typ="safe", pure=True).load(show(commit, Path("dvc.lock")))
    outputs = [out["path"] for s in ("evaluate", "render") for out in lock["stages"][s]["outs"]]
    names = [Path(p).relative_to(folder) for p in outputs if Path(p).is_relative_to(folder)]
    packed = _git("archive", f"{commit}:{folder.as_posix()}", *(n.as_posix() for n in names))
    target.mkdir(parents=True, exist_ok=True)
    for name in names:
        if (target / name).is_dir():
            shutil.rmtree(target / name)
    with tarfile.open(fileobj=io.BytesIO(packed)) as files:
        files.extractall(target, filter="data")


def fetch(commit: str, path: Path, target: Path) -> None:
    """Copies an output of a climb, which git does not hold, out of DVC's cache."""
    target.parent.mkdir(parents=True, exist_ok=True)
    _dvc("get", "--quiet", "--force", ".", str(path), "--rev", commit, "--out", str(target))


def environment_of_copy() -> dict[str, str]:
    """Returns an environment to run DVC in, in a copy: this Python, the copy's own code and store.

    Whatever happens to the workspace meanwhile; nothing that the user set for DVC or MLflow.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DVC_", "MLFLOW_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    return kept | {"PATH": path, "PYTHONPATH": "src"}


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], check=True, stdout=subprocess.PIPE).stdout


def _dvc(*arguments: str) -> None:
    # The copy's own code, whatever happens to the workspace meanwhile. DVC commits experiments,
    # and git may not know yet who works here.
    environment = {**os.environ, "PYTHONPATH": "src"}
    if subprocess.run(["git", "config", "user.email"], stdout=subprocess.DEVNULL).returncode:
        for role in ("AUTHOR", "COMMITTER"):
            environment[f"GIT_{role}_NAME"] = "ladder"
            environment[f"GIT_{role}_EMAIL"] = "ladder@localhost"
    command = [sys.executable, "-c", DVC, *arguments]
    if status := processes.run(command, Path(), environment):
        sys.exit(status)


def show(commit: str, path: Path) -> bytes:
    """Returns a file that git holds, as a climb left it."""
    return _git("show", f"{commit}:{path.as_posix()}")


def archive_of(lock: Path) -> str | None:
    """Returns the md5 of the archive whose pictures a climb.lock is of; None where there is none.

    Pictures of equal names from two archives need not be equal pictures.
    """
    if not lock.is_file():
        return None
    download = YAML(typ="safe", pure=True).load(lock)["stages"]["download"]
    return str(download["outs"][0]["md5"])


def predictions(reports: Path) -> dict[paths.Rung, pd.DataFrame]:
    """Returns the predictions in a folder of reports."""
    return {rung: pd.read_csv(reports / f"predictions/{rung}.csv") for rung in paths.RUNGS}


def main() -> None:
    """Climbs once, takes the reports over and prints the ladder.

    Writes `studies/recipes.csv` as well: what recipes reach beside the default climb.
    """
    given = arguments(
        "Climbs beside the workspace, by default on the book's photographs."
    ).parse_args()
    chosen = plan(given.archive, given.recipe or BOOK)
    take(climb(chosen.name, chosen.overrides), chosen.source, chosen.reports)
    print(report.text(chosen.reports))
    beside = compare(paths.DatasetPaths(chosen.source).reports)
    if len(own := beside[beside["recipe"] == chosen.reports.name]):
        print("", *report.recipes(own), sep="\n")
    print(f"\n{chosen.reports / 'ladder.html'}")


def compare(reports: Path) -> pd.DataFrame:
    """Writes `studies/recipes.csv`: what recipes reach beside the default climb.

    Of a recipe those rungs that its params change; it must be of the same code and the same archive
    of pictures. One that asks of others (`BESIDE`) stands beside those as well. Returns the table,
    empty where there is nothing to compare.
    """
    default = reports / "climb.lock"
    archive = archive_of(default)
    locks = {
        lock.parent.name: lock
        for lock in sorted(reports.glob("*/climb.lock"))
        if archive is not None and archive_of(lock) == archive
    }
    by_default = predictions(reports) if locks else {}
    pairs = {}
    for recipe, lock in locks.items():
        of_recipe = changed(default, lock)
        if of_recipe is None:
            print(f"ladder: {recipe} is of other code than the default: not compared")
            continue
        every = predictions(lock.parent)
        ours = {rung: every[rung] for rung in of_recipe}
        pairs[recipe, "default"] = (ours, by_default)
        for other in BESIDE.get(recipe, ()):
            if other in locks:
                apart = changed(locks[other], lock) or ()
                differing = {rung: frame for rung, frame in ours.items() if rung in apart}
                pairs[recipe, other] = (differing, predictions(locks[other].parent))
    made = comparison.recipes(pairs)
    table = reports / "studies/recipes.csv"
    if made.empty:
        table.unlink(missing_ok=True)  # of recipes that were
    else:
        digest = provenance.digest(*provenance.of_lock(default))
        artifacts.write_csv(table, made.assign(digest=digest))
    return made


def changed(default: Path, other: Path) -> list[paths.Rung] | None:
    """Returns the rungs whose params differ between two climbs' locks; None if their code does.

    Where the pictures came from is left out.
    """
    ours, theirs = provenance.of_rungs(default), provenance.of_rungs(other)
    rungs: list[paths.Rung] = []
    for rung in paths.RUNGS:
        (params, code), (others, other_code) = ours[rung], theirs[rung]
        if code != other_code:
            return None
        if params | {"dataset": None} != others | {"dataset": None}:
            rungs.append(rung)
    return rungs


if __name__ == "__main__":
    errors.run(main)
