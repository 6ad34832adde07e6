"""Rung 5: rung 4 with the base's last block unfrozen. The book: 97 % on test (DLwP 5.3.2)."""

import pandas as pd

from ladder import artifacts, errors, models, paths, rungs, runtime, settings, tracking


def main() -> None:
    params = settings.load("seed", "dataset", "augmentation", "runtime", "fine_tune")
    parameters, files = params.fine_tune, paths.DatasetPaths(params.dataset.source)
    with tracking.run("fine_tuned", files.source, params.seed, parameters.model_dump()):
        runtime.start(params.runtime, params.seed)
        manifest = pd.read_csv(files.manifest)
        fed: paths.Inputs = "activations" if params.augmentation.views else "images"
        model, description = rungs.read(files, "features_augmented")
        description = description.model_copy(update={"rung": "fine_tuned", "fed": fed})
        models.freeze(model, unfreeze_from=parameters.unfreeze_from)
        part = models.part_fed(model, description)
        views = rungs.views(files, fed, params.augmentation, params.seed)
        held_out = artifacts.read_npy(files.inputs(fed, "validation"))
        history = rungs.fit(part, views, held_out, manifest, parameters, params.seed)
        rungs.write(files, model, description, history, parameters, params.seed)


if __name__ == "__main__":
    errors.run(main)
