import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ladder.pictures import images


def encode(pixels: Any) -> bytes:
    content = io.BytesIO()
    Image.fromarray(np.asarray(pixels, np.uint8)).save(content, "PNG")
    return content.getvalue()


def flat(colour: tuple[int, int, int], height: int = 5, width: int = 7) -> bytes:
    return encode(np.full((height, width, 3), colour))


def first_row(grey: list[list[int]], image_size: int) -> list[int]:
    """Returns the first row of a grey picture, decoded."""
    return [int(value) for value in images.decode(encode(grey), image_size)[0, :, 0]]


@pytest.mark.parametrize(("height", "width"), [(5, 7), (200, 100), (48, 48), (1, 1)])
def test_any_picture_becomes_a_square_of_bytes(height: int, width: int) -> None:
    decoded = images.decode(flat((1, 2, 3), height, width), 48)
    assert decoded.shape == (48, 48, 3)
    assert decoded.dtype == np.uint8


@pytest.mark.parametrize("colour", [(200, 100, 50), (0, 0, 0), (255, 255, 255), (0, 0, 255)])
def test_one_colour_stays_itself_in_order_red_green_blue(colour: tuple[int, int, int]) -> None:
    np.testing.assert_array_equal(
        images.decode(flat(colour), 48), np.broadcast_to(colour, (48, 48, 3))
    )


def test_enlarging_is_bilinear_between_the_centres_of_pixels() -> None:
    assert first_row([[0, 100]] * 2, 4) == [0, 25, 75, 100]


def test_shrinking_weighs_by_distance() -> None:
    # weights 3/7, 3/7 and 1/7 of three pixels at distances 0.5, 0.5 and 1.5 of 2
    assert first_row([[0, 0, 255, 255]] * 4, 2) == [36, 219]


def test_no_pixel_is_skipped_when_shrinking() -> None:
    for i in range(64):
        pixels = np.zeros(64, np.uint8)
        pixels[i] = 255
        assert images.decode(encode(pixels.reshape(8, 8)), 2).any(), f"pixel {i} is skipped"


def test_the_whole_picture_is_squashed_and_nothing_cut_off() -> None:
    pixels = np.zeros((10, 400, 3), np.uint8)
    pixels[:, :100, 0] = pixels[:, 300:, 2] = 255
    decoded = images.decode(encode(pixels), 40)
    np.testing.assert_array_equal(decoded[:, :9], np.broadcast_to([255, 0, 0], (40, 9, 3)))
    np.testing.assert_array_equal(decoded[:, 31:], np.broadcast_to([0, 0, 255], (40, 9, 3)))
    np.testing.assert_array_equal(decoded[:, 11:29], np.zeros((40, 18, 3)))


def test_rows_are_taken_as_if_the_arrays_were_one() -> None:
    arrays = [np.random.default_rng(n).integers(0, 256, (n, 2, 2, 3), np.uint8) for n in (3, 0, 4)]
    rows = np.array([6, 0, 3, 2, 2])
    np.testing.assert_array_equal(images.take(arrays, rows), np.concatenate(arrays)[rows])
