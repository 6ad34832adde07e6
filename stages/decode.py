"""Decodes every picture once, to image_size × image_size (DLwP 5.2.4)."""

import pandas as pd

from ladder import artifacts, errors, paths, settings
from ladder.pictures import images


class Params(settings.Section):
    dataset: settings.Dataset
    image_size: settings.ImageSize


def main() -> None:
    params = settings.load(Params)
    files = paths.DatasetPaths(params.dataset.source)
    manifest = pd.read_csv(files.manifest)
    for subset in paths.SUBSETS:
        rows = manifest[manifest["subset"] == subset]
        pixels = images.decode_all(files.archive, rows, params.image_size)
        artifacts.write_npy(files.images(subset), pixels)


if __name__ == "__main__":
    errors.run(main)
