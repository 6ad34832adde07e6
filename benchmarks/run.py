"""Measures the parts asked for and writes JSON, table and plot: `make bench`."""

import argparse
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from typing import Any

from benchmarks import (
    book_way,
    changes,
    clone,
    extraction,
    growth,
    limits,
    machine,
    pipeline,
    plan,
    report,
    results,
)
from ladder import artifacts, errors

PARTS = ("limits", "extraction", "growth", "changes", "book_way", "pipeline")


def parse(arguments: list[str]) -> argparse.Namespace:
    """Returns what the command line asks for."""
    parser = argparse.ArgumentParser("python -m benchmarks.run", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"{', '.join(PARTS)}; all if none")
    parser.add_argument("--archive", default="", help="the book's photographs, as for make book")
    parser.add_argument("--recipe", default="", help="overrides to climb with")
    parser.add_argument("--climbs", type=int, help="how often the ladder is climbed")
    parser.add_argument("--quick", action="store_true", help="little of everything, to try it out")
    parser.add_argument("--redraw", action="store_true", help="measure nothing")
    asked = parser.parse_args(arguments)
    for part in asked.parts:
        if part not in PARTS:
            parser.error(f"no part {part!r}; there are {', '.join(PARTS)}")
    if asked.climbs is not None and asked.climbs < 1:
        parser.error(f"--climbs: expected at least 1, received {asked.climbs}")
    return asked


def measure(asked: argparse.Namespace) -> results.Results:
    """Measures the parts one after the other; each is written as soon as it is done."""
    chosen = plan.QUICK if asked.quick else plan.FULL
    if asked.climbs is not None:
        chosen = replace(chosen, climbs=asked.climbs)
    found = results.start(asked.quick)
    with ExitStack() as stack:

        @cache
        def fresh() -> clone.Clone:
            return stack.enter_context(clone.cloned(asked.archive, asked.recipe, asked.quick))

        measures: dict[str, Callable[[], dict[str, Any]]] = {
            "limits": lambda: limits.measure(chosen),
            "extraction": lambda: extraction.measure(chosen),
            "growth": lambda: growth.measure(chosen),
            "changes": lambda: changes.measure(chosen),
            "book_way": lambda: book_way.measure(chosen, fresh()),
            "pipeline": lambda: pipeline.measure(chosen, fresh()),
        }
        for part in asked.parts or PARTS:
            about = {**machine.now(), "versions": machine.versions()}
            about["commit"], about["uncommitted_changes"] = clone.commit()
            started = time.perf_counter()
            result = measures[part]()
            seconds = time.perf_counter() - started
            parts = {**found["parts"], part: {**about, "seconds": seconds, "result": result}}
            found["parts"] = {name: parts[name] for name in PARTS if name in parts}
            results.write(found)
    return found


def main() -> None:
    """Measures, writes and prints."""
    asked = parse(sys.argv[1:])
    found = results.read(asked.quick) if asked.redraw else measure(asked)
    from benchmarks import plot  # matplotlib, which would count in the memory of what is measured

    folder = results.folder(asked.quick)
    artifacts.write_text(folder / "benchmark.md", report.markdown(found))
    artifacts.write_png(folder / "benchmark.png", plot.figure(found))
    print(report.summary(found))


if __name__ == "__main__":
    errors.run(main)
