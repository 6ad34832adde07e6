import numpy as np
import pytest
from numpy.typing import NDArray

from ladder import settings
from ladder.networks import bases
from ladder.networks.runtime import keras


def preprocessed(weights: str, preprocessing: str) -> NDArray[np.float32]:
    pixels = keras.Input((1, 2, 3))
    base = settings.Base.model_validate(
        {"name": "vgg16", "weights": weights, "preprocessing": preprocessing, "cut": "block4_pool"}
    )
    model = keras.Model(pixels, bases.preprocess(pixels, base))
    rgb = np.array([[[[255, 0, 51], [0, 128, 255]]]], np.float32)
    row: NDArray[np.float32] = np.asarray(model(rgb))[0, 0]
    return row


def test_torchvision_weights_want_unit_range_less_mean_by_deviation() -> None:
    expected = [
        [(1 - 0.485) / 0.229, -0.456 / 0.224, (0.2 - 0.406) / 0.225],
        [-0.485 / 0.229, (128 / 255 - 0.456) / 0.224, (1 - 0.406) / 0.225],
    ]
    np.testing.assert_allclose(preprocessed("torchvision", "imagenet"), expected, rtol=1e-5)


def test_keras_weights_want_what_keras_applications_does() -> None:
    rgb = np.array([[255, 0, 51], [0, 128, 255]], np.float32)
    expected = keras.applications.vgg16.preprocess_input(rgb.copy())
    np.testing.assert_allclose(preprocessed("keras", "imagenet"), expected, atol=1e-4)


@pytest.mark.parametrize("weights", ["torchvision", "keras"])
def test_the_book_divides_by_255_alone(weights: str) -> None:
    expected = np.array([[255, 0, 51], [0, 128, 255]]) / 255
    np.testing.assert_allclose(preprocessed(weights, "book"), expected, rtol=1e-6)


def test_preprocessing_stays_float32_in_mixed_precision() -> None:
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        assert preprocessed("torchvision", "imagenet").dtype == np.float32
    finally:
        keras.config.set_dtype_policy("float32")


def test_settings_know_the_bases_layers() -> None:
    names = [layer.name for layer in bases.build("vgg16").layers[1:]]
    assert tuple(names) == settings.LAYERS["vgg16"]


def test_layers_carry_keras_names() -> None:
    names = [layer.name for layer in bases.convolutions(bases.build("vgg16"))]
    blocks = [2, 2, 3, 3, 3]
    assert names == [f"block{i}_conv{j + 1}" for i, n in enumerate(blocks, 1) for j in range(n)]
