"""The results as a table for people."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from benchmarks import limits, machine, pipeline, results, spread
from benchmarks.spread import Spread
from ladder import paths, rungs

Row = Sequence[str]

# What the ladder is meant to reach on two cores with AMX, on the book's photographs.
LADDER_SECONDS, TIMES_THE_BOOK, OPENVINO = 600.0, 50.0, 0.95
CHANGED_SECONDS, NOTHING_SECONDS, PEAK_BYTES = 40.0, 4.0, 3e9
VIEWS, LINEAR, FLAT = 1500.0, 0.1, 1.1  # views/s; share off the line; growth over 8 times as many


def table(header: Row, rows: Iterable[Row]) -> str:
    """Returns a table in Markdown; all columns but the first are set right."""
    rule = [":--", *("--:" for _ in header[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rule, *rows))


def text(value: Spread, digits: int = 1) -> str:
    """Returns a median with its range."""
    if value.n == 1:
        return f"{value.median:,.{digits}f}"
    return f"{value.median:,.{digits}f} ({value.low:,.{digits}f} – {value.high:,.{digits}f})"


def megabytes(byte_count: float) -> str:
    """Returns bytes as MB, a million bytes."""
    return f"{byte_count / 1e6:,.0f}"


def markdown(found: results.Results) -> str:
    """Returns the whole report; parts that were not measured are left out."""
    parts = {name: part["result"] for name, part in found["parts"].items()}
    sections: dict[str, Callable[[dict[str, Any]], str]] = {
        "pipeline": stages,
        "extraction": contestants,
        "limits": rates,
        "changes": changes,
        "growth": growth,
    }
    quick = (
        "**A quick try-out, on few pictures and steps: not a result.**\n" if found["quick"] else ""
    )
    written = [
        "# Benchmark\n",
        quick,
        measured_on(found),
        ladder(found),
        *(section(parts[name]) for name, section in sections.items() if name in parts),
        goals(found),
    ]
    return "\n".join(filter(None, written))


def measured_on(found: results.Results) -> str:
    """Returns machine, dates and versions."""
    told = found["machine"]
    taken = "bfloat16" if machine.has_fast_bfloat16(told) else "float32"
    rows = []
    versions: dict[str, list[str]] = {}
    for name, part in found["parts"].items():
        commit = part["commit"] + (" and changes" if part["uncommitted_changes"] else "")
        load = "" if part["load"] is None else f"{part['load']:.1f}"
        rows.append((name, part["date"], commit, f"{part['seconds']:,.0f}", load))
        shown = part["versions"] | peers(part["result"])
        versions.setdefault(", ".join(f"{k} {v}" for k, v in shown.items()), []).append(name)
    header = ("part", "date", "commit", "seconds", "load before")
    notes = [f"- {', '.join(names)}: {shown}" for shown, names in versions.items()]
    where = f"{machine.text(told)}; this pipeline takes {taken}.\n"
    return "\n".join([where, table(header, rows), "", *notes, ""])


def peers(part: dict[str, Any]) -> dict[str, str]:
    """Returns the versions that the contestants in an environment of their own told."""
    told = [one.get("versions", {}) for one in part.get("contestants", {}).values()]
    named = {name: version for versions in told for name, version in versions.items()}
    return {name: named[name].split("-")[0] for name in ("torch", "openvino") if name in named}


def ladder(found: results.Results) -> str:
    """Returns the book's way beside the pipeline, rung by rung, with ratios where they hold."""
    parts = found["parts"]
    if not {"book_way", "pipeline"} & parts.keys():
        return ""
    rows = [(row.name, *row.cells()) for row in ladder_rows(found)]
    named = next(parts[name]["result"] for name in ("pipeline", "book_way") if name in parts)
    note = ""
    if "book_way" in parts:
        steps = next(iter(parts["book_way"]["result"]["rungs"].values()))["steps_measured"]
        note = (
            f"\nThe book's way is **extrapolated**: timed over repetitions of {steps} steps after "
            "a warm-up, times the book's epochs and steps. Its total holds no start-up and no "
            "evaluation; the pipeline's holds all stages, each with the start of DVC and Python. "
            "Ranges are lowest and highest, of ratios the widest possible.\n"
        )
    if "pipeline" in parts:
        note += (
            "\nA rung of this pipeline is timed by the stages that it adds: "
            + ", ".join(f"{rung} ({', '.join(own)})" for rung, own in pipeline.RUNG_STAGES.items())
            + ". What an earlier rung has stored is not computed again: fine_tuned takes the "
            "activations of features and features_augmented, and the latter's head.\n"
        )
    if {"book_way", "pipeline"} <= parts.keys() and not results.same_pictures(found):
        note += "\nThe two are of different pictures: no ratios.\n"
    header = ("rung", "book's way, seconds (extrapolated)", "this pipeline, seconds", "ratio")
    title = f"## The ladder, {named['dataset']} at {named['image_size']} pixels\n\n"
    return title + table(header, rows) + "\n" + note


