"""Rung 5: rung 4 with the base's last block unfrozen. The book: 97 % on test (DLwP 5.3.2)."""

import pandas as pd

from ladder import errors, models, paths, rungs, runtime, settings, tracking


def main() -> None:
    params = settings.load("seed", "dataset", "base", "augmentation", "runtime", "fine_tune")
    parameters, files = params.fine_tune, paths.DatasetPaths(params.dataset.source)
    with tracking.run("fine_tuned", files.source, params.seed, parameters.model_dump()):
        runtime.start(params.runtime, params.seed)
        manifest = pd.read_csv(files.manifest)
        model, description = rungs.read(files, "features_augmented")
        models.freeze(model, unfreeze_from=parameters.unfreeze_from)
        stored = files.activation_views, files.activations("validation")
        part, inputs, held_out = rungs.on_views(
            files, model, params.base.cut, stored, params.augmentation, params.seed
        )
        history = rungs.fit(part, inputs, held_out, manifest, parameters, params.seed)
        description = description.model_copy(update={"rung": "fine_tuned"})
        rungs.write(files, model, description, history, parameters, params.seed)


if __name__ == "__main__":
    errors.run(main)
