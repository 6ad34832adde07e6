"""Rung 1: a small convnet from scratch. The book: 71 % on validation (DLwP 5.2.3, 5.2.4)."""

import pandas as pd

from ladder import artifacts, errors, paths, rungs, runtime, settings, tracking, training


def main() -> None:
    params = settings.load("seed", "dataset", "image_size", "runtime", "train_scratch")
    parameters, files = params.train_scratch, paths.DatasetPaths(params.dataset.source)
    with tracking.run("scratch", files.source, params.seed, parameters.model_dump()):
        runtime.start(params.runtime, params.seed)
        manifest = pd.read_csv(files.manifest)
        model, description = rungs.new(
            "scratch", manifest, params.image_size, parameters.dropout, None, "images"
        )
        pixels = training.unchanged(artifacts.read_npy(files.images("train")))
        held_out = artifacts.read_npy(files.images("validation"))
        history = rungs.fit(model, pixels, held_out, manifest, parameters, params.seed)
        rungs.write(files, model, description, history, parameters, params.seed)


if __name__ == "__main__":
    errors.run(main)
