"""Rung 3: a dense head on stored VGG16 features. The book: 90 % on validation (DLwP 5.3.1)."""

import pandas as pd

from ladder import (
    artifacts,
    errors,
    models,
    paths,
    rungs,
    runtime,
    settings,
    tracking,
    training,
)


def main() -> None:
    params = settings.load("seed", "dataset", "image_size", "base", "runtime", "train_head")
    parameters, files = params.train_head, paths.DatasetPaths(params.dataset.source)
    with tracking.run("features", files.source, params.seed, parameters.model_dump()):
        runtime.start(params.runtime, params.seed)
        manifest = pd.read_csv(files.manifest)
        model, description = rungs.new(
            "features", manifest, params.image_size, parameters.dropout, params.base, "features"
        )
        models.freeze(model, unfreeze_from="flatten")
        head = models.part_fed(model, description)
        features = training.unchanged(artifacts.read_npy(files.features("train")))
        held_out = artifacts.read_npy(files.features("validation"))
        history = rungs.fit(head, features, held_out, manifest, parameters, params.seed)
        rungs.write(files, model, description, history, parameters, params.seed)


if __name__ == "__main__":
    errors.run(main)
