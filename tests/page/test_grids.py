import itertools
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from ladder.page import grids, png

RANDOM = np.random.default_rng(0)
IMAGE = RANDOM.integers(0, 256, (48, 48, 3), np.uint8)
MAPS = {
    "conv1": RANDOM.integers(0, 256, (60, 60, 32), np.uint8),
    "pool1": RANDOM.integers(0, 256, (6, 6, 20), np.uint8),
}
SHARES = {"conv1": 0.0, "pool1": 0.25}


def written(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.texts]


def pasted(figure: Figure) -> list[NDArray[np.uint8]]:
    return [np.asarray(axes.images[0].get_array()) for axes in figure.axes]


def test_every_channel_of_every_layer_has_its_cell() -> None:
    figure = grids.activation_grid(MAPS, SHARES)
    conv, pool = pasted(figure)
    assert conv.shape == (2 * 37 - 1, 16 * 37 - 1, 3)
    assert pool.shape == conv.shape  # 20 channels: two rows, the second not full
    assert (pool[37:, 4 * 37 :] == 255).all()
    cell = pool[37:, 3 * 37 : 3 * 37 + 36]  # channel 19, each of its pixels 6 × 6
    viridis = matplotlib.colormaps["viridis"](MAPS["pool1"][..., 19] / 255, bytes=True)[..., :3]
    np.testing.assert_allclose(cell, viridis.repeat(6, axis=0).repeat(6, axis=1), atol=20)
    assert written(figure) == [
        "conv1: 32 of 60 × 60, 0 % blank",
        "pool1: 20 of 6 × 6, 25 % blank",
    ]


def test_layers_fill_columns_that_are_as_short_as_can_be() -> None:
    channels = {"conv1": 640, "conv2": 320, "conv3": 320, "conv4": 640}
    maps = {name: np.zeros((1, 1, count), np.uint8) for name, count in channels.items()}
    figure = grids.activation_grid(maps, dict.fromkeys(maps, 0.0))
    boxes = [axes.get_position() for axes in figure.axes]
    lefts = [box.x0 for box in boxes]
    assert lefts[0] < lefts[1] == lefts[2] < lefts[3]
    assert boxes[1].y0 > boxes[2].y1
    assert [box.y1 for box in boxes] == pytest.approx(
        [boxes[0].y1] * 2 + [boxes[2].y1, boxes[0].y1]
    )


def test_patterns_stand_at_full_size_under_their_layers_name() -> None:
    patterns = RANDOM.integers(0, 256, (9, 32, 32, 3), np.uint8)
    figure = grids.filter_grid({"block1_conv1": patterns, "block2_conv1": patterns[:2]})
    first, second = pasted(figure)
    np.testing.assert_array_equal(first[33:65, :32], patterns[8])
    np.testing.assert_array_equal(second[:, 33:], patterns[1])
    assert written(figure) == ["block1_conv1", "block2_conv1"]


def test_no_heat_shows_the_photograph_and_heat_covers_its_own_part() -> None:
    cold = grids.overlay(IMAGE, np.zeros((6, 6), np.float16), 48)
    assert np.abs(cold.astype(int) - IMAGE).max() <= 1
    spot = np.zeros((6, 6), np.float16)
    spot[1, 4] = 1
    changed = np.abs(grids.overlay(IMAGE, spot, 48).astype(int) - IMAGE).max(axis=2) > 1
    rows, columns = np.nonzero(changed)
    assert changed[8:16, 32:40].mean() > 0.9
    assert (rows.min() >= 0, rows.max() < 24, columns.min() >= 24) == (True, True, True)


def test_photographs_are_thumbnails() -> None:
    large = np.zeros((600, 600, 3), np.uint8)
    assert max(grids.thumbnail(large).shape) <= 150
    maps = {method: np.zeros((3, 6, 6), np.float16) for method in grids.METHODS}
    tile = grids.THUMBNAIL
    assert grids.strip(large, maps).shape == (tile, (1 + 3 * 2) * (tile + 1) - 1, 3)


def test_a_strip_shows_class_after_class_by_both_methods() -> None:
    maps = {
        method: RANDOM.random((2, 6, 6)).astype(np.float16)
        for method in ("grad_cam_plus_plus", "grad_cam")
    }
    strip, step = grids.strip(IMAGE, maps), grids.THUMBNAIL + 1
    expected = [
        grids.overlay(IMAGE, maps[method][label])
        for label in (0, 1)
        for method in ("grad_cam", "grad_cam_plus_plus")
    ]
    for i, tile in enumerate([grids.thumbnail(IMAGE), *expected]):
        np.testing.assert_array_equal(strip[:, i * step : (i + 1) * step - 1], tile)
    figure = grids.heatmaps([("cat.1", strip), ("cat.1", strip)], ["cat", "dog"])
    assert written(figure)[:4] == [
        "Grad-CAM\nfor cat",
        "Grad-CAM++\nfor cat",
        "Grad-CAM\nfor dog",
        "Grad-CAM++\nfor dog",
    ]
    assert written(figure)[4:] == ["cat.1", "cat.1"]
    np.testing.assert_array_equal(pasted(figure)[1], strip)


