"""What people wrote by hand before networks learned it: classic operations on one picture."""

import numpy as np
from numpy.typing import NDArray
from skimage import color, feature, filters, restoration, transform
from sklearn.cluster import KMeans

Pixels = NDArray[np.uint8]

COARSE = 24  # pixels that a picture is shrunk to, to show what interpolation makes of them
COLOURS = 8


def operations(image: Pixels) -> dict[str, Pixels]:
    """Returns by name what each operation makes of an image (S, S, 3): (S, S, 3), in [0, 255].

    Resizing and interpolation, greyscale, denoising (Gaussian; total variation, Chambolle 2004),
    edges (Sobel; Canny 1986), k-means of colours.
    """
    pixels = image / 255
    grey = color.rgb2gray(pixels)
    return {
        "as it is": image,
        f"{COARSE} pixels, nearest": _coarse(pixels, 0),
        f"{COARSE} pixels, bilinear": _coarse(pixels, 1),
        f"{COARSE} pixels, bicubic": _coarse(pixels, 3),
        "greyscale": _pixels(grey),
        "Gaussian, 2 pixels": _pixels(filters.gaussian(pixels, 2, channel_axis=-1)),
        "total variation": _pixels(
            restoration.denoise_tv_chambolle(pixels, weight=0.2, channel_axis=-1)
        ),
        f"{COLOURS} colours, k-means": _pixels(_few_colours(pixels)),
        "Sobel, left to right": _signed(filters.sobel_v(grey)),
        "Sobel, top to bottom": _signed(filters.sobel_h(grey)),
        "Sobel, strength": _scaled(filters.sobel(grey)),
        "Canny": _pixels(feature.canny(grey, sigma=2).astype(float)),
    }


def kernels(weights: NDArray[np.float32]) -> Pixels:
    """Returns kernels (n, h, w, 3) as pictures: 0 is grey, each's largest weight the extreme."""
    return np.stack([_signed(kernel) for kernel in weights])


def _coarse(pixels: NDArray[np.float64], order: int) -> Pixels:
    shrunk = transform.resize(pixels, (COARSE, COARSE), anti_aliasing=True)
    return _pixels(transform.resize(shrunk, pixels.shape, order=order))


def _few_colours(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    colours = pixels.reshape(-1, 3)
    distinct = len(np.unique(colours, axis=0))
    clusters = KMeans(min(COLOURS, distinct), n_init=1, random_state=0).fit(colours)
    few: NDArray[np.float64] = clusters.cluster_centers_[clusters.labels_].reshape(pixels.shape)
    return few


def _signed(values: NDArray[np.floating]) -> Pixels:
    return _pixels(0.5 + _over(values, 2 * np.abs(values).max()))


def _scaled(values: NDArray[np.floating]) -> Pixels:
    return _pixels(_over(values, values.max()))


def _over(values: NDArray[np.floating], largest: float) -> NDArray[np.floating]:
    return values / largest if largest else values


def _pixels(values: NDArray[np.floating]) -> Pixels:
    """Values in [0, 1], (S, S) or (S, S, 3), as (S, S, 3)."""
    coloured = values if values.ndim == 3 else color.gray2rgb(values)
    pixels: Pixels = np.rint(255 * coloured.clip(0, 1)).astype(np.uint8)
    return pixels
