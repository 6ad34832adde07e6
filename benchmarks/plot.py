"""The results as a plot."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from numpy.typing import NDArray

from benchmarks import results, spread
from benchmarks.report import ladders, tables
from benchmarks.spread import Spread
from ladder import base_names, rungs
from ladder.page import figures

PIPELINE, OTHERS, BOOK = figures.TEST, figures.VALIDATION, figures.BOOK
RANGES = "whiskers: lowest and highest"
BOOK_ALONE = "vgg16"  # the base of the book's way, where nothing else was measured


def figure(measured: results.Results) -> Figure:
    """Returns a row for each base: the ladder's seconds both ways, and the rates of extraction."""
    parts = results.by_part(measured)
    extractions = parts["extraction"]["bases"] if "extraction" in parts else {}
    bases = list(dict.fromkeys([*results.ladders(measured), *extractions])) or [BOOK_ALONE]
    drawing = Figure(figsize=(12, 4.8 * len(bases)), layout="constrained")
    for base, (ladder, extraction) in zip(
        bases, drawing.subplots(len(bases), 2, squeeze=False), strict=True
    ):
        rows = [row for row in ladders.rows(measured, base) if row.book or row.pipeline]
        if rows:
            draw_ladder(ladder, base, rows)
        if base in extractions:
            draw_extraction(extraction, base, extractions[base])
        for axes in (ladder, extraction):
            axes.spines[["top", "right"]].set_visible(False)
            axes.tick_params(labelsize=8)
            if not axes.has_data():
                axes.set_axis_off()
    quick = "A QUICK TRY-OUT, NOT A RESULT. " if measured["quick"] else ""
    machine = f"{measured['machine']['processor']}, {measured['machine']['cores']} cores"
    drawing.suptitle(quick + machine, fontsize=11)
    return drawing


def errors(values: Sequence[Spread]) -> NDArray[np.float64]:
    """Returns the distances of lowest and highest from the medians, (2, n), as error bars."""
    return np.transpose([(v.median - v.low, v.high - v.median) for v in values])


def draw_ladder(axes: Axes, base: str, rows: list[ladders.Row]) -> None:
    """Draws each rung's seconds both ways as dots on a logarithmic scale, with the ratio between.

    Dots of what is extrapolated are hollow. A second ladder has no dots of rungs without a base.
    """
    for label, colour, inside, column in (
        ("the book's way, extrapolated", BOOK, "white", [row.book for row in rows]),
        ("this pipeline, measured", PIPELINE, PIPELINE, [row.pipeline for row in rows]),
    ):
        dots = [(y, value) for y, value in enumerate(column) if value]
        if dots:
            places, values = zip(*dots, strict=True)
            axes.errorbar(
                [value.median for value in values], places, xerr=errors(values),
                fmt="o", color=colour, markerfacecolor=inside, markersize=7, capsize=3, label=label,
            )  # fmt: skip
    for y, row in enumerate(rows):
        label_rung(axes, y, row)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="x", color="0.93")
    axes.set_axisbelow(True)
    axes.axhline(len(rows) - 1.5, color="0.7", linewidth=0.8)  # above the total
    axes.margins(x=0.18, y=0.1)
    axes.set_yticks(range(len(rows)), [title(row.name) for row in rows])
    axes.invert_yaxis()
    axes.set_xlabel(f"seconds, on a logarithmic scale ({RANGES})", fontsize=9)
    name = base_names.BASES[base].title
    axes.set_title(f"The ladder with {name}: seconds both ways, and their ratio", fontsize=10)
    below = (0.5, -0.12)
    axes.legend(frameon=False, fontsize=8, ncols=2, loc="upper center", bbox_to_anchor=below)


def label_rung(axes: Axes, y: int, row: ladders.Row) -> None:
    """Writes a rung's seconds on either side of its dots, and the ratio over the line between."""
    values = sorted((v for v in (row.book, row.pipeline) if v), key=lambda value: value.median)
    shifted: dict[str, Any] = {"textcoords": "offset points"}
    small = shifted | {"fontsize": 8, "va": "center"}
    highest, lowest = max(v.high for v in values), min(v.low for v in values)
    axes.annotate(f"{values[-1].median:,.0f}", (highest, y), (7, 0), ha="left", **small)
    if len(values) == 2:
        axes.annotate(f"{values[0].median:,.0f}", (lowest, y), (-7, 0), ha="right", **small)
        ends = [value.median for value in values]
        axes.plot(ends, [y, y], color="0.8", linewidth=3, zorder=1)
        if row.ratio:
            digits = 0 if row.ratio.median >= 10 else 1
            middle = (math.sqrt(math.prod(ends)), y)  # of a logarithmic scale
            bold = shifted | {"fontsize": 9, "fontweight": "bold", "ha": "center"}
            axes.annotate(f"{row.ratio.median:,.{digits}f} ×", middle, (0, 6), **bold)


def draw_extraction(axes: Axes, base: str, part: dict[str, Any]) -> None:
    """Draws the rate of every contestant, the fastest first."""
    measured = {name: c for name, c in part["contestants"].items() if "error" not in c}
    rates = {name: spread.read(c["pictures_per_second"]) for name, c in measured.items()}
    names = sorted(rates, key=lambda name: -rates[name].median)
    values = [rates[name] for name in names]
    medians, places = [value.median for value in values], list(range(len(names)))
    axes.barh(places, medians, color=[PIPELINE if n == "pipeline" else OTHERS for n in names])
    axes.errorbar(medians, places, xerr=errors(values), fmt="none", color="0.35", capsize=3)
    for y, median in enumerate(medians):
        axes.annotate(
            f"{median:,.1f}", (1.06, y),
            xycoords=("axes fraction", "data"), ha="right", va="center", fontsize=8,
        )  # fmt: skip
    axes.set_yticks(places, [measured[name]["title"].replace(": ", ":\n") for name in names])
    axes.invert_yaxis()
    axes.set_xlabel(f"pictures/s ({RANGES})", fontsize=9)
    name = tables.title(base, part["image_size"])
    axes.set_title(f"The forward pass of {name}", fontsize=10)


def title(name: str) -> str:
    """Returns the label of a row: a rung's title, or the row's name."""
    return rungs.TABLE[rungs.named(name)].title if name in rungs.RUNGS else name
