"""Decodes every picture once, to image_size × image_size (DLwP 5.2.4)."""

from ladder import artifacts, errors, paths, settings
from ladder.pictures import originals, threads


class Params(settings.Section):
    dataset: settings.Dataset
    image_size: settings.ImageSize


def main() -> None:
    params = settings.load(Params)
    files, size = paths.DatasetPaths(params.dataset.name), params.image_size
    manifest = artifacts.read_csv(files.manifest)
    with originals.opened(files.raw) as pictures:
        for subset in paths.SUBSETS:
            rows = manifest[manifest["subset"] == subset]
            parts = threads.decode_all(pictures.read, rows, size)
            artifacts.write_npy_in_parts(files.images(subset), (len(rows), size, size, 3), parts)


if __name__ == "__main__":
    errors.run(main)
