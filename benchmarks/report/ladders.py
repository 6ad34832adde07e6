"""The ladder beside the book's way, one base beside the other, and stage by stage."""

from dataclasses import dataclass
from typing import Any

from benchmarks import pipeline, results, spread
from benchmarks.report.tables import megabytes, table, text, title
from benchmarks.spread import Spread
from ladder import base_names, rungs

EXTRAPOLATED = (
    "The book's way is **extrapolated**: timed over repetitions of {steps} steps after a warm-up, "
    "times the book's epochs and steps. Its total has no start-up and no evaluation. The "
    "pipeline's total has all stages, each with the start of DVC and Python. Ranges are lowest and "
    "highest, of ratios the widest possible.\n"
)
ADDED = (
    "A rung of this pipeline is timed by the stages that it adds: {stages}. What an earlier rung "
    "has stored is not computed again: fine_tuned uses the activations of features and "
    "features_augmented, and the latter's head.\n"
)
SHARED = (
    "The second ladder does not run the stages that do not depend on the base: {stages}. Their "
    "results are those of the first ladder, and its total has their seconds from there.\n"
)


@dataclass(frozen=True)
class Row:
    """A rung's seconds both ways. None stands for what was not measured or not comparable."""

    name: str
    book: Spread | None
    pipeline: Spread | None
    ratio: Spread | None


def rows(measured: results.Results, base: str) -> list[Row]:
    """Returns a row for every rung, and the total. Ratios are of the same pictures only.

    `base` says of which ladder; without a ladder on it the book's way stands alone.
    """
    parts = results.by_part(measured)
    books: dict[str, Spread] = {}
    pipelines: dict[str, Spread] = {}
    if book := parts.get("book_way"):
        books = {r: Spread(**book["rungs"][r]["extrapolated_seconds"]) for r in rungs.RUNGS}
        books["total"] = spread.total([*books.values()])
    if climb := results.ladders(measured).get(base):
        pipelines = {rung: spread.read(seconds) for rung, seconds in climb["rungs"].items()}
        pipelines["total"] = spread.read(climb["total_seconds"])
    comparable = results.same_pictures(measured)
    found = []
    for name in (*rungs.RUNGS, "total"):
        both = comparable and name in pipelines
        ratio = spread.ratio(books[name], pipelines[name]) if both else None
        found.append(Row(name, books.get(name), pipelines.get(name), ratio))
    return found


def both_ways(measured: results.Results) -> str:
    """Returns the seconds of the book's way and of each ladder, with ratios where they hold."""
    parts, climbed = results.by_part(measured), results.ladders(measured)
    header = ["rung", "book's way, seconds (extrapolated)"]
    lines = [[row.name, text(row.book)] for row in rows(measured, base="")]
    for base, part in climbed.items():
        header += [f"{title(base, part['image_size'])}, seconds", "ratio"]
        for line, row in zip(lines, rows(measured, base), strict=True):
            line += [text(row.pipeline), text(row.ratio)]
    pictures = parts.get("pipeline") or parts["book_way"]
    heading = f"## The ladder, {pictures['dataset']} at {pictures['image_size']} pixels\n"
    return "\n".join([heading, table(header, lines), *_notes(measured)])


def _notes(measured: results.Results) -> list[str]:
    parts, climbed = results.by_part(measured), results.ladders(measured)
    notes = []
    if book := parts.get("book_way"):
        steps = book["rungs"]["scratch"]["steps_measured"]
        notes.append(EXTRAPOLATED.format(steps=steps))
    if climb := parts.get("pipeline"):
        own = (f"{rung} ({', '.join(stages)})" for rung, stages in pipeline.RUNG_STAGES.items())
        notes.append(ADDED.format(stages=", ".join(own)))
        notes += [
            f"Not climbed with {base_names.BASES[base].title}: {part['error']}\n"
            for base, part in climb["bases"].items()
            if "error" in part
        ]
    if len(climbed) > 1:
        notes.append(SHARED.format(stages=", ".join(pipeline.SHARED_STAGES)))
    if {"book_way", "pipeline"} <= parts.keys() and not results.same_pictures(measured):
        notes.append("The two are of different pictures: no ratios.\n")
    return notes


def between_bases(measured: results.Results) -> str:
    """Returns the seconds of two ladders, of the rungs on a base and of the whole; and ratios."""
    (first, one), (second, other) = results.ladders(measured).items()
    seconds = {rung: (one["rungs"][rung], other["rungs"][rung]) for rung in pipeline.ON_BASE}
    together: dict[str, Any] = {
        "these three rungs": (one["on_base_seconds"], other["on_base_seconds"]),
        "the whole ladder": (one["total_seconds"], other["total_seconds"]),
    }
    lines = []
    for name, recorded in (seconds | together).items():
        of_one, of_other = map(spread.read, recorded)
        lines.append((name, text(of_one), text(of_other), text(spread.ratio(of_other, of_one), 2)))
    titles = [title(base, part["image_size"]) for base, part in ((first, one), (second, other))]
    header = ("rung", *(f"{name}, seconds" for name in titles), "second by first")
    return "\n".join(["## One base beside the other\n", table(header, lines)])


def stages(part: dict[str, Any], base: str) -> str:
    """Returns a ladder, stage by stage."""
    ladder = part["bases"][base]
    lines = [
        (name, text(spread.read(stage["seconds"])), megabytes(stage["peak_bytes"]))
        for name, stage in ladder["stages"].items()
    ]
    lines.append(("**total**", text(spread.read(ladder["total_seconds"])), ""))
    counts = ", ".join(f"{name} {count}" for name, count in part["split"].items() if count)
    climbs = ladder["total_seconds"]["n"]
    heading = f"## This pipeline, {title(base, ladder['image_size'])}, "
    heading += f"{climbs} climb{'s' * (climbs > 1)} ({counts})\n"
    notes = ["Linux counts the process that starts a stage: the lowest peaks are its own.\n"]
    if part["downloaded"] and "download" in ladder["stages"]:
        notes.append("`download` may have waited for the network.\n")
    return "\n".join([heading, table(("stage", "seconds", "peak memory, MB"), lines), *notes])
