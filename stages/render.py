"""Draws the ladder, the curves, the confusion matrices and the calibration. No TensorFlow."""

import pandas as pd

from ladder import artifacts, calibration, errors, evaluation, figures, paths, settings


def main() -> None:
    params = settings.load("dataset")
    files = paths.DatasetPaths(params.dataset.source)
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
    drawn = {
        "staircase": figures.staircase(ladder, params.dataset.source),
        "curves": figures.histories(histories),
        "confusion": figures.confusions(counts, class_names),
        "reliability": figures.reliability(bins, areas["expected_calibration_error"]),
        "roc": figures.roc(roc, areas["auc"]),
        "precision_recall": figures.precision_recall(precision_recall, areas["average_precision"]),
    }
    for name, figure in drawn.items():
        artifacts.write_png(files.reports / "figures" / f"{name}.png", figure)


if __name__ == "__main__":
    errors.run(main)
