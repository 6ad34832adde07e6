"""Charts: frames and counts in, figures out."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, PowerNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ladder import rungs
from ladder.evidence import calibration
from ladder.page import lettering

FEW = 20  # pictures in a bin, whose accuracy then says little
FEW_CLASSES = 4  # whose names stand across their columns, if they are short
NUMBERED_CLASSES = 20  # at most, for a confusion matrix in numbers
NAMED_CLASSES = 12  # at most, along a confusion matrix without numbers
LARGEST_NAME = 1.6  # inches
NAME_POINTS = 8
MOST_CURVES = 4  # of one rung; of more there is their mean
TEST, VALIDATION, BOOK = "#1f4e79", "#7fa7c9", "#c0392b"


def staircase(ladder: pd.DataFrame, title: str) -> Figure:
    """Returns the ladder: test accuracy as steps with 95 % intervals, validation, the book."""
    figure, axes = _subplots(9, 5)
    steps = np.arange(len(ladder))
    for subset, colour, shift, label in (
        ("test", TEST, 0.0, "test, 95 % interval"),
        ("validation", VALIDATION, 0.16, "validation, 95 % interval"),
    ):
        value = 100 * ladder[f"{subset}_accuracy"]
        low, high = 100 * ladder[f"{subset}_ci_low"], 100 * ladder[f"{subset}_ci_high"]
        spread = _spread(value, low, high)
        axes.errorbar(steps + shift, value, spread, fmt="o", color=colour, capsize=4, label=label)
    test = 100 * ladder["test_accuracy"]
    edges = np.arange(len(ladder) + 1) - 0.5
    axes.stairs(test, edges, color=TEST, fill=True, alpha=0.12)
    for x, value in zip(steps, test, strict=True):
        axes.annotate(
            f"{value:.1f} %", (x, value), (-9, -3),
            textcoords="offset points", ha="right", va="top", color=TEST,
        )  # fmt: skip
    if ladder["book"].notna().all():
        axes.plot(
            steps + 0.34, 100 * ladder["book"], "_", color=BOOK, markersize=22, markeredgewidth=3,
            label="the book (validation; the last one test)",
        )  # fmt: skip
    axes.set_xticks(steps, [_title(rung) for rung in ladder["rung"]])
    axes.set_ylim(min(50, 5 * (ladder.filter(like="ci_low").to_numpy().min() * 20 // 1)), 101)
    axes.set_ylabel("accuracy, %")
    axes.set_title(title, parse_math=False, fontfamily=lettering.fonts([title]))
    rises = test.iloc[-1] > test.iloc[0]  # a control's ladder need not
    axes.legend(loc="lower right" if rises else "upper right", frameon=False)
    return figure


def _spread(value: Any, low: Any, high: Any) -> NDArray[np.float64]:
    """How far an interval reaches below and above, (2, …), never less than 0 by rounding."""
    return np.stack([value - low, high - value]).clip(min=0)


def history(frame: pd.DataFrame) -> Figure:
    """Returns one training's curves: loss and accuracy, training and validation, by epoch."""
    figure, (left, right) = _row(1)
    _curves(left, right, frame)
    return figure


def histories(frames: Mapping[rungs.Rung, pd.DataFrame]) -> Figure:
    """Returns the curves of all trainings, a row each."""
    figure, axes = _row(len(frames))
    for i, (rung, frame) in enumerate(frames.items()):
        left, right = axes[2 * i], axes[2 * i + 1]
        _curves(left, right, frame)
        left.set_title(_title(rung).replace("\n", " "), loc="left")
    return figure


def _row(count: int) -> tuple[Figure, Sequence[Axes]]:
    figure = Figure(figsize=(9, 3 * count), layout="constrained")
    grid = figure.subplots(count, 2, squeeze=False)
    return figure, list(grid.ravel())


def _curves(left: Axes, right: Axes, frame: pd.DataFrame) -> None:
    best = int(frame["epoch"].iloc[frame["val_loss"].argmin()])
    validated = frame.dropna(subset=["val_loss"])
    for axes, name in ((left, "loss"), (right, "accuracy")):
        for epochs, column, colour, label in (
            (frame, name, VALIDATION, "training"),
            (validated, f"val_{name}", TEST, "validation"),
        ):
            axes.plot(epochs["epoch"], epochs[column], ".-", color=colour, label=label)
        axes.axvline(best, color="grey", linewidth=0.8, linestyle=":", label="epoch kept")
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylabel(name)
        _bare(axes)
    left.legend(frameon=False)


