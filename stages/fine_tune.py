"""Rung 5: rung 4 with the base's last block unfrozen. The book: 97 % on test (DLwP 5.3.2)."""

import pandas as pd

from ladder import artifacts, errors, models, paths, rungs, runtime, settings, tracking, training


def main() -> None:
    params = settings.load("seed", "dataset", "base", "augmentation", "runtime", "fine_tune")
    fit, files = params.fine_tune, paths.DatasetPaths(params.dataset.source)
    with tracking.run("fine_tuned", files.source, params.seed, fit.model_dump()):
        runtime.start(params.runtime, params.seed)
        manifest = pd.read_csv(files.manifest)
        model, description = rungs.read(files, "features_augmented")
        models.freeze(model, unfreeze_from=fit.unfreeze_from)
        if params.augmentation.views:
            part = models.tail(model, params.base.cut)
            inputs = training.cycled(artifacts.read_views(files.activation_views))
            held_out = artifacts.read_npy(files.activations("validation"))
        else:
            part, images = model, artifacts.read_npy(files.images("train"))
            inputs = training.augmented(images, params.augmentation, params.seed)
            held_out = artifacts.read_npy(files.images("validation"))
        history = rungs.fit(part, inputs, held_out, manifest, fit, params.seed)
        description = description.model_copy(update={"rung": "fine_tuned"})
        rungs.write(files, model, description, history, fit, params.seed)


if __name__ == "__main__":
    errors.run(main)
