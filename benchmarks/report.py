"""The results as tables for people."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import machine, pipeline, results, spread
from benchmarks.spread import Spread
from ladder import rungs

Row = Sequence[str]
QUICK = "**A quick try-out, on few pictures and steps: not a result.**\n"


def markdown(measured: results.Results) -> str:
    """Returns the whole report. Parts that were not measured are left out."""
    parts = results.by_part(measured)
    sections = [
        "# Benchmark\n",
        QUICK if measured["quick"] else "",
        measured_on(measured),
        ladder(measured) if {"book_way", "pipeline"} & parts.keys() else "",
        stages(parts["pipeline"]) if "pipeline" in parts else "",
        contestants(parts["extraction"]) if "extraction" in parts else "",
    ]
    return "\n".join(filter(None, sections))


def table(header: Row, rows: Iterable[Row]) -> str:
    """Returns a table in Markdown. All columns but the first are set right."""
    rule = [":--", *("--:" for _ in header[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rule, *rows)) + "\n"


def text(value: Spread | None, digits: int = 1) -> str:
    """Returns a median with its range, "" without one."""
    if value is None:
        return ""
    if value.n == 1:
        return f"{value.median:,.{digits}f}"
    return f"{value.median:,.{digits}f} ({value.low:,.{digits}f} – {value.high:,.{digits}f})"


def megabytes(byte_count: float) -> str:
    """Returns bytes as MB, a million bytes."""
    return f"{byte_count / 1e6:,.0f}"


def measured_on(measured: results.Results) -> str:
    """Returns machine, dates, commits and versions."""
    precision = "bfloat16" if machine.has_fast_bfloat16(measured["machine"]) else "float32"
    rows, notes = [], []
    for name, part in measured["parts"].items():
        commit = part["commit"] + (" and changes" if part["uncommitted_changes"] else "")
        load = "" if part["load"] is None else f"{part['load']:.1f}"
        rows.append((name, part["date"], commit, f"{part['seconds']:,.0f}", load))
        versions = dict(part["versions"])
        for contestant in part["result"].get("contestants", {}).values():
            peers = contestant.get("versions", {}).items()
            versions |= {k: v.split("-")[0] for k, v in peers if k in ("torch", "openvino")}
        notes.append(f"- {name}: {', '.join(f'{k} {v}' for k, v in versions.items())}\n")
    header = ("part", "date", "commit", "seconds", "load before")
    where = f"{machine.text(measured['machine'])}; this pipeline uses {precision}.\n"
    return "\n".join([where, table(header, rows), "".join(notes)])


@dataclass(frozen=True)
class LadderRow:
    """A rung's seconds both ways. None stands for what was not measured or not comparable."""

    name: str
    book: Spread | None
    pipeline: Spread | None
    ratio: Spread | None


def ladder_rows(measured: results.Results) -> list[LadderRow]:
    """Returns a row for every rung, and the total. Ratios are of the same pictures only."""
    parts = results.by_part(measured)
    books: dict[str, Spread] = {}
    pipelines: dict[str, Spread] = {}
    if book := parts.get("book_way"):
        books = {r: Spread(**book["rungs"][r]["extrapolated_seconds"]) for r in rungs.RUNGS}
        books["total"] = spread.total([*books.values()])
    if climb := parts.get("pipeline"):
        pipelines = {rung: spread.read(climb["rungs"][rung]) for rung in rungs.RUNGS}
        pipelines["total"] = spread.read(climb["total_seconds"])
    comparable = results.same_pictures(measured)
    rows = []
    for name in (*rungs.RUNGS, "total"):
        ratio = spread.ratio(books[name], pipelines[name]) if comparable else None
        rows.append(LadderRow(name, books.get(name), pipelines.get(name), ratio))
    return rows


def ladder(measured: results.Results) -> str:
    """Returns the seconds of the book's way and of the pipeline, with ratios where they hold."""
    parts = results.by_part(measured)
    notes = []
    if book := parts.get("book_way"):
        notes.append(
            "The book's way is **extrapolated**: timed over repetitions of "
            f"{book['rungs']['scratch']['steps_measured']} steps after a warm-up, times the book's "
            "epochs and steps. Its total has no start-up and no evaluation. The pipeline's total "
            "has all stages, each with the start of DVC and Python. Ranges are lowest and highest, "
            "of ratios the widest possible.\n"
        )
    if "pipeline" in parts:
        stages = (f"{rung} ({', '.join(own)})" for rung, own in pipeline.RUNG_STAGES.items())
        notes.append(
            f"A rung of this pipeline is timed by the stages that it adds: {', '.join(stages)}. "
            "What an earlier rung has stored is not computed again: fine_tuned uses the "
            "activations of features and features_augmented, and the latter's head.\n"
        )
    if {"book_way", "pipeline"} <= parts.keys() and not results.same_pictures(measured):
        notes.append("The two are of different pictures: no ratios.\n")
    header = ("rung", "book's way, seconds (extrapolated)", "this pipeline, seconds", "ratio")
    rows = [
        (row.name, text(row.book), text(row.pipeline), text(row.ratio))
        for row in ladder_rows(measured)
    ]
    pictures = parts.get("pipeline") or parts["book_way"]
    title = f"## The ladder, {pictures['dataset']} at {pictures['image_size']} pixels\n"
    return "\n".join([title, table(header, rows), *notes])


def stages(part: dict[str, Any]) -> str:
    """Returns the pipeline, stage by stage."""
    rows = [
        (name, text(spread.read(stage["seconds"])), megabytes(stage["peak_bytes"]))
        for name, stage in part["stages"].items()
    ]
    rows.append(("**total**", text(spread.read(part["total_seconds"])), ""))
    counts = ", ".join(f"{name} {count}" for name, count in part["split"].items() if count)
    climbs = part["total_seconds"]["n"]
    title = f"## This pipeline, {climbs} climb{'s' * (climbs > 1)} ({counts})\n"
    notes = ["Linux counts the process that starts a stage: the lowest peaks are its own.\n"]
    if part["downloaded"]:
        notes.append("`download` may have waited for the network.\n")
    return "\n".join([title, table(("stage", "seconds", "peak memory, MB"), rows), *notes])


def contestants(part: dict[str, Any]) -> str:
    """Returns the rates of extraction, and their ratios to the pipeline's rate."""
    pipeline_rate = part["contestants"]["pipeline"].get("pictures_per_second")
    rows, errors = [], []
    for contestant in part["contestants"].values():
        if "error" in contestant:
            errors.append(f"Not measured: {contestant['title']}: {contestant['error']}\n")
            continue
        rate = contestant["pictures_per_second"]
        ratio = spread.paired(rate, pipeline_rate) if pipeline_rate else None
        row = [contestant["title"], contestant["arithmetic"], text(spread.read(rate))]
        row += [text(ratio, 2)]
        row += [f"{100 * contestant['deviation']:.2f} %" if "deviation" in contestant else ""]
        rows.append([*row, megabytes(contestant["peak_bytes"])])
    header = ["VGG16 up to block5_pool", "arithmetic used", "pictures/s", "times this pipeline"]
    header += ["features differ from float32 by", "peak memory, MB"]
    title = (
        f"## Extraction, {part['image_size']} pixels, batches of {part['batch_size']}, all cores\n"
    )
    return "\n".join([title, table(header, rows), *errors])
