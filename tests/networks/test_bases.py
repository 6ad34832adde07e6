import functools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from conftest import PARAMS
from ladder import base_names, errors, settings
from ladder.networks import bases, models, training, weights
from ladder.networks.runtime import keras

NAMES = list(base_names.BASES)
every_base = pytest.mark.parametrize("name", NAMES)


def base(**changes: object) -> settings.Base:
    return settings.Base.model_validate({**PARAMS["base"], **changes})


def description(name: str, size: int) -> models.Description:
    return models.Description(
        rung="fine_tuned",
        image_size=size,
        class_names=["cat", "dog"],
        dropout=0.0,
        base=bases.resolved(base(name=name, cut="auto")),
        fed="activations",
    )


@functools.cache
def built(name: str) -> keras.Model:
    """Returns the base on top of pictures of 224 pixels."""
    model = models.build(description(name, 224))
    return models.between(model, [bases.BASES[name].output])


@pytest.fixture(scope="module", autouse=True)
def forgotten() -> Iterator[None]:
    yield
    built.cache_clear()


def preprocessed(name: str, weights: str, preprocessing: str) -> NDArray[np.float32]:
    pixels = keras.Input((1, 2, 3))
    settings_of_base = base(name=name, weights=weights, preprocessing=preprocessing)
    model = keras.Model(pixels, bases.preprocess(pixels, settings_of_base))
    rgb = np.array([[[[255, 0, 51], [0, 128, 255]]]], np.float32)
    row: NDArray[np.float32] = np.asarray(model(rgb))[0, 0]
    return row


def test_torchvision_weights_want_unit_range_less_mean_by_deviation() -> None:
    expected = [
        [(1 - 0.485) / 0.229, -0.456 / 0.224, (0.2 - 0.406) / 0.225],
        [-0.485 / 0.229, (128 / 255 - 0.456) / 0.224, (1 - 0.406) / 0.225],
    ]
    np.testing.assert_allclose(
        preprocessed("vgg16", "torchvision", "imagenet"), expected, rtol=1e-5
    )


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("vgg16", "vgg16"),
        ("vgg19", "vgg19"),
        ("resnet50", "resnet50"),
        ("xception", "xception"),
        ("inception_v3", "inception_v3"),
        ("mobilenet", "mobilenet"),
        ("mobilenet_v2", "mobilenet_v2"),
    ],
)
def test_keras_weights_want_what_keras_applications_does(name: str, module: str) -> None:
    rgb = np.array([[255, 0, 51], [0, 128, 255]], np.float32)
    expected = getattr(keras.applications, module).preprocess_input(rgb.copy())
    np.testing.assert_allclose(preprocessed(name, "keras", "imagenet"), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "builder"),
    [
        ("efficientnet_v2_b0", keras.applications.EfficientNetV2B0),
        ("convnext_tiny", keras.applications.ConvNeXtTiny),
    ],
)
def test_keras_weights_want_what_the_builders_own_layers_do(name: str, builder: Any) -> None:
    whole = builder(include_top=False, weights=None)
    first = next(layer for layer in whole.layers if layer.weights and layer.output.shape[-1] > 3)
    rgb = np.array([[[[255, 0, 51], [0, 128, 255]]]], np.float32)
    expected = keras.Model(whole.input, first.input)(rgb)[0, 0]
    np.testing.assert_allclose(preprocessed(name, "keras", "imagenet"), expected, atol=1e-4)


def test_efficientnet_lite_wants_127_to_be_0() -> None:
    expected = (np.array([[255, 0, 51], [0, 128, 255]]) - 127) / 128
    received = preprocessed("efficientnet_lite0", "package", "imagenet")
    np.testing.assert_allclose(received, expected, atol=1e-6)


@pytest.mark.parametrize("weights", ["torchvision", "keras"])
def test_the_book_divides_by_255_alone(weights: str) -> None:
    expected = np.array([[255, 0, 51], [0, 128, 255]]) / 255
    np.testing.assert_allclose(preprocessed("vgg16", weights, "book"), expected, rtol=1e-6)


