"""Runs one rung's saved model over validation and test, from what its training was fed.

A frozen layer is a pure function: what the base says of these pictures is stored already.
"""

import sys

import pandas as pd

from ladder import artifacts, errors, paths, rungs, settings
from ladder.evidence import prediction_tables
from ladder.networks import models, rung_models, runtime


class Params(settings.Section):
    dataset: settings.Dataset
    runtime: settings.Runtime


def main() -> None:
    params = settings.load(Params)
    files = paths.DatasetPaths(params.dataset.name)
    rung = rungs.named(sys.argv[1])
    runtime.start(params.runtime, seed=None)
    manifest = artifacts.read_csv(files.manifest)
    model, description = rung_models.read(files, rung)
    part = models.part_fed(model, description)
    parts = []
    for subset in paths.SUBSETS[1:]:
        rows = manifest[manifest["subset"] == subset]
        outputs = rung_models.predict(part, rung_models.inputs(files, description, subset))
        parts.append(prediction_tables.new(rows, outputs, subset))
    artifacts.write_csv(files.predictions(rung), pd.concat(parts))


if __name__ == "__main__":
    errors.run(main)