def confusions(
    counts: Mapping[rungs.Rung, NDArray[np.int64]], class_names: Sequence[str]
) -> Figure:
    """Returns the confusion matrix (true, predicted) of every rung, side by side."""
    if not _fit(class_names):
        return _large_confusions({_title(rung): c for rung, c in counts.items()}, class_names)
    figure = Figure(figsize=(2.6 * len(counts), 3), layout="constrained")
    grid = figure.subplots(1, len(counts), squeeze=False).ravel()
    for axes, (rung, matrix) in zip(grid, counts.items(), strict=True):
        _confusion(axes, matrix, class_names)
        axes.set_title(_title(rung), fontsize=9)
    grid[0].set_ylabel("true")
    return figure


def confusion(counts: NDArray[np.int64], class_names: Sequence[str]) -> Figure:
    """Returns one confusion matrix (true, predicted)."""
    if not _fit(class_names):
        return _large_confusions({"": counts}, class_names)
    figure, axes = _subplots(3, 3)
    _confusion(axes, counts, class_names)
    axes.set_ylabel("true")
    return figure


def names_in_confusions(class_names: Sequence[str]) -> str:
    """Returns sentences on the names along a confusion matrix: which there are, what was cut."""
    if _fit(class_names):
        return ""
    every = _every(len(class_names))
    named = range(0, len(class_names), every)
    written = lettering.names(class_names, LARGEST_NAME, NAME_POINTS)
    key = lettering.key([class_names[i] for i in named], [written[i] for i in named])
    if len(class_names) <= NUMBERED_CLASSES:
        return key
    some = f"Of {len(class_names)} classes, in alphabetical order, one in {every} is named."
    return f"{some} {key}".rstrip()


def _fit(class_names: Sequence[str]) -> bool:
    """Whether the names stand across the columns of a small matrix without touching."""
    cell = 1.8 / len(class_names)
    return len(class_names) <= FEW_CLASSES and list(class_names) == lettering.names(
        class_names, cell, 10
    )


def _every(count: int) -> int:
    """How many classes there are for one that is named."""
    return 1 if count <= NUMBERED_CLASSES else math.ceil(count / NAMED_CLASSES)


def _confusion(axes: Axes, counts: NDArray[np.int64], class_names: Sequence[str]) -> None:
    _matrix(axes, counts, Normalize(0, 1))
    for (i, j), count in np.ndenumerate(counts):
        _number(axes, i, j, counts, str(count), 10)
    ticks, family = range(len(class_names)), lettering.fonts(class_names)
    axes.set_xticks(ticks, class_names, parse_math=False, fontfamily=family)
    axes.set_yticks(
        ticks, class_names, rotation=90, va="center", parse_math=False, fontfamily=family
    )
    axes.set_xlabel("predicted")


def _matrix(axes: Axes, counts: NDArray[np.int64], norm: Normalize) -> AxesImage:
    return axes.imshow(_share(counts), cmap="Blues", norm=norm)


