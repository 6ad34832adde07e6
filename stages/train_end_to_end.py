"""Rung 4: the frozen base with augmentation. The book: 96 % on validation (DLwP 5.3.1).

The frozen base is a pure function, so its stored output for augmented views serves as well as
the views themselves; `augmentation.views: 0` pushes fresh views through all layers instead.
"""

from ladder import artifacts, errors, paths, settings, tracking
from ladder.networks import models, rung_models, runtime


class Params(settings.Section):
    seed: settings.Seed
    dataset: settings.Dataset
    class_weight: settings.ClassWeight
    image_size: settings.ImageSize
    base: settings.Base
    augmentation: settings.Augmentation
    runtime: settings.Runtime
    train_end_to_end: settings.EndToEnd


def main() -> None:
    params = settings.load(Params)
    parameters, files = params.train_end_to_end, paths.DatasetPaths(params.dataset.name)
    with tracking.run("features_augmented", files.name, params.seed, parameters.model_dump()):
        runtime.start(params.runtime, params.seed)
        manifest = artifacts.read_csv(files.manifest)
        fed: paths.Inputs = "features" if params.augmentation.views else "images"
        size = params.base.pictures_size(params.image_size)
        model, description = rung_models.new(
            "features_augmented", manifest, size, parameters.dropout, params.base, fed
        )
        models.freeze(model, unfreeze_from=parameters.unfreeze_from)
        part = models.part_fed(model, description)
        views = rung_models.views(files, description, params.augmentation, params.seed)
        held_out = rung_models.inputs(files, description, "validation")
        history = rung_models.fit(
            part, views, held_out, manifest, parameters, params.seed, params.class_weight
        )
        rung_models.write(files, model, description, history, parameters, params.seed)


if __name__ == "__main__":
    errors.run(main)
