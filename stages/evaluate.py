"""Measures every rung on validation and on test, and the rungs against one another."""

from pathlib import Path
from typing import Any

import pandas as pd

from ladder import (
    artifacts,
    digests,
    errors,
    evaluation,
    evidence,
    figures,
    paths,
    settings,
    tracking,
)


def main() -> None:
    params = settings.load(
        "seed",
        "dataset",
        "split",
        "image_size",
        "base",
        "augmentation",
        "extraction",
        "audit",
        "runtime",
        "train_scratch",
        "train_scratch_augmented",
        "train_head",
        "train_end_to_end",
        "fine_tune",
        "interpretation.picture",
    )  # all that climb.lock holds, lest it tell of others
    files = paths.DatasetPaths(params.dataset.source)
    manifest, duplicates = pd.read_csv(files.manifest), pd.read_csv(files.duplicates)
    predictions = {rung: pd.read_csv(files.predictions(rung)) for rung in paths.RUNGS}
    results = evidence.results(predictions, costs(files, params.augmentation.views), duplicates)
    class_names = sorted(manifest["class_name"].unique())
    is_book = evaluation.is_book(params.dataset.source, params.split, class_names)
    ladder = evaluation.ladder(results, is_book)
    suspected, planted = pd.read_csv(files.suspects), pd.read_csv(files.planted)
    tables = evidence.tables(predictions, ladder, duplicates, suspected, planted)
    for name, frame in tables.items():
        artifacts.write_csv(files.reports / f"{name}.csv", frame)
    majority = evaluation.majority(manifest)
    metrics = {"dataset": params.dataset.source, "majority_class": majority} | dict(results)
    artifacts.write_json(paths.METRICS, metrics)
    runtimes = {r: artifacts.read_json(files.description(r))["runtime"] for r in paths.RUNGS}
    artifacts.write_json(files.reports / "runtime.json", runtimes)
    digest = {rung: digests.weights(files.weights(rung)) for rung in paths.RUNGS}
    artifacts.write_json(files.reports / "weights.json", digest)
    beside = [f"interpret@{rung}" for rung in paths.RUNGS]  # may come before this stage or after
    lock = artifacts.without_stages(
        Path("dvc.lock"), "evaluate", "render", "interpret_base", *beside
    )
    artifacts.write_text(files.reports / "climb.lock", lock)
    for rung in paths.RUNGS:
        track(files, rung, params.runtime, results[rung], predictions[rung], class_names)


def costs(files: paths.DatasetPaths, views: int) -> dict[paths.Rung, dict[str, float]]:
    """Returns every rung's seconds and how many parameters it trained."""
    training = {r: float(pd.read_csv(files.history(r))["seconds"].sum()) for r in paths.RUNGS}
    stages = ("extract_features", "extract_views")
    extraction = {stage: artifacts.read_json(files.seconds(stage))["seconds"] for stage in stages}
    return {
        rung: {
            **seconds,
            "trainable_parameters": artifacts.read_json(files.description(rung))[
                "trainable_parameters"
            ],
        }
        for rung, seconds in evaluation.costs(training, extraction, views).items()
    }


def track(
    files: paths.DatasetPaths,
    rung: paths.Rung,
    chosen: settings.Runtime,
    result: dict[str, Any],
    predictions: pd.DataFrame,
    class_names: list[str],
) -> None:
    """Adds the results to the rung's MLflow run, which is made where the store lacks it."""
    weights_sha256 = artifacts.sha256(files.weights(rung))
    if not tracking.has_run(files.source, weights_sha256):  # DVC took the rung from its cache
        from ladder import rungs, runtime  # TensorFlow, for once

        runtime.start(chosen, seed=None)
        rungs.restore_run(files, rung)
    metrics: dict[str, float] = {}
    plots = {}
    for subset in paths.SUBSETS[1:]:
        counts = evaluation.confusion(predictions[predictions["subset"] == subset])
        plots[f"confusion_{subset}.png"] = figures.confusion(counts, class_names)
        values = {name: value for name, value in result[subset].items() if name != "confusion"}
        metrics |= {f"{subset}_{name}": value for name, value in values.items()}
    tracking.log_results(files.source, weights_sha256, metrics, plots)


if __name__ == "__main__":
    errors.run(main)