def _share(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    share: NDArray[np.float64] = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return share


def _number(
    axes: Axes, i: int, j: int, counts: NDArray[np.int64], text: str, points: float
) -> None:
    colour = "w" if _share(counts)[i, j] > 0.5 else "k"
    axes.text(j, i, text, ha="center", va="center", color=colour, fontsize=points)


def _large_confusions(
    matrices: Mapping[str, NDArray[np.int64]], class_names: Sequence[str]
) -> Figure:
    """Confusion matrices by title, in rows, with names that are turned and cut.

    Up to `NUMBERED_CLASSES` with numbers, but for zeros.
    """
    count = len(class_names)
    written = lettering.names(class_names, LARGEST_NAME, NAME_POINTS)[:: _every(count)]
    family = lettering.fonts(written)
    numbered = count <= NUMBERED_CLASSES
    side = max(2.0, 0.27 * count) if numbered else 3.0
    margin = 0.4 + max(lettering.measured(name, NAME_POINTS) for name in written)
    rows = math.ceil(len(matrices) / max(2, 9.5 // side))
    columns = math.ceil(len(matrices) / rows)
    size = columns * (side + 0.2) + margin + 0.4, rows * (side + margin + 0.5)
    figure = Figure(figsize=size, layout="compressed")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    norm = Normalize(0, 1) if numbered else PowerNorm(0.5, 0, 1)  # which shows small shares
    for i, (axes, (title, counts)) in enumerate(zip(grid, matrices.items(), strict=False)):
        image = _matrix(axes, counts, norm)
        axes.set_title(title, fontsize=9)
        ticks, first = range(0, count, _every(count)), i % columns == 0
        style = {"fontsize": NAME_POINTS, "fontfamily": family, "parse_math": False}
        axes.set_xticks(ticks, written, rotation=90, **style)
        axes.set_yticks(ticks, written if first else [""] * len(written), **style)
        axes.set_xlabel("predicted")
        axes.set_ylabel("true" if first else "")
        if numbered:
            points = min(10, 100 * side / count / len(str(counts.max())))
            for true, predicted in zip(*counts.nonzero(), strict=True):
                text = str(counts[true, predicted])
                _number(axes, true, predicted, counts, text, points)
    for axes in grid[len(matrices) :]:
        axes.remove()
    if not numbered:
        figure.colorbar(
            image, ax=grid[: len(matrices)], shrink=0.5, label="share of the true class"
        )
    return figure


def reliability(
    bins: Mapping[rungs.Rung, pd.DataFrame],
    calibration_errors: Mapping[rungs.Rung, float],
    by_chance: Mapping[rungs.Rung, float],
) -> Figure:
    """Returns every rung's reliability diagram: accuracy by confidence, with 95 % intervals.

    A point's area is its share of the pictures; bins of fewer than `FEW` are pale. `by_chance` is
    `calibration.error_by_chance`.
    """
    figure = Figure(figsize=(2.6 * len(bins), 3.4), layout="constrained")
    grid = figure.subplots(1, len(bins), squeeze=False, sharex=True, sharey=True).ravel()
    lowest = min(frame["low"].min() for frame in bins.values())
    for axes, (rung, frame) in zip(grid, bins.items(), strict=True):
        axes.axline((0, 0), slope=1, color="grey", linewidth=0.8, linestyle=":")
        strength = np.where(frame["pictures"] < FEW, 0.25, 1.0)
        axes.vlines(
            frame["confidence"], frame["ci_low"], frame["ci_high"],
            color=VALIDATION, linewidth=1, alpha=strength,
        )  # fmt: skip
        area = 300 * frame["pictures"] / frame["pictures"].sum()
        axes.scatter(
            frame["confidence"], frame["accuracy"], area.clip(lower=4),
            color=TEST, zorder=3, clip_on=False, alpha=strength,
        )  # fmt: skip
        axes.text(
            0.97, 0.03, f"ECE {100 * calibration_errors[rung]:.1f} %\n"
            f"by chance ≤ {100 * by_chance[rung]:.1f} %",
            transform=axes.transAxes, ha="right", fontsize=9,
        )  # fmt: skip
        axes.set_title(_title(rung), fontsize=9)
        axes.set_xlim(lowest, 1.02)
        axes.set_ylim(-0.02, 1.02)
        axes.set_xlabel("confidence")
        _bare(axes)
    grid[0].set_ylabel("accuracy on test")
    return figure


def roc(points: Mapping[rungs.Rung, Sequence[pd.DataFrame]], areas: Mapping[str, float]) -> Figure:
    """Returns every rung's ROC curve, one line per class against the rest.

    Of more than `MOST_CURVES` classes it is their mean.
    """
    figure, axes = _subplots(5, 5)
    axes.axline((0, 0), slope=1, color="grey", linewidth=0.8, linestyle=":")
    _rung_curves(axes, calibration.ROC_COLUMNS, points, areas, "area", "default")
    axes.legend(loc="lower right", frameon=False, fontsize=9)
    return figure


def precision_recall(
    points: Mapping[rungs.Rung, Sequence[pd.DataFrame]], areas: Mapping[str, float]
) -> Figure:
    """Returns every rung's precision–recall steps, one line per class against the rest.

    Of more than `MOST_CURVES` classes it is their mean.
    """
    figure, axes = _subplots(5, 5)
    _rung_curves(
        axes, calibration.PRECISION_RECALL_COLUMNS, points, areas, "average precision", "steps-post"
    )
    axes.legend(loc="lower left", frameon=False, fontsize=9)
    return figure


def _rung_curves(
    axes: Axes,
    columns: list[str],
    points: Mapping[rungs.Rung, Sequence[pd.DataFrame]],
    areas: Mapping[str, float],
    area_name: str,
    drawstyle: str,
) -> None:
    for rung, frames in points.items():
        area = "not defined" if np.isnan(areas[rung]) else f"{areas[rung]:.3f}"
        label = f"{rung}, {area_name} {area}"
        drawn = frames if len(frames) <= MOST_CURVES else [calibration.mean_curve(frames)]
        for frame in drawn or [pd.DataFrame(columns=columns)]:
            axes.plot(
                frame[columns[0]], frame[columns[1]],
                drawstyle=drawstyle, color=_colour(rung), linewidth=1.5, label=label,
            )  # fmt: skip
            label = "_"  # the other classes' lines are not in the legend
    axes.set_xlabel(columns[0].replace("_", " "))
    axes.set_ylabel(columns[1].replace("_", " "))
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.01)
    axes.set_aspect("equal")


def seeds(values: pd.DataFrame, means: pd.DataFrame, book: Mapping[str, float]) -> Figure:
    """Returns every seed's accuracy, the mean with its interval, and the book's mark, by rung.

    `values` has rung, accuracy and `means` rung, mean, ci_low, ci_high: one row per rung, of the
    subset that `book` was measured on, which may be empty.
    """
    figure, axes = _subplots(9, 5)
    for step, row in enumerate(means.to_dict("records")):
        every = 100 * values.loc[values["rung"] == row["rung"], "accuracy"]
        axes.plot(
            [step + 0.16] * len(every), every, "o",
            color=VALIDATION, alpha=0.7, label="" if step else "one seed",
        )  # fmt: skip
        mean = 100 * row["mean"]
        spread = _spread(mean, 100 * row["ci_low"], 100 * row["ci_high"])[:, None]
        label = "" if step else "mean of the seeds, 95 % interval over seeds and pictures"
        axes.errorbar(step, mean, spread, fmt="o", color=TEST, capsize=4, label=label)
        top = (step, 100 * row["ci_high"])
        axes.annotate(f"{mean:.1f} %", top, (-4, 6), textcoords="offset points", ha="left")
    steps = [step for step, rung in enumerate(means["rung"]) if rung in book]
    if steps:
        marks = [100 * book[means["rung"].iloc[step]] for step in steps]
        axes.plot(
            np.array(steps) - 0.16, marks, "_",
            color=BOOK, markersize=22, markeredgewidth=3, label="the book",
        )  # fmt: skip
    axes.set_xticks(range(len(means)), [_title(rung) for rung in means["rung"]])
    axes.set_ylabel("accuracy, %")
    rises = means["mean"].iloc[-1] > means["mean"].iloc[0]
    axes.legend(loc="lower right" if rises else "lower left", frameon=False)
    return figure


def learning_curve(points: pd.DataFrame) -> Figure:
    """Returns test accuracy by number of train pictures, a line with 95 % intervals per rung.

    `points` has rung, train_pictures, mean, ci_low, ci_high.
    """
    figure, axes = _subplots(8, 5)
    for i, (rung, frame) in enumerate(points.groupby("rung", sort=False)):
        mean = 100 * frame["mean"]
        spread = _spread(mean, 100 * frame["ci_low"], 100 * frame["ci_high"])
        shifted = frame["train_pictures"] * 1.03**i  # so that intervals do not lie on one another
        axes.errorbar(
            shifted, mean, spread, fmt="o-", color=_colour(str(rung)), capsize=3, label=rung
        )
    counts = sorted(points["train_pictures"].unique())
    axes.set_xscale("log")
    axes.set_xticks(counts, [f"{count:,}" for count in counts])
    axes.minorticks_off()
    axes.set_xlabel("train pictures")
    axes.set_ylabel("test accuracy, %")
    axes.legend(loc="lower right", frameon=False)
    return figure


def blank_shares(shares: Mapping[str, Mapping[str, float]]) -> Figure:
    """Returns the share of blank channels by layer, for each of the named networks."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    widths = [len(layers) for layers in shares.values()]
    grid = figure.subplots(1, len(shares), squeeze=False, sharey=True, width_ratios=widths).ravel()
    for axes, (title, layers) in zip(grid, shares.items(), strict=True):
        axes.bar(range(len(layers)), [100 * share for share in layers.values()], color=TEST)
        axes.set_xticks(range(len(layers)), list(layers), rotation=90)
        axes.set_title(title, parse_math=False)
        _bare(axes)
    grid[0].set_ylabel("blank channels, %")
    return figure


def _subplots(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    _bare(axes)
    return figure, axes


def _bare(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)


def _title(rung: str) -> str:
    return rungs.TABLE[rungs.named(rung)].title


def _colour(rung: str) -> str:
    return rungs.TABLE[rungs.named(rung)].colour
