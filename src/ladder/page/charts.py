"""Every figure of a ladder, by name: of its climb, its studies, its networks."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ladder import rungs
from ladder.evidence import calibration, evaluation
from ladder.page import figures, gallery, grids, lettering, operations, page, report

LOOKED_AT = {"example", "worst_mistakes"}
NAMES, NAME_POINTS = 6.5, 12  # inches of class names in a title, of letters of this size
Seen = Mapping[rungs.Rung, gallery.Seen]


def of_climb(
    reports: report.Reports,
    histories: Mapping[rungs.Rung, pd.DataFrame],
    class_names: Sequence[str],
) -> dict[str, Figure]:
    """Returns the charts of one climb."""
    areas = reports.calibration[reports.calibration["subset"] == "test"].set_index("rung").to_dict()
    tests = {rung: f[f["subset"] == "test"] for rung, f in reports.predictions.items()}
    counts = {rung: evaluation.confusion(frame) for rung, frame in tests.items()}
    bins = {rung: calibration.reliability(frame) for rung, frame in tests.items()}
    roc = {rung: calibration.roc(frame) for rung, frame in tests.items()}
    names = class_names
    if len(names) <= page.NAMED:
        names = lettering.names(names, NAMES / len(names), NAME_POINTS)
    precision_recall = {rung: calibration.precision_recall(frame) for rung, frame in tests.items()}
    return {
        "staircase": figures.staircase(
            reports.ladder, page.title(reports.source, reports.name, names)
        ),
        "curves": figures.histories(histories),
        "confusion": figures.confusions(counts, class_names),
        "reliability": figures.reliability(
            bins, areas["expected_calibration_error"], areas["error_by_chance"]
        ),
        "roc": figures.roc(roc, areas["auc"]),
        "precision_recall": figures.precision_recall(precision_recall, areas["average_precision"]),
    }


def of_studies(studies: report.Studies, ladder: pd.DataFrame) -> dict[str, Figure]:
    """Returns the figures of the studies that there are."""
    drawn = {}
    if len(studies.seeds):
        book = dict(ladder.dropna(subset="book").set_index("rung")["book"])
        drawn["seeds"] = figures.seeds(studies.seeds, studies.seeds_summary, book)
    if len(studies.learning_curve):
        drawn["learning_curve"] = figures.learning_curve(studies.learning_curve)
    return drawn


def blank_shares(seen: Seen) -> Figure:
    """Returns the chart of blank channels by layer."""
    return figures.blank_shares({name: _shares(arrays) for name, arrays in _networks(seen).items()})


def of_networks(seen: Seen, patterns: Mapping[str, NDArray[np.uint8]]) -> dict[str, Figure]:
    """Returns the grids of classic operations, activation maps and filter patterns."""
    drawn = {
        "operations": grids.operations(
            operations.operations(seen["scratch"]["images"][0]),
            operations.kernels(seen["scratch"]["kernels"]),
            seen["scratch"]["activations/conv1"],
        ),
        "filters": grids.filter_grid(patterns),
    }
    for name, arrays in _networks(seen).items():
        maps = {layer: arrays[f"activations/{layer}"] for layer in arrays["layers"]}
        drawn[f"activations_{name}"] = grids.activation_grid(maps, _shares(arrays))
    return drawn


def _networks(seen: Seen) -> dict[str, gallery.Seen]:
    return {"scratch": seen["scratch"], "base": seen["features"]}


def _shares(arrays: gallery.Seen) -> dict[str, float]:
    return dict(zip(arrays["layers"], arrays["blank_share"], strict=True))


def of_heatmaps(seen: Seen, class_names: Sequence[str]) -> dict[str, Figure]:
    """Returns one picture as all rungs see it, and every rung's mistakes, under heatmaps."""
    examples = [
        (f"{rung}\n{words}", pixels)
        for rung, arrays in seen.items()
        for words, pixels in gallery.strips(arrays, {"example"}, class_names)
    ]
    return {"heatmaps": grids.heatmaps(examples, class_names)} | {
        f"heatmaps_{rung}": grids.heatmaps(
            gallery.strips(arrays, LOOKED_AT, class_names), class_names
        )
        for rung, arrays in seen.items()
    }


def of_run(
    history: pd.DataFrame, predictions: pd.DataFrame, class_names: Sequence[str]
) -> dict[str, Figure]:
    """Returns the charts of one rung's MLflow run, by file name."""
    return {"history.png": figures.history(history)} | {
        f"confusion_{subset}.png": figures.confusion(evaluation.confusion(part), class_names)
        for subset, part in predictions.groupby("subset")
    }