class LadderRow:
    """A rung's seconds, both ways; None where a way was not measured."""

    def __init__(self, name: str, book: Spread | None, ours: Spread | None, comparable: bool):
        self.name, self.book, self.ours = name, book, ours
        self.ratio = spread.ratio(book, ours) if book and ours and comparable else None

    def cells(self) -> Row:
        """Returns the three columns; empty where there is nothing."""
        return tuple(text(value) if value else "" for value in (self.book, self.ours, self.ratio))


def ladder_rows(found: results.Results) -> list[LadderRow]:
    """Returns a row for every rung, and the total."""
    parts = {name: part["result"] for name, part in found["parts"].items()}
    book, ours = parts.get("book_way"), parts.get("pipeline")
    comparable = results.same_pictures(found)
    rows = []
    for rung in rungs.RUNGS:
        theirs = Spread(**book["rungs"][rung]["extrapolated_seconds"]) if book else None
        here = spread.read(ours["rungs"][rung]) if ours else None
        rows.append(LadderRow(rung, theirs, here, comparable))
    whole = spread.total([row.book for row in rows if row.book]) if book else None
    rows.append(
        LadderRow("total", whole, spread.read(ours["total_seconds"]) if ours else None, comparable)
    )
    return rows


def stages(part: dict[str, Any]) -> str:
    """Returns the pipeline, stage by stage."""
    rows = [
        (name, text(spread.read(told["seconds"])), megabytes(told["peak_bytes"]))
        for name, told in part["stages"].items()
    ]
    rows += [
        (f"**{title}**", text(spread.read(part[name])), "")
        for title, name in (
            ("total", "total_seconds"),
            ("`dvc repro`, nothing to do", "nothing_to_do_seconds"),
            ("`dvc repro evaluate`, train_head.learning_rate changed", "changed_rate_seconds"),
        )
    ]
    counts = ", ".join(f"{name} {count}" for name, count in part["split"].items() if count)
    climbs = part["total_seconds"]["n"]
    title = f"## This pipeline, {climbs} climb{'s' * (climbs > 1)} ({counts})\n\n"
    note = "\nLinux counts in the process that starts a stage: the lowest peaks are its own.\n"
    note += "\n`download` may have waited for the network.\n" if part["downloaded"] else ""
    return title + table(("stage", "seconds", "peak memory, MB"), rows) + "\n" + note


def contestants(part: dict[str, Any]) -> str:
    """Returns the extraction's rates, beside the pipeline's and the machine's limit."""
    ours = part["contestants"].get("pipeline", {}).get("pictures_per_second")
    rows, errors = [], []
    for told in part["contestants"].values():
        if "error" in told:
            errors.append(f"Not measured: {told['title']}: {told['error']}\n")
            continue
        rate = told["pictures_per_second"]
        cells = [told["title"], told["arithmetic"], text(spread.read(rate))]
        cells.append(text(paired(rate, ours), 2) if ours else "")
        cells.append(f"{100 * told['deviation']:.2f} %" if "deviation" in told else "")
        cells.append(text(matrix_share(told, part["limits"]).scaled(100), 0))
        cells.append(megabytes(told["peak_bytes"]))
        rows.append(cells)
    header = (
        "VGG16 up to block5_pool",
        "arithmetic used",
        "pictures/s",
        "times this pipeline",
        "features differ from float32 by",
        "of the matrix rate, per cent",
        "peak memory, MB",
    )
    size, batch_size = part["image_size"], part["batch_size"]
    title = f"## Extraction, {size} pixels, batches of {batch_size}, all cores\n\n"
    note = (
        "The matrix rate is that of TensorFlow's products of square matrices in the arithmetic "
        "used, measured in the same turns; it is no limit for another library or algorithm.\n"
    )
    return "\n".join([title + table(header, rows), "", note, *errors])


def paired(above: dict[str, Any], below: dict[str, Any]) -> Spread:
    """Returns the spread of the ratios of repetitions that were measured in the same turn.

    One may have fewer than the other: it was too slow for more.
    """
    return Spread.of([a / b for a, b in zip(above["values"], below["values"], strict=False)])


