"""Against what each operation is known to do to a drawn picture."""

import numpy as np
import pytest

from ladder.page import operations

RANDOM = np.random.default_rng(0)
HALVES = np.zeros((96, 96, 3), np.uint8)  # black, then white from column 48 on
HALVES[:, 48:] = 255
NOISE = RANDOM.integers(0, 256, (96, 96, 3), np.uint8)


@pytest.mark.parametrize("image", [HALVES, NOISE, np.full((96, 96, 3), 7, np.uint8)])
def test_every_operation_gives_a_picture_of_the_same_size(image: operations.Pixels) -> None:
    done = operations.operations(image)
    assert {(panel.shape, panel.dtype.name) for panel in done.values()} == {((96, 96, 3), "uint8")}
    np.testing.assert_array_equal(done["as it is"], image)


def test_an_edge_is_found_where_it_is_and_in_its_direction_alone() -> None:
    done = operations.operations(HALVES)
    strong = np.flatnonzero(done["Sobel, strength"][48, :, 0] > 128)
    assert strong.tolist() == [47, 48]
    assert done["Sobel, left to right"][48, 47, 0] > 128
    assert (done["Sobel, top to bottom"] == 128).all()
    edges = np.flatnonzero(done["Canny"][48, :, 0])
    # The edge lies between two columns that are equally strong but for the last bit.
    assert edges.tolist() in ([47], [48], [47, 48])


def test_nearest_keeps_blocks_and_denoising_takes_noise_away() -> None:
    done = operations.operations(NOISE)
    blocks = done["24 pixels, nearest"].reshape(24, 4, 24, 4, 3)
    assert (blocks == blocks[:, :1, :, :1]).all()
    assert done["Gaussian, 2 pixels"].std() < NOISE.std() / 2
    assert done["total variation"].std() < NOISE.std()
    assert (done["greyscale"][..., :1] == done["greyscale"]).all()


def test_few_colours_are_those_of_a_picture_that_has_few() -> None:
    image = RANDOM.choice(np.uint8([[0, 0, 0], [255, 0, 0], [0, 128, 255]]), (96, 96))  # type: ignore[arg-type]
    np.testing.assert_array_equal(operations.operations(image)["8 colours, k-means"], image)
    reduced = operations.operations(NOISE)["8 colours, k-means"]
    assert len(np.unique(reduced.reshape(-1, 3), axis=0)) == 8


def test_a_kernels_zero_is_grey_and_its_largest_weight_the_extreme() -> None:
    weights = np.zeros((2, 3, 3, 3), np.float32)
    weights[0, 0, 0] = -0.2, 0.1, 0
    assert operations.kernels(weights)[0, 0, 0].tolist() == [0, 191, 128]
    assert (operations.kernels(weights)[1] == 128).all()
