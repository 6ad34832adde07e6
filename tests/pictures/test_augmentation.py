from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from ladder import settings
from ladder.pictures import augmentation

NONE = settings.Augmentation(
    views=1,
    rotation_degrees=0,
    shift_fraction=0,
    shear_degrees=0,
    zoom_fraction=0,
    horizontal_flip=False,
)
BOOK = settings.Augmentation(
    views=1,
    rotation_degrees=40,
    shift_fraction=0.2,
    shear_degrees=0.2,
    zoom_fraction=0.2,
    horizontal_flip=True,
)


def smooth(count: int = 6, size: int = 48) -> NDArray[np.uint8]:
    noise = np.random.default_rng(0).uniform(0, 255, (count, size, size, 3))
    blurred: NDArray[np.float64] = ndimage.gaussian_filter(noise, (0, 5, 5, 0))
    low, high = blurred.min(), blurred.max()
    scaled: NDArray[np.float64] = 255 * (blurred - low) / (high - low)
    return scaled.astype(np.uint8)


def keras_2(image: NDArray[np.uint8], drawn: dict[str, Any]) -> NDArray[np.float64]:
    """Keras 2's ImageDataGenerator, from its published formulas, in rows and columns."""
    angle, shear = np.deg2rad(drawn["rotation_degrees"]), np.deg2rad(drawn["shear_degrees"])
    sin, cos = np.sin(angle), np.cos(angle)
    rotation = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    shift = np.array([[1, 0, drawn["shift_y"]], [0, 1, drawn["shift_x"]], [0, 0, 1]])
    slant = np.array([[1, -np.sin(shear), 0], [0, np.cos(shear), 0], [0, 0, 1]])
    zoom = np.diag([drawn["zoom_y"], drawn["zoom_x"], 1])
    centre = (len(image) - 1) / 2
    there = np.array([[1, 0, centre], [0, 1, centre], [0, 0, 1]])
    back = np.array([[1, 0, -centre], [0, 1, -centre], [0, 0, 1]])
    matrix = there @ rotation @ shift @ slant @ zoom @ back
    channels = [
        ndimage.affine_transform(
            image[..., i].astype(float), matrix[:2, :2], matrix[:2, 2], order=1, mode="nearest"
        )
        for i in range(3)
    ]
    resampled = np.stack(channels, axis=-1)
    return resampled[:, ::-1] if drawn["flip"] else resampled


def test_smaller_pictures_are_averages() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 3), np.uint8)
    means = images.reshape(3, 24, 2, 24, 2, 3).mean(axis=(2, 4))
    smaller = augmentation.resized(images, 24)
    assert smaller.dtype == np.uint8
    np.testing.assert_allclose(smaller, means, atol=0.51)


def test_one_resampling_equals_the_five_steps_of_keras_2() -> None:
    images, random = smooth(), np.random.default_rng(1)
    drawn: dict[str, NDArray[Any]] = {
        "rotation_degrees": random.uniform(-40, 40, 6),
        "shift_x": random.uniform(-9, 9, 6),
        "shift_y": random.uniform(-9, 9, 6),
        "shear_degrees": random.uniform(-30, 30, 6),  # far more than the book's, to see it
        "zoom_x": random.uniform(0.8, 1.2, 6),
        "zoom_y": random.uniform(0.8, 1.2, 6),
        "flip": np.array([False, True] * 3),
    }
    received = augmentation.apply(images, augmentation.compose(48, **drawn))
    for i, image in enumerate(images):
        expected = keras_2(image, {name: values[i] for name, values in drawn.items()})
        # OpenCV places samples on a grid of 1/32 pixel.
        np.testing.assert_allclose(received[i], expected, atol=2.5)


def test_ranges_of_zero_change_nothing() -> None:
    images = smooth()
    np.testing.assert_array_equal(augmentation.view(images, slice(6), NONE, 0, 1), images)


def test_a_flip_alone_mirrors_half_of_the_pictures_exactly() -> None:
    images = smooth(count=64, size=8)
    only_flip = NONE.model_copy(update={"horizontal_flip": True})
    flipped = augmentation.view(images, slice(64), only_flip, 0, 1)
    mirrored = [np.array_equal(a, b[:, ::-1]) for a, b in zip(flipped, images, strict=True)]
    same = [np.array_equal(a, b) for a, b in zip(flipped, images, strict=True)]
    assert all(a != b for a, b in zip(mirrored, same, strict=True))
    assert 16 < sum(mirrored) < 48


def test_a_row_of_a_view_is_the_same_whoever_asks() -> None:
    images = smooth()
    whole = augmentation.view(images, slice(0, 6), BOOK, 3, 2)
    some = augmentation.view(images, np.array([4, 1]), BOOK, 3, 2)
    np.testing.assert_array_equal(some, whole[[4, 1]])


@pytest.mark.parametrize(("seed", "number"), [(1, 1), (0, 2)])
def test_another_seed_or_view_is_another_picture(seed: int, number: int) -> None:
    images = smooth()
    one = augmentation.view(images, slice(6), BOOK, 0, 1)
    other = augmentation.view(images, slice(6), BOOK, seed, number)
    assert all((one[i] != other[i]).any() for i in range(6))


def test_draws_fill_their_ranges_and_stay_inside() -> None:
    turns = NONE.model_copy(update={"rotation_degrees": 40})
    maps = augmentation.transforms(4000, 150, turns, 0, 1)
    degrees = np.rad2deg(np.arctan2(maps[:, 0, 1], maps[:, 0, 0]))
    assert -40 <= degrees.min() < -39.5
    assert 39.5 < degrees.max() <= 40
    assert abs(degrees.mean()) < 4 * 40 / np.sqrt(3 * 4000)  # four standard errors


def test_fill_takes_the_nearest_pixel() -> None:
    columns = np.tile(np.arange(8, dtype=np.uint8)[None, None, :, None], (1, 8, 1, 3))
    shifted = augmentation.apply(columns, np.array([[[1.0, 0, 3], [0, 1, 0]]]))
    np.testing.assert_array_equal(shifted[0, 0, :, 0], [3, 4, 5, 6, 7, 7, 7, 7])