def test_preprocessing_stays_float32_in_mixed_precision() -> None:
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        assert preprocessed("vgg16", "torchvision", "imagenet").dtype == np.float32
    finally:
        keras.config.set_dtype_policy("float32")


def test_every_base_is_a_row() -> None:
    assert bases.BASES.keys() == base_names.BASES.keys()


def operations_without(model: keras.Model, name: str) -> set[int]:
    """Returns the operations that the pixels reach if the layer `name` lets nothing through."""
    reached = {id(model.operations[0])}
    for operation in model.operations[1:]:
        tensors = operation._inbound_nodes[-1].input_tensors
        sources = [tensor._keras_history.operation for tensor in tensors]
        if operation.name != name and any(id(source) in reached for source in sources):
            reached.add(id(operation))
    return reached


@every_base
def test_everything_flows_through_the_layers_that_settings_name(name: str) -> None:
    model, names = built(name), base_names.BASES[name]
    order = [layer.name for layer in model.layers]
    places = [order.index(layer) for layer in names.layers]
    assert places == sorted(places)
    assert order[-1] == names.layers[-1] == bases.BASES[name].output
    last = id(model.operations[-1])
    assert last in operations_without(model, "")
    for layer in names.layers:
        assert last not in operations_without(model, layer), layer


@every_base
def test_the_rows_own_layers_are_among_those_of_the_settings(name: str) -> None:
    row, names = bases.BASES[name], base_names.BASES[name]
    assert row.cut in names.layers[:-1]
    assert len(row.filter_layers) == len({*row.filter_layers}) == 5
    assert {*row.filter_layers} <= {*names.convolutions}
    filters = {
        layer.name: layer.filters
        for layer in built(name).layers
        if isinstance(layer, keras.layers.Conv2D)
    }
    assert min(filters[layer] for layer in names.convolutions) >= 64
    places = [[*filters].index(layer) for layer in row.filter_layers]
    assert places == sorted(places)


