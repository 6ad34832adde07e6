"""Measures every rung on validation and on test; keeps predictions and lock beside the ladder."""

from pathlib import Path
from typing import Any

import pandas as pd

from ladder import artifacts, errors, evaluation, figures, paths, settings, tracking


def main() -> None:
    params = settings.load("dataset", "split", "runtime")
    files = paths.DatasetPaths(params.dataset.source)
    restore_runs(files, params.runtime)
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
        class_names = description["model"]["class_names"]
        track(files, rung, results[rung], predictions, class_names)
    is_book = evaluation.is_book(params.dataset.source, params.split, class_names)
    artifacts.write_csv(files.reports / "ladder.csv", evaluation.ladder(results, is_book))
    artifacts.write_json(paths.METRICS, {"dataset": params.dataset.source, **results})
    lock = artifacts.without_stages(Path("dvc.lock"), "evaluate", "render")
    artifacts.write_text(files.reports / "climb.lock", lock)


def restore_runs(files: paths.DatasetPaths, chosen: settings.Runtime) -> None:
    """Makes the MLflow runs of rungs that DVC took from its cache, where the store lacks them."""
    hashes = {rung: artifacts.sha256(files.weights(rung)) for rung in paths.RUNGS}
    missing = [r for r, sha256 in hashes.items() if not tracking.has_run(files.source, sha256)]
    if missing:
        from ladder import rungs, runtime  # TensorFlow, for once

        runtime.start(chosen, seed=None)
        for rung in missing:
            rungs.restore_run(files, rung)


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
    """Adds the results to the rung's MLflow run."""
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
    tracking.log_results(files.source, artifacts.sha256(files.weights(rung)), metrics, plots)


if __name__ == "__main__":
    errors.run(main)
