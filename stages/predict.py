"""Runs one rung's saved model over validation and test, from what its training was fed.

A frozen layer is a pure function: what the base says of these pictures is stored already.
"""

import sys

import pandas as pd

from ladder import artifacts, errors, evaluation, models, paths, rungs, runtime, settings


def main() -> None:
    params = settings.load("dataset", "runtime")
    files = paths.DatasetPaths(params.dataset.source)
    rung = next(rung for rung in paths.RUNGS if rung == sys.argv[1])
    runtime.start(params.runtime, seed=None)
    manifest = pd.read_csv(files.manifest)
    model, description = rungs.read(files, rung)
    part = models.part_fed(model, description)
    parts = []
    for subset in paths.SUBSETS[1:]:
        rows = manifest[manifest["subset"] == subset]
        outputs = rungs.predict(part, artifacts.read_npy(files.inputs(description.fed, subset)))
        parts.append(evaluation.predictions(rows, outputs, subset))
    artifacts.write_csv(files.predictions(rung), pd.concat(parts))


if __name__ == "__main__":
    errors.run(main)