def test_of_many_classes_a_picture_has_the_heatmaps_of_its_own_and_the_likeliest_other() -> None:
    assert grids.looked_for(1, np.array([0.1, 0.2, 0.6, 0.1])) == [0, 1, 2, 3]
    assert grids.looked_for(1, np.array([0.1, 0.2, 0.6, 0.1, 0.0])) == [1, 2]  # a mistake
    assert grids.looked_for(2, np.array([0.1, 0.2, 0.6, 0.1, 0.0])) == [2, 1]
    assert grids.looked_for(0, np.array([0.4, 0.1, 0.1, 0.1, 0.3])) == [0, 4]


def test_heatmaps_of_many_classes_stand_under_what_they_are_of(tmp_path: Path) -> None:
    maps = {method: RANDOM.random((2, 6, 6)).astype(np.float16) for method in grids.METHODS}
    strip = grids.strip(IMAGE, maps)
    names = [f"class of pictures {i}" for i in range(100)]
    figure = grids.heatmaps([("a long line of text " * 3, strip), ("short", strip)], names)
    assert written(figure)[:4] == [
        "Grad-CAM\nits own class",
        "Grad-CAM++\nits own class",
        "Grad-CAM\nlikeliest other",
        "Grad-CAM++\nlikeliest other",
    ]
    png.write(tmp_path / "heatmaps.png", figure)
    check_texts(figure)


@pytest.mark.parametrize("names", [["\U0001d800", "European beech in winter"], ["$y$", "<b>"]])
def test_names_of_columns_are_narrower_than_they(names: list[str], tmp_path: Path) -> None:
    maps = {method: RANDOM.random((2, 6, 6)).astype(np.float16) for method in grids.METHODS}
    figure = grids.heatmaps([("cat.1", grids.strip(IMAGE, maps))], names)
    png.write(tmp_path / "heatmaps.png", figure)
    check_texts(figure)
    assert written(figure)[0] in {"Grad-CAM\nfor class 0", "Grad-CAM\nfor $y$"}


def check_texts(figure: Figure) -> None:
    """Fails if a text covers another, or a picture."""
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.texts]
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
    pictures = [axes.get_window_extent() for axes in figure.axes]
    assert not any(box.overlaps(picture) for box in boxes for picture in pictures)


def test_pasted_pixels_are_drawn_as_they_are(tmp_path: Path) -> None:
    figure = grids.filter_grid({"block1_conv1": IMAGE[None] // 64 * 64})
    png.write(tmp_path / "f.png", figure)
    with Image.open(tmp_path / "f.png") as picture:
        pixels = np.asarray(picture.convert("RGB"))
    np.testing.assert_array_equal(pixels[grids.LINE : grids.LINE + 48, :48], IMAGE // 64 * 64)


def test_what_was_learned_stands_below_what_was_written_by_hand() -> None:
    maps = MAPS["pool1"].copy()
    maps[..., 0] = 0  # blank: not shown
    kernels = RANDOM.integers(0, 256, (20, 3, 3, 3), np.uint8)
    figure = grids.operations({"as it is": IMAGE, "Canny": IMAGE}, kernels, maps)
    assert written(figure)[:2] == ["as it is", "Canny"]
    _, canny, first, first_map, *_ = pasted(figure)
    np.testing.assert_array_equal(canny, grids.thumbnail(IMAGE))
    np.testing.assert_array_equal(first[::14, ::14], kernels[1])
    assert first_map.shape == (grids.THUMBNAIL, grids.THUMBNAIL, 3)
    assert len(pasted(figure)) == 2 + 2 * 12


def test_a_convolution_that_found_nothing_has_no_maps() -> None:
    figure = grids.operations({"as it is": IMAGE}, IMAGE[None, :3, :3], np.zeros((6, 6, 1), "u1"))
    assert len(pasted(figure)) == 1


@pytest.mark.parametrize(
    "draw",
    [
        lambda: grids.activation_grid(MAPS, SHARES),
        lambda: grids.operations({"as it is": IMAGE}, IMAGE[None, :3, :3], MAPS["pool1"][..., :1]),
    ],
)
def test_grids_are_drawn_the_same_every_time(draw: Callable[[], Figure], tmp_path: Path) -> None:
    for i in range(2):
        png.write(tmp_path / f"{i}.png", draw())
    assert (tmp_path / "0.png").read_bytes() == (tmp_path / "1.png").read_bytes()
