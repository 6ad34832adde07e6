"""Rung 2: the convnet with augmentation and dropout. The book: 82 % on validation (DLwP 5.2.5)."""

from ladder import artifacts, errors, paths, settings, tracking
from ladder.networks import rung_models, runtime


class Params(settings.Section):
    seed: settings.Seed
    dataset: settings.Dataset
    class_weight: settings.ClassWeight
    image_size: settings.ImageSize
    augmentation: settings.Ranges
    runtime: settings.Runtime
    train_scratch_augmented: settings.SmallFirst


def main() -> None:
    params = settings.load(Params)
    parameters, files = params.train_scratch_augmented, paths.DatasetPaths(params.dataset.name)
    with tracking.run("scratch_augmented", files.name, params.seed, parameters.model_dump()):
        runtime.start(params.runtime, params.seed)
        manifest = artifacts.read_csv(files.manifest)
        model, description = rung_models.new(
            "scratch_augmented", manifest, params.image_size, parameters.dropout, None, "images"
        )
        fresh_views = rung_models.views(files, description, params.augmentation, params.seed)
        held_out = artifacts.read_npy(files.images("validation"))
        seed, class_weight = params.seed, params.class_weight
        pictures = rung_models.inputs(files, description, "train")
        first_epochs = rung_models.fit_on_small(
            model, description, pictures, manifest, parameters,
            params.augmentation, seed, class_weight,
        )  # fmt: skip
        history = rung_models.fit(
            model, fresh_views, held_out, manifest, parameters, seed, class_weight, first_epochs
        )
        rung_models.write(files, model, description, history, parameters, params.seed)


if __name__ == "__main__":
    errors.run(main)
