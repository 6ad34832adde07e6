"""Runs the frozen base over the pictures as they are, once, and stores its output (DLwP 5.3.1)."""

from pathlib import Path

from ladder import activations, artifacts, bases, errors, models, paths, runtime, settings


def main() -> None:
    params = settings.load("dataset", "image_size", "base", "extraction", "runtime")
    files = paths.DatasetPaths(params.dataset.source)
    runtime.start(params.runtime, seed=None)
    output = bases.BASES[params.base.name].output
    weights = paths.base_weights(params.base)
    base = models.pixels_to_features(params.base, params.image_size, weights)
    targets: dict[paths.Subset, dict[str, Path]] = {
        "train": {output: files.features("train")},
        "validation": {
            params.base.cut: files.activations("validation"),
            output: files.features("validation"),
        },
    }
    with artifacts.timed(files.seconds("extract_features")):
        for subset, layers in targets.items():
            pixels = artifacts.read_npy(files.images(subset))
            part = models.between(base, layers)
            activations.extract(part, pixels.__getitem__, len(pixels), layers, params.extraction)


if __name__ == "__main__":
    errors.run(main)
