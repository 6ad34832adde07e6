"""Runs one rung's saved model over the pixels of validation and test."""

import sys

import pandas as pd

from ladder import artifacts, errors, evaluation, paths, rungs, runtime, settings


def main() -> None:
    params = settings.load("dataset", "runtime")
    files = paths.DatasetPaths(params.dataset.source)
    rung = next(rung for rung in paths.RUNGS if rung == sys.argv[1])
    runtime.start(params.runtime, seed=None)
    manifest = pd.read_csv(files.manifest)
    model, _ = rungs.read(files, rung)
    parts = []
    for subset in paths.SUBSETS[1:]:
        rows = manifest[manifest["subset"] == subset]
        outputs = rungs.predict(model, artifacts.read_npy(files.images(subset)))
        parts.append(evaluation.predictions(rows, outputs, subset))
    artifacts.write_csv(files.predictions(rung), pd.concat(parts))


if __name__ == "__main__":
    errors.run(main)
