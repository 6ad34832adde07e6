"""Pictures in rows and columns: pixels in, figures out, in which every pixel keeps its size."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from ladder.evidence import selection
from ladder.page import lettering, png

Pixels = NDArray[np.uint8]
METHODS = {"grad_cam": "Grad-CAM", "grad_cam_plus_plus": "Grad-CAM++"}
CHANNELS_PER_ROW = 16  # the book's
THUMBNAIL = 96  # pixels: photographs are shown no larger
LINE = 20  # pixels of a line of text
POINTS = 7  # of text
TEXT = 9 * LINE  # pixels, at least, of the texts left of heatmaps
MOST_CLASSES = 4  # that have a heatmap each; of more classes there are the heatmaps of two


def activation_grid(maps: Mapping[str, Pixels], shares: Mapping[str, float]) -> Figure:
    """Returns every channel of every layer's activation maps, 16 in a row (DLwP 5.4.1).

    Layers stand below each other, with their shares of blank channels, in two or three columns.
    """
    columns, size = (2, 36) if sum(layer.shape[-1] for layer in maps.values()) < 1000 else (3, 18)
    cells = {
        name: _mosaic(_coloured(layer, size), CHANNELS_PER_ROW) for name, layer in maps.items()
    }
    heights = [len(cell) + 2 * LINE for cell in cells.values()]
    starts = _starts(heights, columns)
    width = max(cell.shape[1] for cell in cells.values()) + LINE
    lengths = [sum(heights[start:stop]) for start, stop in pairwise([*starts, len(heights)])]
    figure = _canvas(len(lengths) * width - LINE, max(lengths) - LINE // 2)
    for i, (name, cell) in enumerate(cells.items()):
        column = bisect_right(starts, i) - 1
        x, top = column * width, sum(heights[starts[column] : i])
        height, _, channels = maps[name].shape
        blank = f"{100 * shares[name]:.0f} % blank"
        _write(figure, f"{name}: {channels} of {height} × {height}, {blank}", x, top + LINE)
        _paste(figure, cell, x, top + LINE)
    return figure


def _starts(heights: Sequence[int], columns: int) -> list[int]:
    """The first of each column, so that the longest column is as short as can be."""
    cuts = combinations(range(1, len(heights)), min(columns, len(heights)) - 1)
    return min(
        ([0, *cut] for cut in cuts),
        key=lambda starts: max(sum(heights[a:b]) for a, b in pairwise([*starts, len(heights)])),
    )


def _coloured(layer: Pixels, size: int) -> Pixels:
    """Activation maps (height, width, channels) as (channels, size, size, 3)."""
    shrinks = layer.shape[0] > size
    how = Image.Resampling.BOX if shrinks else Image.Resampling.NEAREST
    shown = [_resized(channel, size, how) for channel in np.moveaxis(layer, -1, 0)]
    colours = mpl.colormaps["viridis"].resampled(32)  # a third fewer bytes than with 256
    coloured: Pixels = colours(np.stack(shown) // 8, bytes=True)[..., :3]
    return coloured


def filter_grid(patterns: Mapping[str, Pixels]) -> Figure:
    """Returns what filters respond to most, (n, S, S, 3) a layer, at full size (DLwP 5.4.2)."""
    cells = {name: _mosaic(images, CHANNELS_PER_ROW // 2) for name, images in patterns.items()}
    height = sum(len(cell) + 2 * LINE for cell in cells.values()) - LINE // 2
    figure, top = _canvas(max(cell.shape[1] for cell in cells.values()), height), 0
    for name, cell in cells.items():
        _write(figure, name, 0, top + LINE)
        _paste(figure, cell, 0, top + LINE)
        top += len(cell) + 2 * LINE
    return figure


def operations(panels: Mapping[str, Pixels], kernels: Pixels, maps: Pixels) -> Figure:
    """Returns what was done by hand, under names, above what a first convolution learned to do.

    Panels are (S, S, 3); kernels (n, h, w, 3) stand left of their maps (height, width, n), of which
    the first that are not blank are shown.
    """
    step, per_row, kernel_size = 7 * LINE, 6, 2 * LINE
    alive = np.flatnonzero(maps.any(axis=(0, 1)))[: 2 * per_row]
    learned = -(-len(panels) // per_row) * (THUMBNAIL + 2 * LINE) + 2 * LINE
    bottom = learned + -(-len(alive) // per_row) * (THUMBNAIL + LINE)
    figure = _canvas(per_row * step, bottom)
    for i, (name, panel) in enumerate(panels.items()):
        x, top = i % per_row * step, i // per_row * (THUMBNAIL + 2 * LINE)
        _write(figure, name, x, top + LINE)
        _paste(figure, thumbnail(panel), x, top + LINE)
    _write(figure, "kernels that the first convolution learned, and what they find", 0, learned)
    for i, channel in enumerate(alive):
        kernel, (response,) = kernels[channel], _coloured(maps[..., [channel]], THUMBNAIL)
        x, top = i % per_row * step, learned + i // per_row * (THUMBNAIL + LINE)
        _paste(figure, _resized(kernel, kernel_size, Image.Resampling.NEAREST), x, top)
        _paste(figure, response, x + kernel_size + 1, top)
    return figure


def overlay(image: Pixels, heatmap: NDArray[np.floating], size: int = THUMBNAIL) -> Pixels:
    """Returns a heatmap in [0, 1] over its image (S, S, 3), as (size, size, 3).

    The heatmap's cells are spread bilinearly over the image; the hotter, the denser.
    """
    heat = _resized(heatmap.astype(np.float32), size, Image.Resampling.BILINEAR).clip(0, 1)
    colour = mpl.colormaps["turbo"](heat)[..., :3] * 255
    alpha = 0.65 * heat[..., None]
    blended: Pixels = ((1 - alpha) * thumbnail(image, size) + alpha * colour).astype(np.uint8)
    return blended


def thumbnail(image: Pixels, size: int = THUMBNAIL) -> Pixels:
    """Returns an image (S, S, 3) as (size, size, 3)."""
    return _resized(image, size, Image.Resampling.BILINEAR)


def strip(image: Pixels, maps: Mapping[str, NDArray[np.floating]]) -> Pixels:
    """Returns an image and its heatmaps (k, height, width) by method, class after class.

    They are of all classes, or of the two of `looked_for`.
    """
    classes = range(len(next(iter(maps.values()))))
    overlays = [overlay(image, maps[method][label]) for label in classes for method in METHODS]
    return _mosaic(np.stack([thumbnail(image), *overlays]), 1 + len(overlays))


def looked_for(label: int, probabilities: NDArray[np.floating]) -> list[int]:
    """Returns the labels whose heatmaps are shown of one picture with its probabilities (k,).

    All; of more than `MOST_CLASSES` the picture's own, and the most probable of the others.
    """
    if len(probabilities) <= MOST_CLASSES:
        return list(range(len(probabilities)))
    pairs: list[int] = selection.looked_at(np.array([label]), probabilities[None])[0].tolist()
    return pairs


def heatmaps(strips: Sequence[tuple[str, Pixels]], class_names: Sequence[str]) -> Figure:
    """Returns strips below each other under the names of their columns, each after its text.

    A strip has the heatmaps of the labels of `looked_for`.
    """
    lines = [line for text, _ in strips for line in text.split("\n")]
    widest = max(lettering.measured(line, POINTS) for line in lines)
    left, above = max(TEXT, round(widest * png.DPI) + LINE // 2), 2 * LINE
    columns = ["its own class", "likeliest other"]
    if len(class_names) <= MOST_CLASSES:
        names = lettering.names(class_names, (THUMBNAIL - LINE) / png.DPI, POINTS)
        columns = [f"for {name}" for name in names]
    height, width = strips[0][1].shape[:2]
    figure = _canvas(left + width, above + len(strips) * (height + 2))
    for i, (label, method) in enumerate(
        [(column, method) for column in columns for method in METHODS.values()]
    ):
        x = left + (i + 1) * (THUMBNAIL + 1)
        _write(figure, f"{method}\n{label}", x, above)
    for i, (text, pixels) in enumerate(strips):
        top = above + i * (height + 2)
        _write(figure, text, 0, top + height // 2 + LINE)
        _paste(figure, pixels, left, top)
    return figure


def _resized(array: NDArray[Any], size: int, how: Image.Resampling) -> NDArray[Any]:
    return np.asarray(Image.fromarray(array).resize((size, size), how))


def _mosaic(images: Pixels, per_row: int) -> Pixels:
    """Images (n, H, W, 3) in rows, a white pixel between them."""
    count, height, width, _ = images.shape
    rows = -(-count // per_row)
    mosaic = np.full(
        (rows * (height + 1) - 1, min(count, per_row) * (width + 1) - 1, 3), 255, np.uint8
    )
    for i, image in enumerate(images):
        y, x = i // per_row * (height + 1), i % per_row * (width + 1)
        mosaic[y : y + height, x : x + width] = image
    return mosaic


def _canvas(width: int, height: int) -> Figure:
    """An empty figure of so many pixels, on which pictures keep theirs."""
    return Figure(figsize=(width / png.DPI, height / png.DPI), dpi=png.DPI)


def _paste(figure: Figure, pixels: Pixels, x: int, y: int) -> None:
    width, height = figure.get_size_inches() * png.DPI
    rows, columns = pixels.shape[:2]
    box = (x / width, 1 - (y + rows) / height, columns / width, rows / height)
    axes = figure.add_axes(box)
    axes.imshow(pixels, interpolation="nearest", aspect="auto")
    axes.set_axis_off()


def _write(figure: Figure, text: str, x: int, y: int) -> None:
    """Writes lines of text that end above (x, y)."""
    width, height = figure.get_size_inches() * png.DPI
    place = x / width, 1 - (y - LINE / 5) / height
    family = lettering.fonts([text])
    figure.text(*place, text, fontsize=POINTS, va="bottom", parse_math=False, fontfamily=family)
