"""Rung 2: the convnet with augmentation and dropout. The book: 82 % on validation (DLwP 5.2.5)."""

import pandas as pd

from ladder import artifacts, errors, paths, rungs, runtime, settings, tracking


def main() -> None:
    params = settings.load(
        "seed",
        "dataset",
        "image_size",
        "augmentation.rotation_degrees",  # and so on, but not `views`: here each epoch has its own
        "augmentation.shift_fraction",
        "augmentation.shear_degrees",
        "augmentation.zoom_fraction",
        "augmentation.horizontal_flip",
        "runtime",
        "train_scratch_augmented",
    )
    parameters, files = params.train_scratch_augmented, paths.DatasetPaths(params.dataset.source)
    with tracking.run("scratch_augmented", files.source, params.seed, parameters.model_dump()):
        runtime.start(params.runtime, params.seed)
        manifest = pd.read_csv(files.manifest)
        model, description = rungs.new(
            "scratch_augmented", manifest, params.image_size, parameters.dropout, None, "images"
        )
        fresh_views = rungs.views(files, "images", params.augmentation, params.seed)
        held_out = artifacts.read_npy(files.images("validation"))
        history = rungs.fit(model, fresh_views, held_out, manifest, parameters, params.seed)
        rungs.write(files, model, description, history, parameters, params.seed)


if __name__ == "__main__":
    errors.run(main)
