"""The book's own counts (DLwP 5.1.1, 5.1.2), and arithmetic by other means."""

import functools

import numpy as np
import pytest
from numpy.typing import NDArray

from ladder.experiments import digits, plan
from ladder.networks.runtime import keras

FIT = plan.Fit(epochs=3, batch_size=16, learning_rate=1e-3)


def drawn(count: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Bars whose place is their label."""
    labels = (np.arange(count) % 10).astype(np.uint8)
    images = np.zeros((count, 28, 28), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4:24, 4 + 2 * label : 6 + 2 * label] = 255
    return images, labels


def test_the_convnet_has_the_books_parameters() -> None:
    assert digits.convnet().count_params() == 93_322


def test_the_dense_network_has_the_books_parameters() -> None:
    assert digits.dense(512).count_params() == 784 * 512 + 512 + 512 * 10 + 10


@pytest.mark.parametrize(
    ("pooling", "side"), [("max", 3), ("average", 3), ("strides", 4), ("none", 22)]
)
def test_maps_weights_and_windows_are_as_calculated(pooling: digits.Pooling, side: int) -> None:
    convolutions = 32 * 10 + 64 * (32 * 9 + 1) + 64 * (64 * 9 + 1)
    coefficients = side * side * 64
    # A unit sees 3, then each layer adds what it spans in pixels of the input.
    windows = {"max": 3 + 1 + 4 + 2 + 8, "strides": 3 + 4 + 8, "none": 3 + 2 + 2}
    windows["average"] = windows["max"]
    assert digits.counts(pooling) == {
        "side": side,
        "coefficients": coefficients,
        "parameters": convolutions + 64 * (coefficients + 1) + 10 * (64 + 1),
        "dense_512": 512 * (coefficients + 1),
        "window": windows[pooling],
    }


def test_without_pooling_there_are_as_many_coefficients_as_the_text_says() -> None:
    counts = digits.counts("none")
    assert counts["coefficients"] == 30_976
    assert counts["dense_512"] // 100_000 == 158  # 15.8 million
    assert counts["window"] == 7


@pytest.mark.parametrize(
    ("size", "padding", "strides", "side"),
    [(5, "valid", 1, 3), (5, "same", 1, 5), (28, "valid", 1, 26), (28, "same", 1, 28),
     (5, "valid", 2, 2), (28, "valid", 2, 13), (28, "same", 2, 14)],
)  # fmt: skip
def test_padding_and_strides_give_the_texts_sizes(
    size: int, padding: digits.Padding, strides: int, side: int
) -> None:
    assert digits.side_after(size, padding, strides) == side


@pytest.mark.parametrize(("rows", "columns"), [(0, 0), (3, 0), (-3, 0), (0, 5), (2, -27), (0, 28)])
def test_a_shift_moves_every_pixel_and_leaves_black(rows: int, columns: int) -> None:
    images = np.random.default_rng(0).integers(1, 256, (2, 28, 28), np.uint8)
    moved = digits.shifted(images, rows, columns)
    for y in range(28):
        for x in range(28):
            inside = 0 <= y - rows < 28 and 0 <= x - columns < 28
            expected = images[:, y - rows, x - columns] if inside else np.zeros(2, np.uint8)
            np.testing.assert_array_equal(moved[:, y, x], expected)


def test_the_light_that_leaves_is_a_mean_over_four_directions() -> None:
    images = np.zeros((1, 28, 28), np.uint8)
    images[0, 14, 25] = 200  # leaves to the right from 3 pixels on
    images[0, 14, 14] = 200
    assert digits.cut_share(images, 2) == 0
    assert digits.cut_share(images, 3) == pytest.approx(1 / 8)


def test_a_training_learns_repeats_and_follows_its_seed() -> None:
    images, labels = drawn(160)
    build = functools.partial(digits.dense, 32)
    model, seconds = digits.train(build, 0, images, labels, FIT)
    again, _ = digits.train(build, 0, images, labels, FIT)
    other, _ = digits.train(build, 1, images, labels, FIT)
    right = digits.right(model, images, labels)
    assert right.mean() > 0.9
    assert seconds > 0
    for one, two in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(model.get_weights()[0], other.get_weights()[0])
    shares = digits.right_when_shifted(model, images, labels, 2)
    assert shares.shape == (3, 160)
    np.testing.assert_array_equal(shares[0], right)
    by_hand = [digits.right(model, np.roll(images, 2, axis=a), labels) for a in (1, 2)]
    by_hand += [digits.right(model, np.roll(images, -2, axis=a), labels) for a in (1, 2)]
    np.testing.assert_allclose(shares[2], np.mean(by_hand, axis=0))  # nothing leaves the picture


def test_every_convnet_gives_probabilities_of_ten_digits() -> None:
    images, _ = drawn(3)
    for pooling in digits.POOLINGS:
        outputs = keras.ops.convert_to_numpy(digits.convnet(pooling)(images.astype(np.float32)))
        assert outputs.shape == (3, 10)
        np.testing.assert_allclose(outputs.sum(axis=1), 1, rtol=1e-5)
