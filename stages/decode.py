"""Decodes every picture once, to image_size × image_size (DLwP 5.2.4).

And once more for a base that takes pictures of another size, into a folder of its own.
"""

import shutil

from ladder import artifacts, errors, paths, settings
from ladder.pictures import originals, threads


class Params(settings.Section):
    dataset: settings.Dataset
    image_size: settings.ImageSize
    base: settings.BaseSize


def main() -> None:
    params = settings.load(Params)
    files, size = paths.DatasetPaths(params.dataset.name), params.image_size
    sizes = {files.images("train").parent: size}
    shutil.rmtree(files.own_base_images, ignore_errors=True)
    if params.base.pictures_size(size) != size:
        sizes[files.own_base_images] = params.base.pictures_size(size)
    manifest = artifacts.read_csv(files.manifest)
    with originals.opened(files.raw) as pictures:
        for folder, pixels in sizes.items():
            for subset in paths.SUBSETS:
                rows = manifest[manifest["subset"] == subset]
                parts = threads.decode_all(pictures.read, rows, pixels)
                path = folder / f"{subset}.npy"
                artifacts.write_npy_in_parts(path, (len(rows), pixels, pixels, 3), parts)


if __name__ == "__main__":
    errors.run(main)
