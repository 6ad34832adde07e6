"""The results of all parts in one file: parts may be measured apart, but not mixed up."""

import json
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.processes import ROOT
from ladder import artifacts, errors, evaluation

FOLDER = ROOT / "reports/benchmark"

# machine, quick, parts: {name: date, load, versions, commit, uncommitted_changes, seconds, result}
Results = dict[str, Any]


def folder(quick: bool) -> Path:
    """Returns where results lie; those of a quick try-out never replace the others."""
    return FOLDER / "quick" if quick else FOLDER


def path(quick: bool) -> Path:
    """Returns the file of the results."""
    return folder(quick) / "benchmark.json"


def read(quick: bool) -> Results:
    """Returns the results as they lie there, of whatever machine.

    Raises:
        InputError: nothing has been measured yet.
    """
    if not path(quick).exists():
        raise errors.InputError(
            str(path(quick)),
            expected="results to draw",
            received="no such file",
            advice="Measure first: `make bench`.",
        )
    known: Results = artifacts.read_json(path(quick))
    return known


def start(quick: bool) -> Results:
    """Returns the results so far, which another measurement on this machine is added to.

    Raises:
        InputError: they are of another machine.
    """
    here = machine.describe()
    if not path(quick).exists():
        return {"machine": here, "quick": quick, "parts": {}}
    known = read(quick)
    if not machine.same(known["machine"], here):
        raise errors.InputError(
            str(path(quick)),
            expected=f"results of this machine, {machine.text(here)}",
            received=machine.text(known["machine"]),
            advice="Move its folder aside, or measure on that machine.",
        )
    return known


def write(results: Results) -> None:
    """Writes the results in the order that they are in: that of stages and contestants is told."""
    text = json.dumps(results, indent=2, allow_nan=False)
    artifacts.write_text(path(results["quick"]), text + "\n")


def same_pictures(results: Results) -> bool:
    """Returns whether the book's way and the pipeline were measured on the same pictures.

    In a quick try-out they were not: it climbs on fewer than the book's counts.
    """
    parts = results["parts"]
    if not {"book_way", "pipeline"} <= parts.keys():
        return False
    book, ours = parts["book_way"]["result"], parts["pipeline"]["result"]
    return ours["split"] == evaluation.BOOK_SPLIT.model_dump() and all(
        book[name] == ours[name] for name in ("dataset", "image_size")
    )
