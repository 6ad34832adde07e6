"""Maps in which the answer is known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from ladder.experiments import blocks

RANDOM = np.random.default_rng(0)


def test_maps_are_averaged_and_smaller_ones_stay() -> None:
    maps = np.arange(2 * 6 * 6, dtype=np.float16).reshape(2, 6, 6, 1)
    averages = blocks.pooled(maps, 3)
    assert averages.shape == (2, 3, 3, 1)
    assert averages[0, 0, 0, 0] == np.mean([0, 1, 6, 7])
    assert averages[1, 2, 1, 0] == maps[1, 4:6, 2:4].mean()
    assert blocks.pooled(maps, 12) is maps


def test_blank_channels_and_zeros_are_counted_by_picture() -> None:
    maps = np.zeros((2, 2, 2, 4), np.float16)
    maps[0, 0, 0, 0] = maps[0, 1, 1, 1] = 1
    assert blocks.blank(maps).tolist() == [0.5, 1]
    assert blocks.zeros(maps).tolist() == [14 / 16, 1]


def labelled(count: int) -> tuple[NDArray[np.float16], NDArray[np.uint8]]:
    """Noise in which one channel is larger where the label is 1."""
    labels = RANDOM.integers(0, 2, count).astype(np.uint8)
    maps = RANDOM.normal(size=(count, 6, 6, 3)).astype(np.float16)
    maps[labels == 1, :, :, 1] += 2
    return maps, labels


def test_classes_that_a_channel_shows_are_read_and_others_not() -> None:
    subsets = [labelled(count) for count in (200, 50, 100)]
    maps, labels = [subset[0] for subset in subsets], [subset[1] for subset in subsets]
    right, accuracy = blocks.right_by_class(maps, labels, draws=2)
    assert right.shape == (2, 100)
    assert right.mean() == accuracy == 1
    shuffled = [RANDOM.permutation(each) for each in labels]
    assert 0.3 < blocks.right_by_class(maps, shuffled, draws=2)[0].mean() < 0.7


def test_the_draws_are_of_different_pictures() -> None:
    subsets = [labelled(count) for count in (30, 20, 200)]
    labels = [RANDOM.permutation(subset[1]) for subset in subsets]
    right, _ = blocks.right_by_class([subset[0] for subset in subsets], labels, draws=2)
    assert (right[0] != right[1]).any()


def pictures(count: int) -> NDArray[np.uint8]:
    """Pictures of 6 x 6 colours, each of 16 x 16 pixels."""
    colours = RANDOM.integers(0, 256, (count, 6, 6, 3)).astype(np.uint8)
    return colours.repeat(16, axis=1).repeat(16, axis=2)


@pytest.mark.parametrize("side", [3, 6])
def test_colours_that_a_block_holds_are_read_from_it(side: int) -> None:
    train, test = pictures(60), pictures(20)
    part = 6 // side

    def hold(images: NDArray[np.uint8]) -> NDArray[np.float16]:
        small = images[:, ::16, ::16].reshape(len(images), side, part, side, part, 3)
        places = small.transpose(0, 1, 3, 2, 4, 5).reshape(len(images), side, side, -1)
        return (places / 255).astype(np.float16)

    explained = blocks.colours_explained((hold(train), hold(test)), (train, test))
    assert explained.shape == (20,)
    assert explained.mean() > 0.99
    noise = [RANDOM.normal(size=(n, side, side, 5)).astype(np.float16) for n in (60, 20)]
    nothing = blocks.colours_explained((noise[0], noise[1]), (train, test))
    assert abs(nothing.mean()) < 0.1