@every_base
def test_the_costs_are_those_of_the_graph(name: str) -> None:
    model, names, row = built(name), base_names.BASES[name], bases.BASES[name]
    for layer, (stride, channels) in zip((row.cut, row.output), names.stored, strict=True):
        *places, outputs = model.get_layer(layer).output.shape[1:]
        assert outputs == channels
        # a convolution without padding loses the margins of its pictures
        expected = [pytest.approx(224 // stride, abs=2)] * 2 if stride else []
        assert places == expected
    assert names.last_block == pytest.approx(share_after(model, row.cut), abs=0.01)


def share_after(model: keras.Model, cut: str) -> float:
    """Returns the share of the multiplications that are of the layers after `cut`."""
    order = [layer.name for layer in model.layers]
    counts: list[int] = [
        sum(
            math.prod(weight.shape) * math.prod(layer.output.shape[1:-1])
            for layer in inner_layers(outer)
            for weight in layer.weights
            if weight.name.endswith("kernel")
        )
        for outer in model.layers
    ]
    return sum(counts[order.index(cut) + 1 :]) / sum(counts)


def inner_layers(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    return layer.layers if isinstance(layer, keras.Model) else [layer]


@pytest.mark.parametrize(
    ("name", "parameters"),  # as Keras' documentation counts them, less the classifier of 1,000
    [
        ("vgg16", 138_357_544 - (512 * 49 + 1) * 4096 - 4097 * 4096 - 4097 * 1000),
        ("resnet50", 25_636_712 - 2049 * 1000),
        ("xception", 22_910_480 - 2049 * 1000),
        ("inception_v3", 23_851_784 - 2049 * 1000),
        ("mobilenet", 4_253_864 - 1025 * 1000),
        ("mobilenet_v2", 3_538_984 - 1281 * 1000),
        ("efficientnet_v2_b0", 7_200_312 - 1281 * 1000),
        ("convnext_tiny", 28_589_128 - 769 * 1000),
        # of their PyTorch modules: what is trained, then the statistics
        ("efficientnet_lite0", 4_652_008 + 42_016 - 1281 * 1000),
        ("efficientnet_lite1", 5_416_680 + 53_664 - 1281 * 1000),
        ("efficientnet_lite2", 6_092_072 + 58_096 - 1281 * 1000),
    ],
)
def test_a_base_has_its_authors_parameters(name: str, parameters: int) -> None:
    assert built(name).count_params() == parameters


def test_what_is_shown_of_a_base_with_branches_are_the_ends_of_its_blocks() -> None:
    shown = bases.ends_of_blocks(bases.resolved(base(name="resnet50", cut="auto")))
    assert (shown[0], shown[-1], len(shown)) == ("pool1_pool", "conv5_block2_out", 16)
    assert bases.ends_of_blocks(bases.resolved(base())) == ()


@pytest.mark.parametrize(
    ("name", "output", "cut", "features"),
    [
        ("vgg16", "auto", "block4_pool", "block5_pool"),
        ("vgg16", "block5_pool", "block4_pool", "block5_pool"),
        ("vgg16", "block4_pool", "block3_pool", "block4_pool"),
        ("vgg16", "block3_pool", "block2_pool", "block3_pool"),
        ("vgg16", "block1_pool", "block1_conv1", "block1_pool"),
        ("resnet50", "auto", "conv4_block6_out", "avg_pool"),
        ("resnet50", "conv4_block6_out", "conv4_block3_out", "pooled_output"),
    ],
)
def test_an_earlier_output_moves_the_cut_as_far(
    name: str, output: str, cut: str, features: str
) -> None:
    resolved = bases.resolved(base(name=name, cut="auto", output=output))
    assert (resolved.cut, bases.features(resolved)) == (cut, features)
    named = bases.resolved(base(name=name, cut="input", output=output))
    assert named.cut == "input"


@every_base
def test_the_first_layers_of_a_base_give_what_they_give_within_it(
    name: str, tmp_path: Path
) -> None:
    names, size = base_names.BASES[name], base_names.BASES[name].smallest_size
    output = names.layers[len(names.layers) // 2]
    whole = bases.build(name)
    weights.draw(whole, 0)
    models.write(whole, tmp_path / "base.weights.h5")
    about = bases.resolved(base(name=name, cut="auto", output=output))
    part = models.pixels_to_features(about, size, tmp_path / "base.weights.h5")
    assert len(part.layers) < len(whole.layers)
    pixels = np.random.default_rng(0).integers(0, 256, (2, size, size, 3)).astype(np.float32)
    given = models.between(part, [about.cut, bases.features(about)])(pixels)[1].numpy()
    about_whole = bases.resolved(base(name=name, cut="auto"))
    every = models.pixels_to_features(about_whole, size, tmp_path / "base.weights.h5")
    maps = models.between(every, [output])(pixels)
    maps = np.asarray(maps[0] if isinstance(maps, list) else maps)
    expected = maps.mean(axis=(1, 2)) if bases.BASES[name].pooled else maps
    np.testing.assert_allclose(given, expected, rtol=1e-4, atol=1e-5)
    assert output in bases.ends_of_blocks(about) or not bases.BASES[name].pooled
    assert {*bases.ends_of_blocks(about)} <= {layer.name for layer in part.layers}


def test_models_of_before_end_with_their_base() -> None:
    old = settings.BuiltBase(name="vgg16", weights="none", preprocessing="book", cut="block4_pool")
    assert bases.features(old) == "block5_pool"


def test_layers_carry_keras_names() -> None:
    names = [layer.name for layer in bases.convolutions(built("vgg16"))]
    blocks = [2, 2, 3, 3, 3]
    assert names == [f"block{i}_conv{j + 1}" for i, n in enumerate(blocks, 1) for j in range(n)]


def test_layers_without_a_name_of_their_own_are_counted_from_the_first() -> None:
    keras.layers.Add()  # else the next would be the process's first
    names = [[layer.name for layer in bases.build("xception").layers] for _ in range(2)]
    assert names[0][1:] == names[1][1:]
    assert [name for name in names[0] if name.startswith("add")] == [
        "add",
        *(f"add_{i}" for i in range(1, 12)),
    ]


@every_base
def test_a_step_of_rungs_3_to_5_on_every_base(name: str, tmp_path: Path) -> None:
    size, row, labels = base_names.BASES[name].smallest_size, bases.BASES[name], np.array([0, 1])
    about = description(name, size)
    model = models.build(about)
    weights.draw(model, 0)
    pixels = np.random.default_rng(0).integers(0, 256, (2, size, size, 3)).astype(np.float32)
    ends = models.between(model, [row.cut, row.output])

    models.freeze(model, unfreeze_from="flatten")
    head = models.tail(model, row.output)
    activations, features = (output.numpy() for output in ends(pixels, training=True))
    assert max(np.abs(features).max(), np.abs(activations).max()) < np.finfo(np.float16).max
    assert np.ptp(features) > 0
    assert features.shape[1:-1] == (() if row.pooled else (size // 32, size // 32))
    assert head.get_layer("dense").kernel.shape[0] == math.prod(features.shape[1:])
    assert sum(trained(model, head, features, labels).values()) == 4

    models.freeze(model, unfreeze_from=models.unfrozen_from(model, about, "auto"))
    part = models.part_fed(model, about)
    np.testing.assert_allclose(part(activations), head(features), rtol=1e-3, atol=1e-6)
    changed = trained(model, part, activations, labels)
    after = [layer.name for layer in model.layers].index(row.cut)
    for place, layer in enumerate(model.layers):
        is_normalized = isinstance(layer, keras.layers.BatchNormalization)
        for weight in layer.weights:
            assert changed[id(weight)] == (place > after and not is_normalized), weight.path
    # a frozen layer is a pure function, also while another is trained
    np.testing.assert_array_equal(activations, ends(pixels, training=False)[0])

    models.write(model, tmp_path / "model.weights.h5")
    again = models.read(tmp_path / "model.weights.h5", about)
    for one, other in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    np.testing.assert_array_equal(again(pixels), model(pixels))


@pytest.mark.parametrize("name", ["mobilenet", "efficientnet_lite0"])
def test_statistics_stay_where_the_whole_base_is_trained_on_pictures(name: str) -> None:
    size = base_names.BASES[name].smallest_size
    model = models.build(description(name, size).model_copy(update={"fed": "images"}))
    weights.draw(model, 0)
    models.freeze(model, unfreeze_from=base_names.BASES[name].layers[0])
    pixels = np.random.default_rng(0).integers(0, 256, (2, size, size, 3)).astype(np.float32)
    changed = trained(model, model, pixels, np.array([0, 1]))
    normalizations = [
        layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)
    ]
    assert len(normalizations) > 20
    assert not any(changed[id(w)] for layer in normalizations for w in layer.weights)
    assert changed[id(model.get_layer("dense").kernel)]
    last = bases.convolutions(model)[-1]
    assert changed[id(last.kernel)]


@pytest.mark.parametrize("name", [n for n in NAMES if not n.startswith("efficientnet_lite")])
def test_the_smallest_size_is_that_of_keras(name: str) -> None:
    """Keras refuses a smaller one; it says so before it builds anything."""
    size, build = base_names.BASES[name].smallest_size, bases.BASES[name].build
    with pytest.raises(ValueError, match=rf"at least {size}x{size}"):
        build(include_top=False, weights=None, input_shape=(size - 1, size - 1, 3))


def trained(
    model: keras.Model, part: keras.Model, inputs: NDArray[Any], labels: NDArray[Any]
) -> dict[int, bool]:
    """Trains the part for a step; returns by the model's weights which of them that changed."""
    before = model.get_weights()
    training.compile_for(part, 1e-3)
    part.train_on_batch(inputs, labels)
    return {
        id(weight): not np.array_equal(weight, old)
        for weight, old in zip(model.weights, before, strict=True)
    }


def test_a_layer_that_a_model_lacks_is_told() -> None:
    with pytest.raises(errors.InputError, match=r"one of .*block5_pool. Received: block9_pool"):
        bases.check_layer(built("vgg16"), "block9_pool")
