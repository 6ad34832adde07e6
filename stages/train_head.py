"""Rung 3: a dense head on stored features. The book: 90 % on validation (DLwP 5.3.1)."""

from ladder import artifacts, errors, paths, settings, tracking
from ladder.networks import models, rung_models, runtime, training


class Params(settings.Section):
    seed: settings.Seed
    dataset: settings.Dataset
    class_weight: settings.ClassWeight
    image_size: settings.ImageSize
    base: settings.Base
    runtime: settings.Runtime
    train_head: settings.Training


def main() -> None:
    params = settings.load(Params)
    parameters, files = params.train_head, paths.DatasetPaths(params.dataset.name)
    with tracking.run("features", files.name, params.seed, parameters.model_dump()):
        runtime.start(params.runtime, params.seed)
        manifest = artifacts.read_csv(files.manifest)
        size = params.base.pictures_size(params.image_size)
        model, description = rung_models.new(
            "features", manifest, size, parameters.dropout, params.base, "features"
        )
        models.freeze(model, unfreeze_from="flatten")
        head = models.part_fed(model, description)
        features = training.unchanged(artifacts.read_npy(files.features("train")))
        held_out = artifacts.read_npy(files.features("validation"))
        history = rung_models.fit(
            head, features, held_out, manifest, parameters, params.seed, params.class_weight
        )
        rung_models.write(files, model, description, history, parameters, params.seed)


if __name__ == "__main__":
    errors.run(main)
