"""The results of all parts in one file: parts may be measured apart, but not mixed up."""

import json
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.processes import ROOT
from ladder import artifacts

FOLDER = ROOT / "reports/benchmark"

# What the book's epochs and steps are extrapolated to (DLwP 5.2.2).
BOOK_SPLIT = {
    "train_per_class": 1000,
    "validation_per_class": 500,
    "test_per_class": 500,
    "train_used_per_class": None,
    "shuffle_train_labels": False,
}

Results = dict[str, Any]  # machine, quick, parts: {name: date, load, versions, seconds, result}


def folder(quick: bool) -> Path:
    """Returns where results lie; those of a quick try-out never replace the others."""
    return FOLDER / "quick" if quick else FOLDER


def path(quick: bool) -> Path:
    """Returns the file of the results."""
    return folder(quick) / "benchmark.json"


def start(quick: bool) -> Results:
    """Returns the results so far; none if they are of another machine."""
    described = machine.describe()
    fresh: Results = {"machine": described, "quick": quick, "parts": {}}
    if not path(quick).exists():
        return fresh
    known: Results = artifacts.read_json(path(quick))
    return known if known["machine"] == described else fresh


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
    return ours["split"] == BOOK_SPLIT and all(
        book[name] == ours[name] for name in ("dataset", "image_size")
    )
