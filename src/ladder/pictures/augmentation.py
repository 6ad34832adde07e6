"""Random views of pictures: the book's five augmentations as one affine resampling (DLwP 5.2.5)."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache, reduce

import cv2
import numpy as np
from numpy.typing import NDArray

from ladder import settings


def view(
    images: NDArray[np.uint8],
    rows: slice | NDArray[np.int64],
    ranges: settings.Ranges,
    seed: int,
    number: int,
) -> NDArray[np.uint8]:
    """Returns some rows of a view of the images (n, S, S, 3), the same whoever asks for them."""
    maps = transforms(len(images), images.shape[1], ranges, seed, number)
    return apply(images[rows], maps[rows])


@lru_cache(maxsize=2)
def transforms(
    count: int, image_size: int, ranges: settings.Ranges, seed: int, number: int
) -> NDArray[np.float64]:
    """Returns a view's map from output to input pixels (x, y, 1) per picture, (count, 2, 3)."""
    random = np.random.default_rng([seed, number])

    def draw(middle: float, width: float) -> NDArray[np.float64]:
        return random.uniform(middle - width, middle + width, count)

    shift = ranges.shift_fraction * image_size
    return compose(
        image_size,
        rotation_degrees=draw(0, ranges.rotation_degrees),
        shift_x=draw(0, shift),
        shift_y=draw(0, shift),
        shear_degrees=draw(0, ranges.shear_degrees),
        zoom_x=draw(1, ranges.zoom_fraction),
        zoom_y=draw(1, ranges.zoom_fraction),
        flip=random.random(count) < (0.5 if ranges.horizontal_flip else 0),
    )


def compose(
    image_size: int,
    *,
    rotation_degrees: NDArray[np.float64],
    shift_x: NDArray[np.float64],
    shift_y: NDArray[np.float64],
    shear_degrees: NDArray[np.float64],
    zoom_x: NDArray[np.float64],
    zoom_y: NDArray[np.float64],
    flip: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Returns rotate · shift · shear · zoom · flip about the centre, all (n,), as (n, 2, 3).

    In the order and with the signs of Keras 2's ImageDataGenerator, whose shear is in degrees.
    """
    angle, shear = np.deg2rad(rotation_degrees), np.deg2rad(shear_degrees)
    zero, one = np.zeros_like(shift_x), np.ones_like(shift_x)
    centre = (image_size - 1) / 2 * one
    steps = (
        _stack((one, zero, centre), (zero, one, centre)),
        _stack((np.cos(angle), np.sin(angle), zero), (-np.sin(angle), np.cos(angle), zero)),
        _stack((one, zero, shift_x), (zero, one, shift_y)),
        _stack((np.cos(shear), zero, zero), (-np.sin(shear), one, zero)),
        _stack((np.where(flip, -zoom_x, zoom_x), zero, zero), (zero, zoom_y, zero)),
        _stack((one, zero, -centre), (zero, one, -centre)),
    )
    return reduce(np.matmul, steps)[:, :2]


def _stack(*rows: tuple[NDArray[np.float64], ...]) -> NDArray[np.float64]:
    """Returns matrices (n, 3, 3) from their first two rows."""
    count = len(rows[0][0])
    matrices = np.zeros((count, 3, 3))
    matrices[:, 2, 2] = 1
    for i, row in enumerate(rows):
        matrices[:, i] = np.stack(row, axis=1)
    return matrices


def resized(images: NDArray[np.uint8], image_size: int) -> NDArray[np.uint8]:
    """Returns the images (n, S, S, 3) of another size, averaged where they shrink."""
    size = image_size, image_size
    return np.stack([cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in images])


def apply(images: NDArray[np.uint8], maps: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Returns the images (n, S, S, 3) resampled by their maps (n, 2, 3): bilinear, nearest fill."""
    resampled = np.empty_like(images)
    size = images.shape[2], images.shape[1]

    def fill(i: int) -> None:
        cv2.warpAffine(
            images[i],
            maps[i],
            size,
            dst=resampled[i],
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )

    list(_pool().map(fill, range(len(images))))
    return resampled


@cache
def _pool() -> ThreadPoolExecutor:
    cv2.setNumThreads(1)  # a picture a thread beats all threads on a picture
    return ThreadPoolExecutor(thread_name_prefix="augmentation")
