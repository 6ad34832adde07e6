"""Weights that PyTorch wrote, read without PyTorch and without running foreign code.

The form is that of `torch.save` before version 1.6: pickles of a magic number, a version, the
machine's types, the tensors, and the storages' names, then each storage as a count and its numbers.
"""

import pickle
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ladder import errors
from ladder.networks import unpickling

MAGIC = 0x1950A86A20F9469CFC6C
DTYPES: dict[str, np.dtype[Any]] = {
    "FloatStorage": np.dtype("<f4"),
    "LongStorage": np.dtype("<i8"),
}


@dataclass(frozen=True)
class Storage:
    """Where a tensor's numbers stand in the file, and their type."""

    name: str
    dtype: np.dtype[Any]


@dataclass(frozen=True)
class Tensor:
    """A view of a storage: from `offset` on, in numbers, not in bytes."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _tensor(
    storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any
) -> Tensor:
    return Tensor(storage, offset, shape, strides)


class TensorUnpickler(unpickling.StrictUnpickler):
    """Reads a pickle of plain tensors; what stands in it for PyTorch's constructors is ours."""

    expected = "a pickle of PyTorch's tensors alone"
    admitted: ClassVar[Mapping[tuple[str, str], Any]] = {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _tensor,
        **{("torch", storage): storage for storage in DTYPES},
    }

    def persistent_load(self, identity: Any) -> Storage:
        """Returns the storage that a tensor's numbers are in: its type and its name."""
        _, kind, name, *_ = identity
        return Storage(name, DTYPES[kind])


def read(path: Path) -> dict[str, NDArray[Any]]:
    """Returns the tensors by their names, in the order of the file.

    Raises:
        InputError: the file is of another form, cut, or names anything but tensors.
    """
    try:
        with path.open("rb") as file:
            return _read(file)
    except (pickle.UnpicklingError, EOFError, LookupError, TypeError, ValueError) as error:
        raise errors.InputError(
            path.name,
            expected="a file of torch.save before PyTorch 1.6",
            received=error,
            advice="Use the package's own file.",
        ) from error


def _read(file: IO[bytes]) -> dict[str, NDArray[Any]]:
    magic, _version, _types, tensors, names = (TensorUnpickler(file).load() for _ in range(5))
    if magic != MAGIC:
        raise ValueError(f"magic number {magic!r}")
    dtypes = {tensor.storage.name: tensor.storage.dtype for tensor in tensors.values()}
    storages = {}
    for name in names:
        (count,) = np.frombuffer(file.read(8), "<i8")
        content = file.read(int(count) * dtypes[name].itemsize)
        storages[name] = np.frombuffer(content, dtypes[name], int(count))
    return {name: _array(tensor, storages) for name, tensor in tensors.items()}


def _array(tensor: Tensor, storages: dict[str, NDArray[Any]]) -> NDArray[Any]:
    numbers = storages[tensor.storage.name]
    strides = [stride * numbers.itemsize for stride in tensor.strides]
    # numpy refuses shapes and strides that would leave the storage
    return np.ndarray(
        tensor.shape, numbers.dtype, numbers.data, tensor.offset * numbers.itemsize, strides
    )
