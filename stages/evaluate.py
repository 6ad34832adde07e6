"""Measures every rung on validation and on test; keeps predictions and lock beside the ladder."""

from pathlib import Path
from typing import Any

import pandas as pd

from ladder import artifacts, errors, evaluation, figures, paths, settings, tracking


def main() -> None:
    params = settings.load("dataset", "split")
    files = paths.DatasetPaths(params.dataset.source)
    results: dict[paths.Rung, dict[str, Any]] = {}
    for rung in paths.RUNGS:
        predictions = pd.read_csv(files.predictions(rung))
        artifacts.write_csv(files.reports / "predictions" / f"{rung}.csv", predictions)
        description = artifacts.read_json(files.description(rung))
        results[rung] = {
            **evaluation.results(predictions),
            "seconds": seconds(files, rung),
            "trainable_parameters": description["trainable_parameters"],
        }
        track(files, rung, results[rung], predictions, description["model"]["class_names"])
    is_book = evaluation.is_book(params.dataset.source, params.split)
    artifacts.write_csv(files.reports / "ladder.csv", evaluation.ladder(results, is_book))
    artifacts.write_json(paths.METRICS, {"dataset": params.dataset.source, **results})
    lock = artifacts.without_stages(Path("dvc.lock"), "evaluate", "render")
    artifacts.write_text(files.reports / "climb.lock", lock)


def seconds(files: paths.DatasetPaths, rung: paths.Rung) -> float:
    """Returns what this rung adds to the climb: its training and the extraction that it needs."""
    trained: float = pd.read_csv(files.history(rung))["seconds"].sum()
    stage = {"features": "extract_features", "features_augmented": "extract_views"}.get(rung)
    return trained + (artifacts.read_json(files.seconds(stage))["seconds"] if stage else 0.0)


def track(
    files: paths.DatasetPaths,
    rung: paths.Rung,
    result: dict[str, Any],
    predictions: pd.DataFrame,
    class_names: list[str],
) -> None:
    """Adds the results to the rung's MLflow run; where there is none, makes it from the files."""
    weights_sha256 = artifacts.sha256(files.weights(rung))
    if not tracking.has_run(files.source, weights_sha256):
        from ladder import rungs  # TensorFlow, for once: the model was taken from DVC's cache

        rungs.restore_run(files, rung)
    subsets = ("validation", "test")
    plots = {
        f"confusion_{subset}.png": figures.confusion(
            evaluation.confusion(predictions[predictions["subset"] == subset]), class_names
        )
        for subset in subsets
    }
    metrics = {
        f"{subset}_{name}": value
        for subset in subsets
        for name, value in result[subset].items()
        if name != "confusion"
    }
    tracking.log_results(files.source, weights_sha256, metrics, plots)


if __name__ == "__main__":
    errors.run(main)
