"""Rung 4: the frozen base with augmentation. The book: 96 % on validation (DLwP 5.3.1).

The frozen base is a pure function, so its stored output for augmented views serves as well as
the views themselves; `augmentation.views: 0` pushes fresh views through all layers instead.
"""

import pandas as pd

from ladder import artifacts, bases, errors, models, paths, rungs

from ladder import runtime, settings, tracking, training  # isort: skip


def main() -> None:
    params = settings.load(
        "seed", "dataset", "image_size", "base", "augmentation", "runtime", "train_end_to_end"
    )
    fit, files = params.train_end_to_end, paths.DatasetPaths(params.dataset.source)
    with tracking.run("features_augmented", files.source, params.seed, fit.model_dump()):
        runtime.start(params.runtime, params.seed)
        manifest = pd.read_csv(files.manifest)
        model, description = rungs.new(
            "features_augmented", manifest, params.image_size, fit.dropout, params.base
        )
        models.freeze(model, unfreeze_from="flatten")
        if params.augmentation.views:
            part = models.tail(model, bases.BASES[params.base.name].output)
            inputs = training.cycled(artifacts.read_views(files.feature_views))
            held_out = artifacts.read_npy(files.features("validation"))
        else:
            part, images = model, artifacts.read_npy(files.images("train"))
            inputs = training.augmented(images, params.augmentation, params.seed)
            held_out = artifacts.read_npy(files.images("validation"))
        history = rungs.fit(part, inputs, held_out, manifest, fit, params.seed)
        rungs.write(files, model, description, history, fit, params.seed)


if __name__ == "__main__":
    errors.run(main)
