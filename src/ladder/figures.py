"""The only import of matplotlib: arrays and frames in, figures out."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl

mpl.use("Agg")

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ladder import paths

TITLES: dict[str, str] = {
    "scratch": "convnet\nfrom scratch",
    "scratch_augmented": "+ augmentation\nand dropout",
    "features": "dense head on\nVGG16 features",
    "features_augmented": "frozen VGG16\n+ augmentation",
    "fine_tuned": "fine-tuned\nblock5",
}
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
        spread = np.stack([value - low, high - value])
        axes.errorbar(steps + shift, value, spread, fmt="o", color=colour, capsize=4, label=label)
    test = 100 * ladder["test_accuracy"]
    edges = np.arange(len(ladder) + 1) - 0.5
    axes.stairs(test, edges, color=TEST, fill=True, alpha=0.12)
    for x, value in zip(steps, test, strict=True):
        axes.annotate(f"{value:.1f} %", (x, value), (-8, 8), textcoords="offset points", ha="right")
    if ladder["book"].notna().all():
        axes.plot(
            steps - 0.16, 100 * ladder["book"], "_", color=BOOK, markersize=22, markeredgewidth=3,
            label="the book (validation; the last one test)",
        )  # fmt: skip
    axes.set_xticks(steps, [TITLES[rung] for rung in ladder["rung"]])
    axes.set_ylim(min(50, 5 * (ladder.filter(like="ci_low").to_numpy().min() * 20 // 1)), 101)
    axes.set_ylabel("accuracy, %")
    axes.set_title(title)
    axes.legend(loc="lower right", frameon=False)
    return figure


def history(frame: pd.DataFrame) -> Figure:
    """Returns one training's curves: loss and accuracy, training and validation, by epoch."""
    figure, (left, right) = _row(1)
    _curves(left, right, frame)
    return figure


def histories(frames: Mapping[paths.Rung, pd.DataFrame]) -> Figure:
    """Returns the curves of all trainings, a row each."""
    figure, axes = _row(len(frames))
    for i, (rung, frame) in enumerate(frames.items()):
        left, right = axes[2 * i], axes[2 * i + 1]
        _curves(left, right, frame)
        left.set_title(TITLES[rung].replace("\n", " "), loc="left")
    return figure


def _row(count: int) -> tuple[Figure, Sequence[Axes]]:
    figure = Figure(figsize=(9, 3 * count), layout="constrained")
    grid = figure.subplots(count, 2, squeeze=False)
    return figure, list(grid.ravel())


def _curves(left: Axes, right: Axes, frame: pd.DataFrame) -> None:
    best = int(frame["epoch"].iloc[frame["val_loss"].argmin()])
    for axes, name in ((left, "loss"), (right, "accuracy")):
        axes.plot(frame["epoch"], frame[name], ".", color=VALIDATION, label="training")
        validated = frame.dropna(subset=["val_loss"])
        axes.plot(validated["epoch"], validated[f"val_{name}"], color=TEST, label="validation")
        axes.axvline(best, color="grey", linewidth=0.8, linestyle=":", label="epoch kept")
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylabel(name)
        _bare(axes)
    left.legend(frameon=False)


def confusions(
    counts: Mapping[paths.Rung, NDArray[np.int64]], class_names: Sequence[str]
) -> Figure:
    """Returns the confusion matrix (true, predicted) of every rung, side by side."""
    figure = Figure(figsize=(2.6 * len(counts), 3), layout="constrained")
    grid = figure.subplots(1, len(counts), squeeze=False).ravel()
    for axes, (rung, matrix) in zip(grid, counts.items(), strict=True):
        _confusion(axes, matrix, class_names)
        axes.set_title(TITLES[rung], fontsize=9)
    grid[0].set_ylabel("true")
    return figure


def confusion(counts: NDArray[np.int64], class_names: Sequence[str]) -> Figure:
    """Returns one confusion matrix (true, predicted)."""
    figure, axes = _subplots(3, 3)
    _confusion(axes, counts, class_names)
    axes.set_ylabel("true")
    return figure


def _confusion(axes: Axes, counts: NDArray[np.int64], class_names: Sequence[str]) -> None:
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (i, j), count in np.ndenumerate(counts):
        axes.text(
            j, i, str(count), ha="center", va="center", color="w" if share[i, j] > 0.5 else "k"
        )
    ticks = range(len(class_names))
    axes.set_xticks(ticks, class_names)
    axes.set_yticks(ticks, class_names, rotation=90, va="center")
    axes.set_xlabel("predicted")


def _subplots(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    _bare(axes)
    return figure, axes


def _bare(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
