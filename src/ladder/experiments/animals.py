"""Cats and dogs of CIFAR-10, more of them than the ladder takes, as arrays."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ladder import paths
from ladder.pictures import cifar10, images

Arrays = dict[str, NDArray[np.uint8]]  # <subset>_images (n, 32, 32, 3), <subset>_labels (n,)
NAMES = tuple(cifar10.CLASSES.values())  # by label
SIZE = 32  # pixels
CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))  # rows and columns, of halves


def fetch(downloads: Path, counts: Mapping[paths.Subset, int]) -> Arrays:
    """Returns so many pictures of each subset, cats (0) and dogs (1) in turn.

    Train and validation are of CIFAR-10's training batches, test of its test batch.

    Raises:
        InputError: no route gave the files; the message says how to give them by hand.
    """
    archive = downloads / "cats_and_dogs.zip"
    downloads.mkdir(parents=True, exist_ok=True)
    cifar10.fetch(archive, downloads)
    arrays = read(archive, counts)
    archive.unlink()
    return arrays


def read(archive: Path, counts: Mapping[paths.Subset, int]) -> Arrays:
    """Returns the first pictures of an archive that `cifar10.write` wrote; see `fetch`."""
    starts: dict[paths.Subset, int] = {
        "train": 0,
        "validation": counts["train"],
        "test": 2 * cifar10.TEST_STARTS_AT,
    }
    arrays: Arrays = {}
    with zipfile.ZipFile(archive) as file:
        for subset, start in starts.items():
            part = "test" if subset == "test" else "train"
            rows = [divmod(start + i, 2) for i in range(counts[subset])]
            names = [f"{part}/{NAMES[label]}.{number}.png" for number, label in rows]
            pictures = [images.decode(file.read(name), SIZE) for name in names]
            arrays[f"{subset}_images"] = np.stack(pictures)
            arrays[f"{subset}_labels"] = np.array([label for _, label in rows], np.uint8)
    return arrays


def enlarged(pictures: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Returns pictures (n, H, W) or (n, H, W, 3) as RGB of another size, (n, size, size, 3)."""
    originals = (Image.fromarray(picture).convert("RGB") for picture in pictures)
    resized = (picture.resize((size, size), Image.Resampling.BILINEAR) for picture in originals)
    return np.stack([np.asarray(picture) for picture in resized])


def pasted(
    pictures: NDArray[np.uint8], labels: NDArray[np.uint8], size: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Returns pictures (n, size, size, 3), each with another in a corner, and the corners (n,).

    What is in the corner, a quarter of the picture, is the first picture that follows of the other
    class. A corner is a place in `CORNERS`; every two pictures, one of each class, have the next.
    """
    half = size // 2
    whole, small = enlarged(pictures, size), enlarged(pictures, half)
    corners = np.arange(len(pictures)) // 2 % len(CORNERS)
    for i, corner in enumerate(corners):
        following = np.roll(np.arange(len(pictures)), -i - 1)
        other = following[labels[following] != labels[i]][0]
        row, column = (half * place for place in CORNERS[corner])
        whole[i, row : row + half, column : column + half] = small[other]
    return whole, corners


def share_in_corner(maps: NDArray[np.float32], corners: NDArray[np.int64]) -> NDArray[np.float64]:
    """Returns the share of each map (n, height, width) that lies in its corner; of none, 1/4.

    A row or column in the middle counts half.
    """
    shares = np.full(len(maps), 1 / len(CORNERS))
    weights = [np.clip(length / 2 - np.arange(length), 0, 1) for length in maps.shape[1:]]
    for i, corner in enumerate(corners):
        rows, columns = (
            weight[::-1] if place else weight
            for weight, place in zip(weights, CORNERS[corner], strict=True)
        )
        if total := maps[i].sum(dtype=np.float64):
            shares[i] = rows @ maps[i] @ columns / total
    return shares