def matrix_share(told: dict[str, Any], limit: dict[str, Any]) -> Spread:
    """Returns the share of the matrix rate, of the arithmetic used, that VGG16 came to."""
    rate = limit["per_second"][matrix_precision(told, limit)]
    return paired(told["pictures_per_second"], rate).scaled(limit["flops_per_picture"])


def matrix_precision(told: dict[str, Any], limit: dict[str, Any]) -> str:
    """Returns the arithmetic of the matrices that a contestant is compared with."""
    return told["arithmetic"] if told["arithmetic"] in limit["sizes"] else "float32"


def rates(part: dict[str, Any]) -> str:
    """Returns the machine's limits."""
    rows = []
    for precision, bytes_per_value in (("bfloat16", 2), ("float32", 4)):
        rate = spread.read(part["per_second"][precision])
        rows.append(
            (
                f"{precision}, matrices of {part['sizes'][precision]:,}",
                f"{rate.high / 1e9:,.0f}",
                f"{rate.median / 1e9:,.0f}",
                f"{limits.pictures_per_second(part, precision):,.0f}",
                f"{limits.memory_pictures_per_second(part, bytes_per_value):,.0f}",
            )
        )
    header = (
        "",
        "best GFLOP/s",
        "median GFLOP/s",
        "VGG16 at the best rate, pictures/s",
        "at the best memory rate alone",
    )
    copied = spread.read(part["per_second"]["memory"]).scaled(1e-9)
    note = (
        f"Memory, read and written: {text(copied)} GB/s. VGG16 at {part['image_size']} pixels: "
        f"{part['flops_per_picture'] / 1e9:.2f} GFLOP and "
        f"{part['activation_values_per_picture']:,} numbers read and written a picture, "
        f"{part['parameters']:,} parameters. Augmentation: "
        f"{text(spread.read(part['per_second']['views']), 0)} random views/s.\n"
    )
    return "## Limits\n\n" + table(header, rows) + "\n\n" + note


def changes(part: dict[str, Any]) -> str:
    """Returns what each change was predicted and measured to do."""
    rows = [
        (
            told["title"],
            *(text(spread.read(told[way]["pictures_per_second"])) for way in ("before", "after")),
            *(text(spread.read(told[ratio])) for ratio in ("predicted", "measured")),
        )
        for told in part["changes"].values()
    ]
    header = ("change", "before, pictures/s", "after, pictures/s", "times, predicted", "measured")
    note = (
        "Predicted by a picture's arithmetic at the rate of matrices, and the passes over the "
        "weights that are trained at the rate of copies, both measured in the same turns: what is "
        "not that (starting a step, reading and writing what layers pass on) is the difference.\n"
    )
    title = f"## What each change does, {part['image_size']} pixels\n\n"
    return title + table(header, rows) + "\n\n" + note


LINES = {
    "features": "features",
    "views": "one view of each (features and activations)",
    "more_views": "several views of each of the fewest pictures",
}


def growth(part: dict[str, Any]) -> str:
    """Returns time and memory by the number of pictures, and the lines through them."""
    rows, lines = [], []
    for name, line in part["lines"].items():
        rows += [
            (
                LINES[name],
                f"{point['pictures']:,}",
                f"{point['views']}",
                text(spread.read(point["seconds"])),
                megabytes(point["peak_bytes"]["high"]),
                megabytes(point["anonymous_peak_bytes"]["high"]),
            )
            for point in line["points"]
        ]
        time, peak, own = (
            line["lines"][measure] for measure in ("seconds", "peak_bytes", "anonymous_peak_bytes")
        )
        lines.append(
            f"- {LINES[name]}: {1000 * time['slope']:.2f} ms each, R² {time['r2']:.4f}, at most "
            f"{100 * time['largest_deviation']:.1f} % from the line; peak memory "
            f"{peak['slope'] / 1e3:+.1f} kB each, of it not mapped from files "
            f"{own['slope'] / 1e3:+.1f} kB."
        )
    header = ("", "pictures", "views", "seconds", "peak memory, MB", "of it not mapped, MB")
    return (
        f"## Growth, {part['image_size']} pixels\n\n"
        + table(header, rows)
        + "\n\nPages of mapped files count as memory until the kernel needs them for something "
        "else.\n\n" + "\n".join(lines) + "\n"
    )


