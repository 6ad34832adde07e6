import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ladder import artifacts, errors
from ladder.networks import bases, weights
from ladder.networks.runtime import keras


class Runs:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("foreign code ran",))


def checkpoint(path: Path) -> dict[str, Any]:
    """Writes a file of the package's form, for VGG16's real shapes, with drawn numbers."""
    random = np.random.default_rng(0)
    layers = {
        f"Conv_{i}": {
            "kernel": random.normal(size=layer.kernel.shape).astype(np.float32),
            "bias": random.normal(size=layer.bias.shape).astype(np.float32),
        }
        for i, layer in enumerate(bases.convolutions(bases.build("vgg16")))
    }
    with path.open("wb") as file:
        pickle.dump({"VGG16_0": layers, "NetLinLayer_0": {}}, file)
    return layers


def test_torchvision_arrays_land_in_keras_layers_in_order(tmp_path: Path) -> None:
    layers = checkpoint(tmp_path / "vgg16.ckpt")
    base = bases.build("vgg16")
    weights.load_torchvision(
        base, tmp_path / "vgg16.ckpt", artifacts.sha256(tmp_path / "vgg16.ckpt")
    )
    for name, i in (("block1_conv1", 0), ("block3_conv1", 4), ("block5_conv3", 12)):
        kernel, bias = base.get_layer(name).get_weights()
        np.testing.assert_array_equal(kernel, layers[f"Conv_{i}"]["kernel"])
        np.testing.assert_array_equal(bias, layers[f"Conv_{i}"]["bias"])


def test_the_packages_own_file_is_the_one_expected() -> None:
    base = bases.build("vgg16")
    weights.load(base, "torchvision")
    kernel, bias = base.get_layer("block1_conv1").get_weights()
    assert kernel.shape == (3, 3, 3, 64)
    assert float(bias[0]) == pytest.approx(0.4034, abs=1e-4)  # torchvision's features.0.bias[0]


def test_another_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "vgg16.ckpt"
    path.write_bytes(pickle.dumps(Runs()))
    with pytest.raises(errors.InputError, match=r"expected sha256 .*make setup"):
        weights.load_torchvision(bases.build("vgg16"), path, "0" * 64)


def test_a_pickle_that_would_run_code_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "vgg16.ckpt"
    path.write_bytes(pickle.dumps(Runs()))
    with pytest.raises(errors.InputError, match=r"Received: builtins\.print"):
        weights.load_torchvision(bases.build("vgg16"), path, artifacts.sha256(path))
    assert "foreign code" not in capsys.readouterr().out


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "PACKAGE", "no-such-package")
    with pytest.raises(errors.InputError, match=r"package no-such-package.*not installed"):
        weights.load(bases.build("vgg16"), "torchvision")


def test_keras_weights_are_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    served = bases.build("vgg16")
    monkeypatch.setattr(bases, "pretrained_by_keras", lambda name: served)
    base = bases.build("vgg16")
    weights.load(base, "keras")
    for one, other in zip(base.get_weights(), served.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_failed_download_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> keras.Model:
        raise Exception("URL fetch failure")  # as Keras raises it

    monkeypatch.setattr(bases, "pretrained_by_keras", fail)
    with pytest.raises(errors.InputError, match=r"URL fetch failure.*~/\.keras/models"):
        weights.load(bases.build("vgg16"), "keras")


def test_untrained_weights_are_the_same_every_time() -> None:
    one, other = bases.build("vgg16"), bases.build("vgg16")
    for base in (one, other):
        weights.load(base, "none")
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
