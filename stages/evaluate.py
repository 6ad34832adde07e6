"""Measures every rung on validation and on test, and the rungs against one another."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ladder import artifacts, errors, paths, provenance, rungs, settings, tracking
from ladder.evidence import book, evaluation, tables
from ladder.networks import digests

STUDIES = (
    "Studies over many climbs: what `ladder seeds`, `ladder learning-curve` and `ladder bases` "
    "write.\n"
)


def main() -> None:
    params = settings.read(settings.PARAMS)  # all of it: climb.json tells what the climb was
    files = paths.DatasetPaths(params.dataset.name)
    manifest, duplicates = artifacts.read_csv(files.manifest), artifacts.read_csv(files.duplicates)
    predictions = {rung: artifacts.read_csv(files.predictions(rung)) for rung in rungs.RUNGS}
    trained = {rung: artifacts.read_json(files.description(rung)) for rung in rungs.RUNGS}
    costs_of_rungs = costs(files, trained, params.augmentation.views)
    results = tables.results(predictions, costs_of_rungs, duplicates)
    examined = artifacts.read_csv(files.examination("pictures"))
    ladder = evaluation.ladder(results, book.is_book(params.split, manifest, examined))
    suspected, planted = artifacts.read_csv(files.suspects), pd.read_csv(files.planted)
    frames = tables.tables(predictions, ladder, duplicates, suspected, planted, manifest)
    for name, frame in frames.items():
        artifacts.write_csv(files.reports / f"{name}.csv", frame)
    for rung, figures in tables.headline(ladder).items():
        artifacts.write_json(paths.metrics(rung), figures)
    runtimes = {rung: description["runtime"] for rung, description in trained.items()}
    artifacts.write_json(files.reports / "runtime.json", runtimes)
    weights = {rung: digests.weights(files.weights(rung)) for rung in rungs.RUNGS}
    artifacts.write_json(files.reports / "weights.json", weights)
    fingerprints = [description["fingerprint"] for description in trained.values()]
    content = params.model_dump(mode="json")
    identity = provenance.of_climb(content, fingerprints, runtimes.values())
    pictures = provenance.pictures(manifest)
    provenance.write(files.reports / "climb.json", identity, pictures=pictures)
    (files.reports / paths.LOCK_OF_CLIMB).unlink(missing_ok=True)  # of an earlier climb in a copy
    if not (files.reports / "studies").exists():  # `render` reads the folder
        artifacts.write_text(files.reports / "studies/README.md", STUDIES)
    for rung in rungs.RUNGS:
        track(files, rung, params.runtime, tables.flat(results[rung]))


def costs(
    files: paths.DatasetPaths, trained: Mapping[rungs.Rung, Mapping[str, Any]], views: int
) -> dict[rungs.Rung, dict[str, float]]:
    """Returns every rung's seconds and how many parameters it trained; `trained` describes them."""
    training = {r: float(pd.read_csv(files.history(r))["seconds"].sum()) for r in rungs.RUNGS}
    stages = ("extract_features", "extract_views")
    extraction = {stage: artifacts.read_json(files.seconds(stage))["seconds"] for stage in stages}
    return {
        rung: {**seconds, "trainable_parameters": trained[rung]["trainable_parameters"]}
        for rung, seconds in evaluation.costs(training, extraction, views).items()
    }


def track(
    files: paths.DatasetPaths,
    rung: rungs.Rung,
    settings_of_runtime: settings.Runtime,
    metrics: dict[str, float],
) -> None:
    """Adds the results to the rung's MLflow run; creates the run if the store lacks it."""
    weights_sha256 = artifacts.sha256(files.weights(rung))
    if not tracking.has_run(files.name, weights_sha256):  # DVC took the rung from its cache
        from ladder.networks import rung_models, runtime  # TensorFlow, for once

        runtime.start(settings_of_runtime, seed=None)
        rung_models.restore_run(files, rung)
    tracking.log_results(files.name, weights_sha256, metrics)


if __name__ == "__main__":
    errors.run(main)
