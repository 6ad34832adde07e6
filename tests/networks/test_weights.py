import dataclasses
import functools
import importlib.metadata
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from conftest import PARAMS
from ladder import artifacts, base_names, errors, settings
from ladder.networks import bases, weight_files, weights
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


def load(name: str, kind: str, **changes: object) -> keras.Model:
    """Returns the base with the weights that these settings name."""
    model = bases.build(name)
    about = {**PARAMS["base"], "name": name, "weights": kind, "cut": "auto", **changes}
    weights.load(model, settings.Base.model_validate(about))
    return model


def test_torchvision_arrays_land_in_keras_layers_in_order(tmp_path: Path) -> None:
    layers = checkpoint(tmp_path / "vgg16.ckpt")
    base = bases.build("vgg16")
    weights.load_torchvision(base, tmp_path / "vgg16.ckpt")
    for name, i in (("block1_conv1", 0), ("block3_conv1", 4), ("block5_conv3", 12)):
        kernel, bias = base.get_layer(name).get_weights()
        np.testing.assert_array_equal(kernel, layers[f"Conv_{i}"]["kernel"])
        np.testing.assert_array_equal(bias, layers[f"Conv_{i}"]["bias"])


def test_the_packages_own_file_is_the_one_expected() -> None:
    kernel, bias = load("vgg16", "torchvision").get_layer("block1_conv1").get_weights()
    assert kernel.shape == (3, 3, 3, 64)
    assert float(bias[0]) == pytest.approx(0.4034, abs=1e-4)  # torchvision's features.0.bias[0]


TORCHVISION: tuple[str, base_names.Weights] = ("vgg16", "torchvision")


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """Makes a package that carries a file of these bytes the one of torchvision's weights."""

    def install(content: bytes) -> None:
        (tmp_path / "carrier-1.0.dist-info").mkdir()
        (tmp_path / "carrier-1.0.dist-info/METADATA").write_text("Name: carrier\nVersion: 1.0\n")
        (tmp_path / "carrier").mkdir()
        (tmp_path / "carrier/vgg16.ckpt").write_bytes(content)
        monkeypatch.syspath_prepend(tmp_path)
        digest = artifacts.sha256(tmp_path / "carrier/vgg16.ckpt")
        package = weight_files.Package("carrier", "carrier/vgg16.ckpt", digest, "make setup")
        monkeypatch.setitem(weight_files.PACKAGES, TORCHVISION, package)

    return install


def test_another_file_is_refused_before_it_is_read(
    install: Callable[[bytes], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    install(pickle.dumps(Runs()))
    package = dataclasses.replace(weight_files.PACKAGES[TORCHVISION], sha256="0" * 64)
    monkeypatch.setitem(weight_files.PACKAGES, TORCHVISION, package)
    with pytest.raises(errors.InputError, match=r"expected sha256 0.*carrier again: `make setup`"):
        load(*TORCHVISION)


def test_a_pickle_that_would_run_code_is_refused(
    install: Callable[[bytes], None], capsys: pytest.CaptureFixture[str]
) -> None:
    install(pickle.dumps(Runs()))
    with pytest.raises(errors.InputError, match=r"Received: builtins\.print"):
        load(*TORCHVISION)
    assert "foreign code" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "size", "picture", "features", "mean"),
    [  # of the module efficientnet_lite_pytorch 0.1.0 with the same file, PyTorch 2.13.0, 2026-11
        (
            "efficientnet_lite0",
            224,
            0,
            {455: 5.4788, 113: 4.79466, 434: 3.82513, 413: 3.59293, 626: 3.5782, 824: 3.35905},
            0.11579,
        ),
        (
            "efficientnet_lite0",
            224,
            1,
            {455: 5.36984, 113: 4.97525, 434: 3.8514, 626: 3.64072, 413: 3.62597, 824: 3.39765},
            0.117051,
        ),
        (  # an odd number of pixels within: TensorFlow's padding is that of two sides unalike
            "efficientnet_lite0",
            150,
            0,
            {113: 4.3658, 468: 3.56182, 1042: 2.61544, 265: 2.54801, 900: 2.46704, 897: 2.3634},
            0.08405,
        ),
        (
            "efficientnet_lite1",
            240,
            0,
            {269: 4.46843, 918: 4.41269, 667: 4.16066, 1277: 3.79179, 968: 3.30169, 388: 2.88598},
            0.137266,
        ),
        (
            "efficientnet_lite2",
            260,
            0,
            {955: 5.02619, 123: 4.59166, 432: 3.45527, 302: 3.39765, 377: 2.95108, 1195: 2.85819},
            0.145779,
        ),
    ],
)
def test_efficientnet_lite_answers_as_the_reference(
    name: str, size: int, picture: int, features: dict[int, float], mean: float
) -> None:
    if size == 150:
        blocks = np.random.default_rng(2).integers(0, 256, (3, 5, 5, 3), np.uint8)
        pixels = blocks.repeat(30, axis=1).repeat(30, axis=2)
    else:
        pixels = np.random.default_rng(0).integers(0, 256, (3, size, size, 3), np.uint8)
    base = pretrained(name)
    answer = base((pixels[picture : picture + 1].astype(np.float32) - 127) / 128)[0].numpy()
    assert answer.shape == (1280,)
    assert {place: answer[place] for place in features} == pytest.approx(features, abs=1e-4)
    assert answer.argmax() == next(iter(features))
    assert answer.mean() == pytest.approx(mean, abs=1e-5)


