from pathlib import Path

import h5py
import numpy as np
import pytest

from ladder.networks import digests

KERNEL = np.arange(6, dtype=np.float32).reshape(2, 3)


def written(path: Path, **arrays: np.ndarray) -> Path:
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file.create_dataset(f"layers/{name}", data=array)
    return path


def test_the_order_of_writing_and_the_file_do_not_matter(tmp_path: Path) -> None:
    one = written(tmp_path / "1.h5", a=KERNEL, b=KERNEL[0])
    other = written(tmp_path / "2.h5", b=KERNEL[0], a=KERNEL)
    assert one.read_bytes() != other.read_bytes()
    assert digests.weights(one) == digests.weights(other)


@pytest.mark.parametrize(
    "changed",
    [
        {"a": np.nextafter(KERNEL, 9)},
        {"a": KERNEL.reshape(3, 2)},
        {"a": KERNEL.astype(np.float64)},
        {"b": KERNEL},
        {},
    ],
    ids=["a bit", "a shape", "a type", "a name", "nothing there"],
)
def test_another_number_shape_type_or_name_matters(
    tmp_path: Path, changed: dict[str, np.ndarray]
) -> None:
    before = digests.weights(written(tmp_path / "1.h5", a=KERNEL))
    assert digests.weights(written(tmp_path / "2.h5", **changed)) != before
