"""The results as a plot."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from benchmarks import limits, report, results, spread
from benchmarks.spread import Spread
from ladder import figures

OURS, OTHERS, LIMIT = figures.TEST, figures.VALIDATION, figures.BOOK


def figure(found: results.Results) -> Figure:
    """Returns the ladder both ways, extraction beside its limit, and growth in time and memory."""
    parts = {name: part["result"] for name, part in found["parts"].items()}
    rows = 2 if "growth" in parts else 1
    drawn = Figure(figsize=(13, 4.5 * rows), layout="constrained")
    (ladder, extraction), *grown = drawn.subplots(rows, 2, squeeze=False)
    draw_ladder(ladder, found)
    draw_extraction(extraction, parts.get("extraction"))
    for time, memory in grown:
        draw_growth(time, parts["growth"], "seconds", 1.0)
        draw_growth(memory, parts["growth"], "peak_bytes", 1e-9)
    for axes in drawn.axes:
        axes.spines[["top", "right"]].set_visible(False)
        if not axes.has_data():
            axes.set_axis_off()
    told = found["machine"]
    quick = "A QUICK TRY-OUT, NOT A RESULT. " if found["quick"] else ""
    drawn.suptitle(f"{quick}{told['processor']}, {told['cores']} cores", fontsize=11)
    return drawn


def errors(value: Spread) -> list[list[float]]:
    """Returns the distances of lowest and highest from the median, as error bars want them."""
    return [[value.median - value.low], [value.high - value.median]]


def draw_ladder(axes: Axes, found: results.Results) -> None:
    """Draws a pair of bars for every rung, on a logarithmic scale, with the ratio above."""
    rows = report.ladder_rows(found)
    for i, row in enumerate(rows):
        for value, shift, colour in ((row.book, -0.2, LIMIT), (row.ours, 0.2, OURS)):
            if value:
                axes.bar(i + shift, value.median, 0.38, color=colour)
                axes.errorbar(i + shift, value.median, errors(value), color="black", capsize=3)
        if row.ratio and row.book:
            label = (
                f"× {row.ratio.median:,.0f}"
                if row.ratio.median >= 10
                else f"× {row.ratio.median:.1f}"
            )
            axes.annotate(
                label, (i, row.book.high), (0, 6), textcoords="offset points", ha="center"
            )
    if not axes.has_data():
        return
    axes.set_yscale("log")
    axes.margins(y=0.12)
    names = [figures.TITLES.get(row.name, row.name) for row in rows]
    axes.set_xticks(range(len(rows)), names, fontsize=7)
    axes.set_ylabel("seconds")
    axes.set_title("The ladder: the book's way (extrapolated) and this pipeline", fontsize=10)
    patches = [
        Patch(color=colour, label=label)
        for label, colour in (("the book's way, extrapolated", LIMIT), ("this pipeline", OURS))
    ]
    axes.legend(handles=patches, frameon=False, fontsize=8, loc="upper left")


def draw_extraction(axes: Axes, part: dict[str, Any] | None) -> None:
    """Draws every contestant's rate with its range, and the rate at which matrices would run."""
    if part is None:
        return
    told = [(name, one) for name, one in part["contestants"].items() if "error" not in one]
    for i, (name, one) in enumerate(told):
        value = spread.read(one["pictures_per_second"])
        axes.barh(i, value.median, color=OURS if name == "pipeline" else OTHERS)
        axes.errorbar(value.median, i, xerr=errors(value), color="black", capsize=3)
        axes.annotate(
            f"{value.median:,.1f}", (value.high, i), (5, -3), textcoords="offset points", fontsize=8
        )
    for precision, style in (("bfloat16", "-"), ("float32", ":")):
        rate = limits.pictures_per_second(part["limits"], precision)
        axes.axvline(rate, color=LIMIT, linestyle=style, label=f"best matrix rate, {precision}")
    axes.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=2)
    titles = [one["title"].replace(": ", ":\n") for _, one in told]
    axes.set_yticks(range(len(told)), titles, fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.1)
    axes.set_xlabel("pictures/s")
    axes.set_title(f"VGG16's forward pass at {part['image_size']} pixels", fontsize=10)


def draw_growth(axes: Axes, part: dict[str, Any], measure: str, scale: float) -> None:
    """Draws points and line by the number of pictures or views, one line a way of growing."""
    seconds = measure == "seconds"
    colours = (OURS, LIMIT, OTHERS)
    for (name, line), colour in zip(part["lines"].items(), colours, strict=False):
        x = np.array([point["extracted"] for point in line["points"]])
        values = [spread.read(point[measure]).scaled(scale) for point in line["points"]]
        bars = np.concatenate([errors(value) for value in values], axis=1)
        medians = [value.median for value in values]
        axes.errorbar(x, medians, bars, fmt="o", color=colour, capsize=3, label=report.LINES[name])
        fit = line["lines"][measure]
        axes.plot(x, scale * (fit["slope"] * x + fit["intercept"]), color=colour, linewidth=0.8)
        if not seconds:
            own = [
                spread.read(p["anonymous_peak_bytes"]).scaled(scale).median for p in line["points"]
            ]
            axes.plot(x, own, "x--", color=colour, linewidth=0.8)
    axes.set_ylim(bottom=0)
    axes.set_xlim(left=0)
    axes.set_xlabel("pictures, or views of pictures")
    axes.set_ylabel("seconds" if seconds else "GB")
    title = "Time" if seconds else "Peak memory (crosses: of it not mapped from files)"
    axes.set_title(f"Growth of extraction: {title}", fontsize=10)
    axes.legend(frameon=False, fontsize=8)