@functools.cache
def pretrained(name: str) -> keras.Model:
    """Returns the base with its weights; skips the test where their package is not installed."""
    package = weight_files.PACKAGES[name, "package"]
    try:
        importlib.metadata.distribution(package.name)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"needs the package {package.name}, of the extra lite")
    return load(name, "package")


@pytest.fixture(scope="module", autouse=True)
def forgotten() -> Iterator[None]:
    yield
    pretrained.cache_clear()


def test_weights_of_another_network_are_refused() -> None:
    path = weight_files.of_package(weight_files.PACKAGES["efficientnet_lite0", "package"])
    for name in ("mobilenet_v2", "efficientnet_lite1", "efficientnet_lite2"):
        with pytest.raises(
            errors.InputError,
            match=rf"\.pth: expected weights of {name} without.*Correct base\.name",
        ):
            weights.load_torch(bases.build(name), path)


def test_keras_weights_are_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    served = bases.build("vgg16")
    monkeypatch.setattr(bases, "pretrained_by_keras", lambda name: served)
    base = load("vgg16", "keras")
    for one, other in zip(base.get_weights(), served.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_failed_download_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> keras.Model:
        raise Exception("URL fetch failure")  # as Keras raises it

    monkeypatch.setattr(bases, "pretrained_by_keras", fail)
    with pytest.raises(errors.InputError, match=r"URL fetch failure.*~/\.keras/models"):
        load("vgg16", "keras")


def test_keras_is_asked_for_the_weights_of_the_same_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that they fit in number and order: without the builder's own preprocessing."""
    build = bases.BASES["efficientnet_v2_b0"].build

    def without_download(**arguments: Any) -> keras.Model:
        return build(**arguments | {"weights": None, "input_shape": (64, 64, 3)})

    row = dataclasses.replace(bases.BASES["efficientnet_v2_b0"], build=without_download)
    monkeypatch.setitem(bases.BASES, "efficientnet_v2_b0", row)
    served = bases.pretrained_by_keras("efficientnet_v2_b0")
    monkeypatch.undo()
    shapes = [weight.shape for weight in bases.build("efficientnet_v2_b0").weights]
    assert [weight.shape for weight in served.weights] == shapes


def in_keras_old_form(model: keras.Model, path: Path) -> str:
    """Writes weights as keras.applications serves them: an HDF5 group a layer; returns the hash."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        for layer in model.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}_{i}" for i in range(len(layer.weights))]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, weight in zip(names, layer.get_weights(), strict=True):
                group[name] = weight
    return artifacts.sha256(path)


def test_a_file_of_keras_applications_is_read(
    at_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DVC_ROOT", raising=False)
    served = bases.build("mobilenet")
    digest = in_keras_old_form(served, at_root / "mobilenet.h5")
    file = {"weights_file": "mobilenet.h5", "weights_sha256": digest}
    received = load("mobilenet", "keras", **file)
    for one, other in zip(received.get_weights(), served.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(errors.InputError, match=r"mobilenet\.h5: expected weights of mobilenet_v2"):
        load("mobilenet_v2", "keras", **file)
    with pytest.raises(errors.InputError, match=rf"expected sha256 {'0' * 64}. Received: {digest}"):
        load("mobilenet", "keras", **file | {"weights_sha256": "0" * 64})
    with pytest.raises(errors.InputError, match=r"Received: no such file.*base\.weights_file"):
        load("mobilenet", "keras", **file | {"weights_file": "other.h5"})


@pytest.mark.parametrize("name", ["vgg16", "mobilenet"])
def test_untrained_weights_are_the_same_every_time(name: str) -> None:
    one, other = load(name, "none"), load(name, "none")
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_untrained_kernels_keep_the_variance() -> None:
    model = load("mobilenet", "none")
    pointwise = model.get_layer("conv_pw_9").get_weights()[0]
    assert pointwise.var() == pytest.approx(2 / 512, rel=0.02)  # He et al. 2015
    depthwise = model.get_layer("conv_dw_9").get_weights()[0]
    assert depthwise.var() == pytest.approx(1 / 9, rel=0.1)
