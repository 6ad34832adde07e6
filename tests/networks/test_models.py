"""The book's own counts: DLwP 5.2 cell 18, 5.3 cells 6, 18, 20, 22; none needs a download."""

import itertools
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from ladder import artifacts, errors, paths, rungs, settings
from ladder.networks import bases, models
from ladder.networks.runtime import keras

BASE = settings.BuiltBase(name="vgg16", weights="none", preprocessing="imagenet", cut="block4_pool")


def describe(
    rung: rungs.Rung = "features_augmented",
    *,
    size: int = 150,
    classes: int = 2,
    dropout: float = 0.0,
    base: settings.BuiltBase | None = BASE,
    fed: paths.Inputs = "images",
) -> models.Description:
    names = ["cat", "dog", "eel", "fox"][:classes]
    return models.Description(
        rung=rung, image_size=size, class_names=names, dropout=dropout, base=base, fed=fed
    )


def count(model: keras.Model) -> int:
    return int(model.count_params())


def test_the_convnet_has_the_books_parameters() -> None:
    assert count(models.build(describe("scratch", base=None))) == 3_453_121


def test_dropout_adds_no_parameter_to_the_convnet() -> None:
    model = models.build(describe("scratch_augmented", base=None, dropout=0.5))
    assert count(model) == 3_453_121
    assert [layer.name for layer in model.layers][-4:] == [
        "flatten",
        "dropout",
        "dense",
        "probabilities",
    ]


def test_a_larger_convnet_has_what_a_smaller_one_learned() -> None:
    smaller, larger = (models.build(describe("scratch", base=None, size=s)) for s in (64, 96))
    before = larger.get_layer("dense").kernel.numpy()
    models.enlarge(smaller, larger)
    for layer in smaller.layers:
        weights = layer.get_weights()
        taken = larger.get_layer(layer.name).get_weights()
        for one, other in zip(weights, taken, strict=True):
            if one.shape == other.shape:
                np.testing.assert_array_equal(one, other)
    maps = smaller.get_layer("dense").kernel.numpy().reshape(2, 2, 128, 512)
    enlarged = larger.get_layer("dense").kernel.numpy().reshape(4, 4, 128, 512)
    assert not np.array_equal(before, larger.get_layer("dense").kernel.numpy())
    for channel, unit in ((0, 0), (17, 300), (127, 511)):
        expected = cv2.resize(maps[..., channel, unit], (4, 4), interpolation=cv2.INTER_LINEAR) / 4
        np.testing.assert_allclose(enlarged[..., channel, unit], expected, atol=1e-7)


def test_maps_that_are_everywhere_alike_mean_the_same_to_a_larger_convnet() -> None:
    smaller, larger = (models.build(describe("scratch", base=None, size=s)) for s in (64, 96))
    models.enlarge(smaller, larger)
    channels = np.random.default_rng(0).random((3, 1, 1, 128), np.float32)
    few, many = (np.tile(channels, (1, places, places, 1)) for places in (2, 4))
    output, output_of_larger = (
        models.tail(smaller, "pool4")(few),
        models.tail(larger, "pool4")(many),
    )
    np.testing.assert_allclose(output_of_larger.numpy(), output.numpy(), rtol=1e-5)


def test_base_head_and_whole_have_the_books_parameters() -> None:
    model = models.build(describe())
    models.freeze(model, unfreeze_from="flatten")
    assert count(models.between(model, ["block5_pool"])) == 14_714_688
    assert count(models.tail(model, "block5_pool")) == 2_097_665
    assert count(model) == 16_812_353
    assert model.get_layer("block5_pool").output.shape == (None, 4, 4, 512)
    assert model.get_layer("block4_pool").output.shape == (None, 9, 9, 512)


def test_trainable_tensors_go_from_30_to_4_to_10() -> None:
    model = models.build(describe())
    assert len(model.trainable_weights) == 30
    models.freeze(model, unfreeze_from="flatten")
    assert len(model.trainable_weights) == 4
    assert models.trainable_parameters(model) == 2_097_665
    models.freeze(model, unfreeze_from="block5_conv1")
    assert len(model.trainable_weights) == 10
    names = {weight.path.split("/")[0] for weight in model.trainable_weights}
    assert names == {"block5_conv1", "block5_conv2", "block5_conv3", "dense", "probabilities"}


@pytest.mark.parametrize(("classes", "units"), [(2, 1), (3, 3), (4, 4)])
@pytest.mark.parametrize("base", [None, BASE])
def test_outputs_are_probabilities(
    classes: int, units: int, base: settings.BuiltBase | None
) -> None:
    model = models.build(describe(size=48, classes=classes, base=base))
    outputs = model.predict_on_batch(np.full((2, 48, 48, 3), 255, np.uint8))
    assert outputs.shape == (2, units)
    assert outputs.dtype == np.float32
    assert ((outputs >= 0) & (outputs <= 1)).all()
    if classes > 2:
        np.testing.assert_allclose(outputs.sum(axis=1), 1, rtol=1e-5)


