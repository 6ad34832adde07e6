"""Rung 5: rung 4 with the base's last block unfrozen. The book: 97 % on test (DLwP 5.3.2)."""

from ladder import artifacts, errors, paths, settings, tracking
from ladder.networks import models, rung_models, runtime


class Params(settings.Section):
    seed: settings.Seed
    dataset: settings.Dataset
    class_weight: settings.ClassWeight
    augmentation: settings.Augmentation
    runtime: settings.Runtime
    fine_tune: settings.FineTuning


def main() -> None:
    params = settings.load(Params)
    parameters, files = params.fine_tune, paths.DatasetPaths(params.dataset.name)
    with tracking.run("fine_tuned", files.name, params.seed, parameters.model_dump()):
        runtime.start(params.runtime, params.seed)
        manifest = artifacts.read_csv(files.manifest)
        fed: paths.Inputs = "activations" if params.augmentation.views else "images"
        model, description = rung_models.read(files, "features_augmented")
        description = description.model_copy(update={"rung": "fine_tuned", "fed": fed})
        start = models.unfrozen_from(model, description, parameters.unfreeze_from)
        models.freeze(model, unfreeze_from=start)
        part = models.part_fed(model, description)
        views = rung_models.views(files, description, params.augmentation, params.seed)
        held_out = rung_models.inputs(files, description, "validation")
        history = rung_models.fit(
            part, views, held_out, manifest, parameters, params.seed, params.class_weight
        )
        rung_models.write(files, model, description, history, parameters, params.seed)


if __name__ == "__main__":
    errors.run(main)
