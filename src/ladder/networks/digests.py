"""A hash of a model's weights: of the arrays, not of the bytes of the file."""

import hashlib
from pathlib import Path

import h5py
import numpy as np


def weights(path: Path) -> str:
    """Returns the sha256 of all arrays of a `.weights.h5`, by name: shapes, types and numbers."""
    arrays = {}

    def visit(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            arrays[name] = np.ascontiguousarray(item[()])

    with h5py.File(path) as file:
        file.visititems(visit)
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.shape} {array.dtype.str}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