def test_the_graph_is_flat_and_every_layer_named() -> None:
    model = models.build(describe(dropout=0.5))
    assert not any(isinstance(layer, keras.Model) for layer in model.layers)
    assert {layer.__class__.__module__.split(".")[0] for layer in model.layers} == {"keras"}
    names = [layer.name for layer in model.layers]
    assert names[:3] == ["pixels", "preprocessing", "block1_conv1"]


def test_a_tail_shares_its_weights() -> None:
    model = models.build(describe(size=48))
    models.freeze(model, unfreeze_from="block5_conv1")
    tail = models.tail(model, "block4_pool")
    kernel = tail.get_layer("block5_conv2").get_weights()[0]
    tail.get_layer("block5_conv2").set_weights([kernel + 1, np.zeros(512)])
    np.testing.assert_array_equal(model.get_layer("block5_conv2").get_weights()[0], kernel + 1)


def test_front_and_tail_compose_to_the_whole() -> None:
    model = models.build(describe(size=48))
    models.freeze(model, unfreeze_from="block5_conv1")
    pixels = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 3), np.uint8)
    (activations,) = keras.tree.flatten(models.between(model, ["block4_pool"])(pixels))
    whole = model(pixels)
    np.testing.assert_allclose(models.tail(model, "block4_pool")(activations), whole, rtol=1e-5)


@pytest.mark.parametrize(
    ("fed", "starts_at", "weights"),
    [("images", "pixels", 30), ("features", "flatten", 4), ("activations", "block5_conv1", 10)],
)
def test_the_part_that_is_fed_goes_on_where_the_stored_outputs_end(
    fed: paths.Inputs, starts_at: str, weights: int
) -> None:
    description = describe(size=48, fed=fed)
    model = models.build(description)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 3), np.uint8)
    ends = {"images": "pixels", "features": "block5_pool", "activations": "block4_pool"}
    (stored,) = keras.tree.flatten(models.between(model, [ends[fed]])(pixels))
    part = models.part_fed(model, description)
    assert starts_at in [layer.name for layer in part.layers][:2]
    assert len(part.weights) == weights
    np.testing.assert_allclose(part(stored), model(pixels), rtol=1e-5)


def test_a_convnet_from_scratch_is_fed_images_alone() -> None:
    description = describe("scratch", size=48, base=None, fed="features")
    with pytest.raises(ValueError, match=r"expected images .* received features"):
        models.part_fed(models.build(description), description)


@pytest.mark.parametrize("cut", ["block9_pool", ""])
def test_a_missing_layer_is_named_with_those_that_exist(cut: str) -> None:
    model = models.build(describe(size=48))
    for act in (models.tail, models.freeze, lambda m, name: models.between(m, [name])):
        with pytest.raises(errors.InputError, match=r"one of pixels, .*block5_conv3") as caught:
            act(model, cut)
        assert f"Received: {cut}" in str(caught.value)


def test_weights_have_the_same_bytes_every_time(tmp_path: Path) -> None:
    description = describe("scratch", size=48, base=None)
    model = models.build(description)
    hashes = set()
    for i in range(2):
        time.sleep(1.1 * i)  # a date in the file would have changed
        models.write(models.rebuild(model, description), tmp_path / f"{i}.weights.h5")
        hashes.add(artifacts.sha256(tmp_path / f"{i}.weights.h5"))
    assert len(hashes) == 1


@pytest.mark.parametrize("kept", [0, 1000, -10_000])
def test_cut_weights_are_told(kept: int, tmp_path: Path) -> None:
    description = describe("scratch", size=48, base=None)
    path = tmp_path / "model.weights.h5"
    models.write(models.build(description), path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(errors.InputError, match=r"expected a whole \.weights\.h5 of scratch\. Re"):
        models.read(path, description)


def test_a_written_model_reads_back_equal(tmp_path: Path) -> None:
    description = describe("features", size=48, classes=3, dropout=0.5)
    model = models.build(description)
    models.write(model, tmp_path / "model.weights.h5")
    again = models.read(tmp_path / "model.weights.h5", description)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 3), np.uint8)
    np.testing.assert_array_equal(again(pixels), model(pixels))


def test_the_bases_weights_go_to_the_layers_of_the_same_names(tmp_path: Path) -> None:
    base = bases.build("vgg16")
    models.write(base, tmp_path / "base.weights.h5")
    model = models.build(describe(size=48))
    models.load_base(model, BASE, tmp_path / "base.weights.h5")
    for one, other in itertools.product(bases.convolutions(base), bases.convolutions(model)):
        if one.name == other.name:
            np.testing.assert_array_equal(one.get_weights()[0], other.get_weights()[0])
    assert len(bases.convolutions(base)) == len(bases.convolutions(model)) == 13
