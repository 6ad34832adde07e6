"""The results as a plot."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from numpy.typing import NDArray

from benchmarks import limits, report, results, spread
from benchmarks.spread import Spread
from ladder import figures

OURS, OTHERS, BOOK = figures.TEST, figures.VALIDATION, figures.BOOK
RANGES = "whiskers: lowest and highest"


def figure(found: results.Results) -> Figure:
    """Returns the ladder both ways, extraction beside matrices, and growth in time and memory."""
    parts = {name: part["result"] for name, part in found["parts"].items()}
    rows = 2 if "growth" in parts else 1
    drawn = Figure(figsize=(12, 4.8 * rows), layout="constrained")
    (ladder, extraction), *grown = drawn.subplots(rows, 2, squeeze=False)
    draw_ladder(ladder, found)
    draw_extraction(extraction, parts.get("extraction"))
    for time, memory in grown:
        draw_growth(time, parts["growth"], "seconds", 1.0)
        draw_growth(memory, parts["growth"], "peak_bytes", 1e-9)
    for axes in drawn.axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
        if not axes.has_data():
            axes.set_axis_off()
    told = found["machine"]
    quick = "A QUICK TRY-OUT, NOT A RESULT. " if found["quick"] else ""
    drawn.suptitle(f"{quick}{told['processor']}, {told['cores']} cores", fontsize=11)
    return drawn


def errors(values: Sequence[Spread]) -> NDArray[np.float64]:
    """Returns the distances of lowest and highest from the medians, (2, n), as error bars."""
    return np.transpose([(v.median - v.low, v.high - v.median) for v in values])


def legend(axes: Axes) -> None:
    """Puts the legend below a plot, where it hides nothing."""
    axes.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2)


def draw_ladder(axes: Axes, found: results.Results) -> None:
    """Draws each rung's seconds both ways as dots on a logarithmic scale, with the ratio between.

    Dots of what is extrapolated are hollow.
    """
    rows = report.ladder_rows(found)
    for label, colour, inside, values in (
        ("the book's way, extrapolated", BOOK, "white", [row.book for row in rows]),
        ("this pipeline, measured", OURS, OURS, [row.ours for row in rows]),
    ):
        known = {i: value for i, value in enumerate(values) if value}
        if known:
            axes.errorbar(
                [value.median for value in known.values()],
                list(known),
                xerr=errors(list(known.values())),
                fmt="o",
                color=colour,
                markerfacecolor=inside,
                markersize=7,
                capsize=3,
                label=label,
            )
    if not axes.has_data():
        return
    for i, row in enumerate(rows):
        label_rung(axes, i, row)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="x", color="0.93")
    axes.set_axisbelow(True)
    axes.axhline(len(rows) - 1.5, color="0.7", linewidth=0.8)  # above the total
    axes.margins(x=0.18, y=0.1)
    axes.set_yticks(range(len(rows)), [figures.TITLES.get(row.name, row.name) for row in rows])
    axes.invert_yaxis()
    axes.set_xlabel(f"seconds, on a logarithmic scale ({RANGES})", fontsize=9)
    axes.set_title("The ladder: seconds both ways, and their ratio", fontsize=10)
    legend(axes)


def label_rung(axes: Axes, y: int, row: report.LadderRow) -> None:
    """Writes a rung's seconds on either side of its dots, and the ratio over the line between."""
    known = sorted((v for v in (row.book, row.ours) if v), key=lambda value: value.median)
    highest, lowest = max(v.high for v in known), min(v.low for v in known)
    sides = [(known[-1], highest, 7, "left"), (known[0], lowest, -7, "right")]
    for value, x, shift, alignment in sides[: len(known)]:
        axes.annotate(
            f"{value.median:,.0f}",
            (x, y),
            (shift, 0),
            textcoords="offset points",
            ha=alignment,
            va="center",
            fontsize=8,
        )
    if len(known) == 2:
        ends = [value.median for value in known]
        axes.plot(ends, [y, y], color="0.8", linewidth=3, zorder=1)
    if row.ratio:
        times = f"{row.ratio.median:,.0f}" if row.ratio.median >= 10 else f"{row.ratio.median:.1f}"
        axes.annotate(
            f"{times} ×",
            (math.sqrt(math.prod(ends)), y),  # the middle of a logarithmic scale
            (0, 6),
            textcoords="offset points",
            ha="center",
            fontsize=9,
            fontweight="bold",
        )


def draw_extraction(axes: Axes, part: dict[str, Any] | None) -> None:
    """Draws every contestant's rate, the fastest first, beside that of matrices."""
    if part is None:
        return
    told = {name: one for name, one in part["contestants"].items() if "error" not in one}
    rates = {name: spread.read(one["pictures_per_second"]) for name, one in told.items()}
    names = sorted(rates, key=lambda name: -rates[name].median)
    values = [rates[name] for name in names]
    medians, places = [value.median for value in values], list(range(len(names)))
    axes.barh(places, medians, color=[OURS if name == "pipeline" else OTHERS for name in names])
    axes.errorbar(medians, places, xerr=errors(values), fmt="none", color="0.35", capsize=3)
    limit = part["limits"]
    precisions = [report.matrix_precision(told[name], limit) for name in names]
    axes.plot(
        [limits.pictures_per_second(limit, precision) for precision in precisions],
        places,
        "|",
        color="black",
        markersize=15,
        markeredgewidth=2,
        label="what TensorFlow's best matrix product in the same arithmetic would allow",
    )
    for i, median in enumerate(medians):
        axes.annotate(
            f"{median:,.1f}",
            (1.06, i),
            xycoords=("axes fraction", "data"),
            ha="right",
            va="center",
            fontsize=8,
        )
    titles = [told[name]["title"].replace(": ", ":\n") for name in names]
    axes.set_yticks(places, titles)
    axes.invert_yaxis()
    axes.set_xlabel(f"pictures/s ({RANGES})", fontsize=9)
    axes.set_title(f"VGG16's forward pass at {part['image_size']} pixels", fontsize=10)
    legend(axes)


def draw_growth(axes: Axes, part: dict[str, Any], measure: str, scale: float) -> None:
    """Draws points and line by the number of pictures or views, one line a way of growing."""
    seconds = measure == "seconds"
    colours = (OURS, BOOK, OTHERS)
    for (name, line), colour in zip(part["lines"].items(), colours, strict=False):
        x = np.array([point["extracted"] for point in line["points"]])
        values = [spread.read(point[measure]).scaled(scale) for point in line["points"]]
        medians = [value.median for value in values]
        axes.errorbar(
            x, medians, errors(values), fmt="o", color=colour, capsize=3, label=report.LINES[name]
        )
        fit = line["lines"][measure]
        axes.plot(x, scale * (fit["slope"] * x + fit["intercept"]), color=colour, linewidth=0.8)
        if not seconds:
            own = [
                spread.read(p["anonymous_peak_bytes"]).scaled(scale).median for p in line["points"]
            ]
            axes.plot(x, own, "x--", color=colour, linewidth=0.8)
    axes.set_ylim(bottom=0)
    axes.set_xlim(left=0)
    axes.set_xlabel(f"pictures, or views of pictures ({RANGES})", fontsize=9)
    axes.set_ylabel("seconds" if seconds else "GB", fontsize=9)
    title = "time" if seconds else "peak memory (crosses: without mapped files)"
    axes.set_title(f"Growth of extraction: {title}", fontsize=10)
    axes.legend(frameon=False, fontsize=8)
