"""Pictures whose colour says which they are."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ladder import paths
from ladder.experiments import animals
from ladder.pictures import cifar10

COUNTS: dict[paths.Subset, int] = {"train": 4, "validation": 2, "test": 2}


def drawn(count: int, first: int) -> NDArray[np.uint8]:
    """Pictures of one colour each, which grows by 1."""
    return np.stack([np.full((32, 32, 3), first + i, np.uint8) for i in range(count)])


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Cats of 0 … 3 and dogs of 100 … 103 to train on; tests of 50 and 150."""
    monkeypatch.setattr(cifar10, "TEST_STARTS_AT", 4)
    arrays = {
        "train images": np.concatenate([drawn(4, 0), drawn(4, 100)]),
        "train labels": np.array([3] * 4 + [5] * 4, np.uint8),
        "test images": np.concatenate([drawn(1, 50), drawn(1, 150)]),
        "test labels": np.array([3, 5], np.uint8),
    }
    path = tmp_path / "images.zip"
    cifar10.write(arrays, path)
    return path


def test_cats_and_dogs_take_turns_and_no_picture_comes_twice(archive: Path) -> None:
    arrays = animals.read(archive, COUNTS)
    colours = {subset: arrays[f"{subset}_images"][:, 0, 0, 0].tolist() for subset in COUNTS}
    assert colours == {"train": [0, 100, 1, 101], "validation": [2, 102], "test": [50, 150]}
    for subset, count in COUNTS.items():
        assert arrays[f"{subset}_labels"].tolist() == [0, 1] * (count // 2)
        assert arrays[f"{subset}_images"].shape == (count, 32, 32, 3)


def test_they_are_fetched_and_the_archive_does_not_stay(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = archive.read_bytes()
    monkeypatch.setattr(cifar10, "fetch", lambda target, _: target.write_bytes(content))
    downloads = tmp_path / "downloads"
    assert animals.fetch(downloads, COUNTS)["test_labels"].tolist() == [0, 1]
    assert [*downloads.iterdir()] == []


def test_a_grey_picture_and_one_in_colour_become_rgb_of_another_size() -> None:
    grey = np.full((2, 28, 28), 7, np.uint8)
    assert (animals.enlarged(grey, 56) == np.full((2, 56, 56, 3), 7)).all()
    colours = np.zeros((1, 32, 32, 3), np.uint8)
    colours[..., 2] = 9
    assert (animals.enlarged(colours, 96)[0, 5, 5] == [0, 0, 9]).all()


def test_a_picture_gets_one_of_the_other_class_in_a_corner() -> None:
    images, labels = drawn(5, 10), np.array([0, 0, 1, 0, 1], np.uint8)
    pasted, corners = animals.pasted(images, labels, 8)
    assert corners.tolist() == [0, 0, 1, 1, 2]
    others = [12, 12, 13, 14, 10]  # the next of the other class, the first after the last
    for i, (image, other) in enumerate(zip(pasted[..., 0], others, strict=True)):
        row, column = animals.CORNERS[corners[i]]
        corner = np.zeros((8, 8), bool)
        corner[4 * row : 4 * row + 4, 4 * column : 4 * column + 4] = True
        assert (image[corner] == other).all()
        assert (image[~corner] == 10 + i).all()


@pytest.mark.parametrize("side", [3, 4, 6])
def test_even_heat_lies_in_a_corner_by_its_area(side: int) -> None:
    maps = np.ones((4, side, side), np.float32)
    shares = animals.share_in_corner(maps, np.arange(4))
    np.testing.assert_allclose(shares, 0.25)
    assert animals.share_in_corner(0 * maps, np.arange(4)).tolist() == [0.25] * 4


def test_heat_in_one_place_lies_in_its_corner_alone() -> None:
    maps = np.zeros((4, 4, 4), np.float32)
    maps[:, 3, 0] = 1  # lower left
    assert animals.share_in_corner(maps, np.arange(4)).tolist() == [0, 0, 1, 0]
    of_three = np.zeros((1, 3, 3), np.float32)
    of_three[0, 1, 0] = 1  # in the middle between upper and lower
    assert animals.share_in_corner(of_three, np.array([2])).tolist() == [0.5]
