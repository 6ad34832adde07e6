"""Stores the frozen base's output for augmented views of the train pictures (DLwP 5.3.1).

An interrupted run goes on after its last whole view.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ladder import artifacts, errors, paths, settings
from ladder.networks import activations, bases, folding, models, runtime
from ladder.pictures import augmentation


class Params(settings.Section):
    seed: settings.Seed
    dataset: settings.Dataset
    image_size: settings.ImageSize
    base: settings.Base
    augmentation: settings.Augmentation
    extraction: settings.Extraction
    runtime: settings.Runtime


def main() -> None:
    params = settings.load(Params)
    files, built = paths.DatasetPaths(params.dataset.name), bases.resolved(params.base)
    weights, source = paths.base_weights(built), files.base_images("train")
    policy = runtime.start(params.runtime, params.seed)
    pixels = artifacts.read_npy(source)

    def view(number: int, rows: slice) -> NDArray[np.uint8]:
        return augmentation.view(pixels, rows, params.augmentation, params.seed, number)

    folders = {
        built.cut: files.views("activations"),
        bases.features(built): files.views("features"),
    }
    size = params.base.pictures_size(params.image_size)
    base = folding.fold(models.pixels_to_features(built, size, weights))
    modules = (activations, augmentation, bases, folding, models)
    code = [Path(str(module.__file__)) for module in modules]
    hashes = [artifacts.sha256(path) for path in (source, weights, *code)]
    partial = paths.PARTIAL / activations.digest(hashes, params, policy)
    seconds = activations.extract_views(
        models.between(base, folders),
        view,
        len(pixels),
        params.augmentation.views,
        folders,
        partial,
        params.extraction,
    )
    artifacts.write_json(files.seconds("extract_views"), {"seconds": seconds})


if __name__ == "__main__":
    errors.run(main)
