"""The chapter's charts: frames in, figures out."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

CONVNET, DENSE = "#1f4e79", "#c0392b"


def shifts(table: pd.DataFrame) -> Figure:
    """Returns accuracy by shift of both networks; `table` is that of `verdicts.shifts`."""
    figure, axes = _subplots()
    for name, colour, label in (
        ("convnet", CONVNET, "convnet"),
        ("dense", DENSE, "dense network"),
    ):
        axes.plot(table["pixels"], 100 * table[name], "o-", color=colour, label=label)
    axes.set_xlabel("shift of the test digits, pixels")
    axes.set_ylabel("accuracy, %")
    axes.set_ylim(0, 101)
    axes.legend(frameon=False)
    return figure


def pooling(table: pd.DataFrame) -> Figure:
    """Returns accuracy by way to make maps smaller; `table` is that of `verdicts.pooling`."""
    figure, axes = _subplots()
    mean = 100 * table["mean"]
    spread = [(mean - 100 * table["ci_low"]).clip(0), (100 * table["ci_high"] - mean).clip(0)]
    axes.errorbar(table["pooling"], mean, spread, fmt="o", color=CONVNET, capsize=4)
    axes.margins(x=0.2)
    axes.set_ylabel("test accuracy, %, 95 % interval")
    return figure


def _subplots() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes
