"""Measures the parts asked for and writes JSON, tables and a plot: `make bench`."""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from benchmarks import (
    book_way,
    clone,
    extraction,
    machine,
    matrix,
    pipeline,
    plan,
    results,
)
from benchmarks.report import page
from ladder import artifacts, errors

PARTS = ("extraction", "matrix", "book_way", "pipeline")


def parse(arguments: list[str]) -> argparse.Namespace:
    """Returns the options of the command line."""
    parser = argparse.ArgumentParser("python -m benchmarks.run", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"{', '.join(PARTS)}; all if none")
    parser.add_argument("--archive", default="", help="the book's photographs, as for make book")
    parser.add_argument("--recipe", default="", help="overrides to climb with")
    parser.add_argument("--climbs", type=int, help="how often the ladder is climbed")
    parser.add_argument("--quick", action="store_true", help="little of everything, to try it out")
    parser.add_argument("--redraw", action="store_true", help="measure nothing")
    options = parser.parse_args(arguments)
    if unknown := [part for part in options.parts if part not in PARTS]:
        parser.error(f"no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    if options.climbs is not None and options.climbs < 1:
        parser.error(f"--climbs: expected at least 1, received {options.climbs}")
    return options


def measure(options: argparse.Namespace) -> results.Results:
    """Measures the parts one after the other. Each is written as soon as it has ended."""
    amounts = plan.QUICK if options.quick else plan.FULL
    if options.climbs is not None:
        amounts = replace(amounts, climbs=options.climbs)
    measured = results.start(options.quick)
    with clone.cloned(options.archive, options.recipe, options.quick) as fresh:
        measures: dict[str, Callable[[], dict[str, Any]]] = {
            "extraction": lambda: extraction.measure(amounts),
            "matrix": lambda: matrix.measure(amounts),
            "book_way": lambda: book_way.measure(amounts, fresh),
            "pipeline": lambda: pipeline.measure(amounts, fresh),
        }
        for name in options.parts or PARTS:
            part = {**machine.now(), "versions": machine.versions()}
            part["commit"], part["uncommitted_changes"] = clone.commit()
            started = time.perf_counter()
            result = measures[name]()
            part |= {"seconds": time.perf_counter() - started, "result": result}
            parts = {**measured["parts"], name: part}
            measured["parts"] = {known: parts[known] for known in PARTS if known in parts}
            results.write(measured)
    return measured


def main() -> None:
    """Measures, writes and prints."""
    options = parse(sys.argv[1:])
    measured = results.read(options.quick) if options.redraw else measure(options)
    from benchmarks import plot  # matplotlib, which would count in the memory of what is measured
    from ladder.page import png

    folder = results.path(options.quick).parent
    artifacts.write_text(folder / "benchmark.md", page.markdown(measured))
    png.write(folder / "benchmark.png", plot.figure(measured))
    print(page.markdown(measured))


if __name__ == "__main__":
    errors.run(main)
