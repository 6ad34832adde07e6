"""Draws every figure of the reports. No TensorFlow."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import pandas as pd
from numpy.typing import NDArray

from ladder import artifacts, calibration, errors, evaluation, figures, paths, settings, tracking

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Seen = dict[str, NDArray[Any]]  # as `interpret` writes it


def main() -> None:
    params = settings.load("dataset")
    files = paths.DatasetPaths(params.dataset.source)
    folder = files.reports / "figures"
    ladder = pd.read_csv(files.reports / "ladder.csv")
    measured = pd.read_csv(files.reports / "calibration.csv", index_col="rung")
    areas = measured[measured["subset"] == "test"].to_dict()
    histories = {rung: pd.read_csv(files.history(rung)) for rung in paths.RUNGS}
    tests = {
        rung: pd.read_csv(files.reports / "predictions" / f"{rung}.csv").query("subset == 'test'")
        for rung in paths.RUNGS
    }
    class_names = artifacts.read_json(files.description("scratch"))["model"]["class_names"]
    counts = {rung: evaluation.confusion(frame) for rung, frame in tests.items()}
    bins = {rung: calibration.reliability(frame) for rung, frame in tests.items()}
    roc = {rung: calibration.roc(frame) for rung, frame in tests.items()}
    precision_recall = {rung: calibration.precision_recall(frame) for rung, frame in tests.items()}
    seen = {rung: artifacts.read_npz(files.interpretation(rung)) for rung in paths.RUNGS}
    drawn = {
        "staircase": figures.staircase(ladder, params.dataset.source),
        "curves": figures.histories(histories),
        "confusion": figures.confusions(counts, class_names),
        "reliability": figures.reliability(bins, areas["expected_calibration_error"]),
        "roc": figures.roc(roc, areas["auc"]),
        "precision_recall": figures.precision_recall(precision_recall, areas["average_precision"]),
        "filters": figures.filter_grid(artifacts.read_npz(files.interpretation("base"))),
        **activations({"scratch": seen["scratch"], "base": seen["features"]}),
        **heatmaps(seen, class_names),
    }
    for name, figure in drawn.items():
        artifacts.write_png(folder / f"{name}.png", figure)
    for rung, arrays in seen.items():
        shared = looked_at(arrays, {"example", "wrong_everywhere"}, class_names)
        tracking.log_heatmaps(
            files.source,
            str(arrays["weights_sha256"]),
            folder / f"heatmaps_{rung}.png",
            [pixels for _, pixels in shared],
        )


def activations(networks: dict[str, Seen]) -> dict[str, "Figure"]:
    """Returns the figures of the example's activation maps and of their blank channels."""
    shares = {
        name: dict(zip(arrays["layers"], arrays["blank_share"], strict=True))
        for name, arrays in networks.items()
    }
    drawn = {"blank_shares": figures.blank_shares(shares)}
    for name, arrays in networks.items():
        maps = {layer: arrays[f"activations/{layer}"] for layer in arrays["layers"]}
        drawn[f"activations_{name}"] = figures.activation_grid(maps, shares[name])
    return drawn


def heatmaps(seen: dict[paths.Rung, Seen], class_names: list[str]) -> dict[str, "Figure"]:
    """Returns the figures of the example as every rung sees it, and of each rung's mistakes."""
    rows = {
        rung: looked_at(arrays, {"example", "worst_mistakes"}, class_names)
        for rung, arrays in seen.items()
    }
    shared = [(f"{rung}\n{text}", pixels) for rung, ((text, pixels), *_) in rows.items()]
    drawn = {"heatmaps": figures.heatmaps(shared, class_names)}
    return drawn | {f"heatmaps_{rung}": figures.heatmaps(rows[rung], class_names) for rung in rows}


def looked_at(
    arrays: Seen, galleries: Collection[str], class_names: list[str]
) -> list[tuple[str, figures.Pixels]]:
    """Returns the galleries' pictures in order: what was seen, and picture beside heatmaps."""
    rows = []
    for i, gallery in enumerate(arrays["gallery"]):
        if gallery in galleries:
            true, probabilities = class_names[arrays["label"][i]], arrays["probabilities"][i]
            taken_for, sure = class_names[probabilities.argmax()], probabilities.max()
            text = f"{arrays['id'][i]}: {true},\ntaken for {taken_for}: {100 * sure:.1f} %"
            maps = {method: arrays[method][i] for method in figures.METHODS}
            rows.append((text, figures.strip(arrays["images"][i], maps)))
    return rows


if __name__ == "__main__":
    errors.run(main)
