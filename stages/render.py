"""Draws the ladder, the curves and the confusion matrices. No TensorFlow."""

import pandas as pd

from ladder import artifacts, errors, evaluation, figures, paths, settings


def main() -> None:
    params = settings.load("dataset")
    files = paths.DatasetPaths(params.dataset.source)
    ladder = pd.read_csv(files.reports / "ladder.csv")
    histories = {rung: pd.read_csv(files.history(rung)) for rung in paths.RUNGS}
    predictions = {
        rung: pd.read_csv(files.reports / "predictions" / f"{rung}.csv") for rung in paths.RUNGS
    }
    class_names = artifacts.read_json(files.description("scratch"))["model"]["class_names"]
    counts = {
        rung: evaluation.confusion(frame[frame["subset"] == "test"])
        for rung, frame in predictions.items()
    }
    drawn = {
        "staircase": figures.staircase(ladder, params.dataset.source),
        "curves": figures.histories(histories),
        "confusion": figures.confusions(counts, class_names),
    }
    for name, figure in drawn.items():
        artifacts.write_png(files.reports / "figures" / f"{name}.png", figure)


if __name__ == "__main__":
    errors.run(main)
