"""The chapter's charts: frames in, figures out."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

CONVNET, DENSE = "#1f4e79", "#c0392b"
COLOURS = (CONVNET, DENSE, "#b8860b", "#2e8b57", "#777777")
READ = {  # column of a table → what it is called
    "animals": "cats and dogs that are read right",
    "digits": "digits that are read right",
    "colours": "of the picture's colours",
    "blank": "channels that are blank",
    "zeros": "numbers that are 0",
}
HEADS = {
    "no_dropout": "without dropout",
    "dropout": "with dropout",
    "augmented": "with dropout and augmentation",
}
AMOUNTS = {
    "as_they_are": "convnet",
    "augmented": "convnet with augmentation",
    "head": "head on VGG16",
}


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
    return _accuracies(table, table["pooling"].tolist())


def depth(table: pd.DataFrame) -> Figure:
    """Returns what can be read from each block; `table` is that of `pretrained.depth`."""
    figure, axes = _subplots()
    for number, (name, label) in enumerate(READ.items()):
        axes.plot(table["block"], 100 * table[name], "o-", color=COLOURS[number], label=label)
    axes.set_xticks(range(len(table)), [f"block {n}" for n in range(1, len(table) + 1)])
    axes.set_ylabel("%")
    axes.set_ylim(0, 101)
    axes.legend(frameon=False)
    return figure


def heads(curves: pd.DataFrame) -> Figure:
    """Returns validation loss by epoch; `curves` is the second table of `pretrained.heads`."""
    figure, axes = _subplots()
    for number, (name, label) in enumerate(HEADS.items()):
        axes.plot(curves["epoch"], curves[name], color=COLOURS[number], label=label)
    axes.set_xlabel("epoch")
    axes.set_ylabel("validation loss")
    axes.legend(frameon=False)
    return figure


def unfreezing(table: pd.DataFrame) -> Figure:
    """Returns accuracy by what is fine-tuned; `table` is that of `pretrained.unfreezing`."""
    return _accuracies(table, [str(name).replace("_", "–") for name in table["unfrozen"]])


def amounts(table: pd.DataFrame) -> Figure:
    """Returns accuracy by train pictures; `table` is that of `pretrained.amounts`."""
    figure, axes = _subplots()
    for number, (name, label) in enumerate(AMOUNTS.items()):
        mean, deviation = 100 * table[name], 100 * table[f"{name}_deviation"]
        axes.errorbar(
            table["train_pictures"], mean, deviation, fmt="o-", color=COLOURS[number], label=label
        )
    axes.set_xscale("log")
    axes.set_xticks(table["train_pictures"], [f"{n:,}" for n in table["train_pictures"]])
    axes.minorticks_off()
    axes.set_xlabel("train pictures")
    axes.set_ylabel("test accuracy, %")
    axes.legend(frameon=False)
    return figure


def _accuracies(table: pd.DataFrame, names: list[str]) -> Figure:
    """Returns a point with its interval for each row of a table of accuracies."""
    figure, axes = _subplots()
    mean = 100 * table["mean"]
    spread = [(mean - 100 * table["ci_low"]).clip(0), (100 * table["ci_high"] - mean).clip(0)]
    axes.errorbar(names, mean, spread, fmt="o", color=CONVNET, capsize=4)
    axes.margins(x=0.2)
    axes.set_ylabel("test accuracy, %, 95 % interval")
    return figure


def _subplots() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes
