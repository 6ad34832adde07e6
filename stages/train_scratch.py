"""Rung 1: a small convnet from scratch. The book: 71 % on validation (DLwP 5.2.3, 5.2.4)."""

from ladder import artifacts, errors, paths, settings, tracking
from ladder.networks import rung_models, runtime, training


class Params(settings.Section):
    seed: settings.Seed
    dataset: settings.Dataset
    class_weight: settings.ClassWeight
    image_size: settings.ImageSize
    runtime: settings.Runtime
    train_scratch: settings.Training


def main() -> None:
    params = settings.load(Params)
    parameters, files = params.train_scratch, paths.DatasetPaths(params.dataset.name)
    with tracking.run("scratch", files.name, params.seed, parameters.model_dump()):
        runtime.start(params.runtime, params.seed)
        manifest = artifacts.read_csv(files.manifest)
        model, description = rung_models.new(
            "scratch", manifest, params.image_size, parameters.dropout, None, "images"
        )
        pixels = training.unchanged(artifacts.read_npy(files.images("train")))
        held_out = artifacts.read_npy(files.images("validation"))
        history = rung_models.fit(
            model, pixels, held_out, manifest, parameters, params.seed, params.class_weight
        )
        rung_models.write(files, model, description, history, parameters, params.seed)


if __name__ == "__main__":
    errors.run(main)