def goals(found: results.Results) -> str:
    """Returns what the ladder is meant to reach, and whether it was reached here."""
    rows = [
        (what, goal, measured, "yes" if reached else "no")
        for what, goal, measured, reached in goal_rows(found)
    ]
    if not rows or found["quick"]:
        return ""
    lacking = "" if "amx_bf16" in found["machine"]["flags"] else ", which this machine lacks"
    note = f"Meant for the book's photographs on two cores with AMX{lacking}.\n\n"
    return "## Goals\n\n" + note + table(("", "goal", "measured", "reached"), rows) + "\n"


def goal_rows(found: results.Results) -> Iterable[tuple[str, str, str, bool]]:
    """Yields every goal whose parts were measured: what, goal, measured, reached."""
    parts = {name: part["result"] for name, part in found["parts"].items()}
    if ours := parts.get("pipeline"):
        for what, name, most in (
            ("the whole ladder, seconds", "total_seconds", LADDER_SECONDS),
            ("after a changed rate, seconds", "changed_rate_seconds", CHANGED_SECONDS),
            ("nothing to do, seconds", "nothing_to_do_seconds", NOTHING_SECONDS),
        ):
            value = spread.read(ours[name])
            yield what, f"≤ {most:g}", text(value), value.median <= most
        peak = max(told["peak_bytes"] for told in ours["stages"].values())
        yield "largest stage, MB", f"≤ {megabytes(PEAK_BYTES)}", megabytes(peak), peak <= PEAK_BYTES
        for rung, told in ours["accuracies"].items():
            if told["book"] is not None:
                name = "test_accuracy" if rung == "fine_tuned" else "validation_accuracy"
                yield (
                    f"{rung}, {name.partition('_')[0]} accuracy, per cent",
                    f"≥ {100 * told['book']:g}",
                    f"{100 * told[name]:.1f}",
                    told[name] >= told["book"],
                )
    times = ladder_rows(found)[-1].ratio
    if times:
        goal = f"≥ {TIMES_THE_BOOK:g}"
        yield "times the book's way", goal, text(times), times.median >= TIMES_THE_BOOK
    if limit := parts.get("limits"):
        views = spread.read(limit["per_second"]["views"])
        goal = f"≥ {VIEWS:,.0f}"
        yield "augmentation, views/s", goal, text(views, 0), views.median >= VIEWS
    for name, line in parts.get("growth", {}).get("lines", {}).items():
        apart = line["lines"]["seconds"]["largest_deviation"]
        what = f"time of {LINES[name]}, per cent from a line"
        yield what, f"≤ {100 * LINEAR:g}", f"{100 * apart:.1f}", apart <= LINEAR
        own = [point["anonymous_peak_bytes"]["high"] for point in line["points"]]
        grown = max(own) / min(own)
        what = f"memory of {LINES[name]}, not mapped, most times least"
        yield what, f"≤ {FLAT:g}", f"{grown:.2f}", grown <= FLAT
    if extraction := parts.get("extraction"):
        yield from extraction_goals(extraction["contestants"])


def extraction_goals(told: dict[str, Any]) -> Iterable[tuple[str, str, str, bool]]:
    """Yields the pipeline's extraction against the fastest that train, and against OpenVINO."""
    rates = {name: one["pictures_per_second"] for name, one in told.items() if "error" not in one}
    ours = rates.pop("pipeline", None)
    for what, least, rivals in (
        ("extraction, times the fastest that trains", 1.0, [n for n in rates if told[n]["trains"]]),
        ("extraction, times OpenVINO", OPENVINO, [n for n in rates if n.startswith("openvino")]),
    ):
        if ours and rivals:
            fastest = max(rivals, key=lambda name: rates[name]["median"])
            value = paired(ours, rates[fastest])
            yield what, f"≥ {least:g}", text(value, 3), value.median >= least


def summary(found: results.Results) -> str:
    """Returns the lines that a run ends with: seconds, ratios with their ranges, and goals."""
    lines = []
    if {"book_way", "pipeline"} & found["parts"].keys():
        lines = [f"{'':<20} {'extrapolated':>32} {'this pipeline':>26} {'times':>24}"]
    for row in ladder_rows(found) if lines else []:
        book, ours, times = row.cells()
        lines.append(f"{row.name:<20} {book:>32} {ours:>26} {times:>24}")
    if found["quick"]:
        return "\n".join(["A quick try-out, not a result.", *lines])
    for what, goal, measured, reached in goal_rows(found):
        lines.append(f"{what:<48} {measured:>26}  goal {goal}: {'yes' if reached else 'no'}")
    return "\n".join(lines)
