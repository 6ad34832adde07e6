"""The results of all parts in one file. Parts may be measured apart, on the same machine."""

import json
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.processes import ROOT
from ladder import artifacts, errors
from ladder.evidence import book

FOLDER = ROOT / "reports/benchmark"

FORMAT = 2  # of the file; 1 knew one base alone

# format, machine, quick,
# parts: {name: date, load, versions, commit, uncommitted_changes, seconds, result}
Results = dict[str, Any]


def path(quick: bool) -> Path:
    """Returns the file of the results. Those of a quick try-out never replace the others."""
    return (FOLDER / "quick" if quick else FOLDER) / "benchmark.json"


def read(quick: bool) -> Results:
    """Returns the results in the file, of whatever machine.

    Raises:
        InputError: another version of this code wrote them.
    """
    results: Results = artifacts.read_json(path(quick))
    if results.get("format", 1) != FORMAT:
        raise errors.InputError(
            str(path(quick)),
            expected=f"results of format {FORMAT}",
            received=f"format {results.get('format', 1)}",
            advice="Move its folder aside and measure anew.",
        )
    return results


def start(quick: bool) -> Results:
    """Returns the results so far, to which another measurement on this machine is added.

    Raises:
        InputError: they are of another machine, or another version of this code wrote them.
    """
    here = machine.describe()
    if not path(quick).exists():
        return {"format": FORMAT, "machine": here, "quick": quick, "parts": {}}
    results = read(quick)
    if not machine.same(results["machine"], here):
        raise errors.InputError(
            str(path(quick)),
            expected=f"results of this machine, {machine.text(here)}",
            received=machine.text(results["machine"]),
            advice="Move its folder aside, or measure on that machine.",
        )
    return results


def write(results: Results) -> None:
    """Writes the results in their order, which is that of parts, stages and contestants."""
    text = json.dumps(results, indent=2, allow_nan=False)
    artifacts.write_text(path(results["quick"]), text + "\n")


def by_part(results: Results) -> dict[str, dict[str, Any]]:
    """Returns the results of the parts that were measured."""
    return {name: part["result"] for name, part in results["parts"].items()}


def ladders(results: Results) -> dict[str, dict[str, Any]]:
    """Returns the ladders that were climbed, by base; none without the part `pipeline`."""
    bases = by_part(results).get("pipeline", {}).get("bases", {})
    return {base: ladder for base, ladder in bases.items() if "error" not in ladder}


def same_pictures(results: Results) -> bool:
    """Returns whether the book's way and the pipeline were measured on the same pictures.

    In a quick try-out they were not: it climbs on fewer pictures than the book has.
    """
    parts = by_part(results)
    if not {"book_way", "pipeline"} <= parts.keys():
        return False
    book_way, pipeline = parts["book_way"], parts["pipeline"]
    return pipeline["split"] == book.COUNTS and all(
        book_way[name] == pipeline[name] for name in ("dataset", "image_size")
    )
