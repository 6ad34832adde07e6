"""Runs the frozen base over the pictures as they are, once, and stores its output (DLwP 5.3.1)."""

from ladder import artifacts, errors, paths, settings
from ladder.networks import activations, bases, folding, models, runtime


class Params(settings.Section):
    dataset: settings.Dataset
    image_size: settings.ImageSize
    base: settings.Base
    extraction: settings.Extraction
    runtime: settings.Runtime


def main() -> None:
    params = settings.load(Params)
    files = paths.DatasetPaths(params.dataset.name)
    runtime.start(params.runtime, seed=None)
    built = bases.resolved(params.base)
    output = bases.features(built)
    size = params.base.pictures_size(params.image_size)
    base = folding.fold(models.pixels_to_features(built, size, paths.base_weights(built)))
    with artifacts.timed(files.seconds("extract_features")):
        for subset in paths.SUBSETS:
            layers = {built.cut: files.activations(subset), output: files.features(subset)}
            if subset == "train":  # fine-tuning trains on augmented views alone
                del layers[built.cut]
            pixels = artifacts.read_npy(files.base_images(subset))
            part = models.between(base, layers)
            activations.extract(part, pixels.__getitem__, len(pixels), layers, params.extraction)


if __name__ == "__main__":
    errors.run(main)
