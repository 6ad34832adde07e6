"""The benchmark's networks as numbers, and the arithmetic that it counts of networks and climbs."""

import itertools
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

from benchmarks import extraction, matrix, processes, spread
from benchmarks.workers import climb_arithmetic, keras_extraction, multiply_adds, repetitions
from benchmarks.workers.matrix_product import gigaflops
from benchmarks.workers.multiply_adds import Phase
from benchmarks.workers.networks import NETWORKS, layers
from conftest import PARAMS
from ladder import artifacts, paths, rungs, settings
from ladder.networks import bases, models
from ladder.networks.runtime import keras

every_base = pytest.mark.parametrize("base", NETWORKS)


def lite0_parameters() -> Iterator[int]:
    """Yields those of each block, and of what is around them, from the table of its authors.

    A batch normalisation has four numbers for each channel.
    """
    yield 3 * 3 * 3 * 32 + 4 * 32
    inputs = 32
    for repeats, kernel, expansion, outputs in (
        (1, 3, 1, 16),
        (2, 3, 6, 24),
        (2, 5, 6, 40),
        (3, 3, 6, 80),
        (3, 5, 6, 112),
        (4, 5, 6, 192),
        (1, 3, 6, 320),
    ):
        for _ in range(repeats):
            wide = expansion * inputs
            if expansion > 1:
                yield inputs * wide + 4 * wide
            yield kernel * kernel * wide + 4 * wide
            yield wide * outputs + 4 * outputs
            inputs = outputs
    yield 320 * 1280 + 4 * 1280


def test_the_parameters_are_those_of_the_authors_tables() -> None:
    assert NETWORKS["efficientnet_lite0"].parameters == sum(lite0_parameters())
    kernels = [9 * a * b for a, b in [(3, 64), (64, 64), (64, 128), (128, 128), (128, 256)]]
    kernels += [9 * 256 * 256] * 2 + [9 * 256 * 512] + [9 * 512 * 512] * 5
    biases = 2 * 64 + 2 * 128 + 3 * 256 + 6 * 512
    assert NETWORKS["vgg16"].parameters == sum(kernels) + biases


@every_base
def test_a_networks_numbers_are_those_that_the_pipelines_base_takes(base: str) -> None:
    arrays = layers.arrays(NETWORKS[base].layers())
    assert [array.shape for array in arrays] == [w.shape for w in bases.build(base).weights]
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}
    again = layers.arrays(NETWORKS[base].layers())
    assert all(np.array_equal(a, b) for a, b in zip(arrays, again, strict=True))


@every_base
def test_sizes_shrink_as_in_keras(base: str) -> None:
    for image_size in (NETWORKS[base].image_size, 97):
        model, size = keras_extraction.build(base, image_size), image_size
        for layer in NETWORKS[base].layers():
            if not isinstance(layer, layers.AveragePooling):
                size = layers.size_after(size, layer)
        maps = [layer.output.shape for layer in model.layers if len(layer.output.shape) == 4]
        assert maps[-1][1] == size
    assert layers.size_after(7, layers.AveragePooling()) == 1


@pytest.mark.parametrize(
    ("size", "kernel", "stride"), [*itertools.product((5, 6, 8), (1, 3, 5), (1, 2))]
)
def test_zeros_are_added_where_tensorflow_adds_them(size: int, kernel: int, stride: int) -> None:
    same, valid = (
        keras.layers.Conv2D(1, kernel, stride, padding=padding, use_bias=False)
        for padding in ("same", "valid")
    )
    random = np.random.default_rng(0)
    picture = random.standard_normal((1, size, size, 1), np.float32)
    weights = [random.standard_normal((kernel, kernel, 1, 1), np.float32)]
    for layer in (same, valid):
        layer.build(picture.shape)
        layer.set_weights(weights)
    zeros = layers.padding(size, kernel, stride)
    padded = np.pad(picture, ((0, 0), zeros, zeros, (0, 0)))
    np.testing.assert_allclose(valid(padded), same(picture), atol=1e-5)


@every_base
def test_extraction_without_the_disk_is_the_pipelines_own(base: str, tmp_path: Path) -> None:
    model = keras_extraction.build(base, 48)
    assert model.count_params() == NETWORKS[base].parameters
    pictures = repetitions.pictures(4, 48)
    memory = keras_extraction.in_memory(model, 2)(pictures)
    disk = keras_extraction.to_disk(model, 2, tmp_path)(pictures)
    assert memory.shape == (4, *bases.build(base).compute_output_shape((4, 48, 48, 3))[1:])
    assert 0.1 < memory.std() < 10  # weights drawn so that the scale is kept
    assert (memory == 6).mean() < 0.1  # nor does every activation end at relu6's highest
    assert extraction.deviation(disk, memory) < 1e-3  # stored as float16


@pytest.mark.parametrize(
    ("seconds", "most_batches", "batches"), [(1.0, 40, 10), (9.0, 40, 40), (0.01, 40, 1)]
)
def test_a_repetition_fills_its_time_with_batches_whatever_a_call_costs(
    seconds: float,
    most_batches: int,
    batches: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: clock[0])

    def extract(pictures: Any) -> Any:
        clock[0] += 2.0 + 0.09375 * len(pictures) / 2  # a call, and each batch of two
        return pictures[:, 0, 0]

    request = {"batch_size": 2, "image_size": 4, "features": str(tmp_path / "features.npy")}
    request |= {"seconds": seconds, "most_batches": most_batches}
    answer = repetitions.repetition(extract, request)()
    assert answer["pictures"] == 2 * batches
    assert answer["seconds"] == pytest.approx(2.0 + 0.09375 * batches)
    assert answer["pictures_per_second"] == pytest.approx(2 * batches / answer["seconds"])
    assert np.load(tmp_path / "features.npy").shape == (2, 3)


@pytest.mark.skipif(
    not extraction.PEERS.exists(), reason="needs .venv-peers, which `make bench` makes"
)
@every_base
@pytest.mark.parametrize(
    "peer", [{"framework": "torch", "mode": "eager"}, {"framework": "openvino", "mode": "latency"}]
)
def test_another_framework_computes_the_same(
    base: str, peer: dict[str, str], tmp_path: Path
) -> None:
    size = 65  # of which an odd number of pixels is left again and again
    request = {"base": base, "image_size": size, "batch_size": 2, "precision": "float32"}
    request |= {"seconds": 0, "most_batches": 1, "features": str(tmp_path / "features.npy")}
    with processes.Worker("peer_extraction", request | peer, str(extraction.PEERS)) as worker:
        assert worker.receive()["parameters"] == NETWORKS[base].parameters
        assert worker.ask()["pictures"] == 2
    features = np.load(tmp_path / "features.npy")
    model = keras_extraction.build(base, size)
    expected = keras_extraction.in_memory(model, 2)(repetitions.pictures(2, size))
    assert extraction.deviation(features, expected) < 1e-5


def test_who_computes_something_else_is_not_compared() -> None:
    reference = np.array([3.0, 4.0])
    in_float32, in_bfloat16 = ({"arithmetic": name} for name in ("float32", "bfloat16"))
    exact = extraction.compared(reference, reference, in_float32)
    assert exact == {"deviation": 0.0}
    near = extraction.compared(1.05 * reference, reference, in_bfloat16)
    assert near["deviation"] == pytest.approx(0.05)
    assert (
        "differ by 5.00 %" in extraction.compared(1.05 * reference, reference, in_float32)["error"]
    )
    assert (
        "shape (1,), not (2,)" in extraction.compared(reference[:1], reference, in_float32)["error"]
    )


def test_vgg16_costs_what_is_computed_by_hand() -> None:
    # places of a block, and its kernels' inputs times outputs; each kernel has 3 × 3 places
    blocks = [(224, 3 * 64 + 64 * 64), (112, 64 * 128 + 128 * 128)]
    blocks += [(56, 128 * 256 + 2 * 256 * 256), (28, 256 * 512 + 2 * 512 * 512)]
    blocks += [(14, 3 * 512 * 512)]
    expected = sum(9 * size * size * channels for size, channels in blocks)
    assert expected == 15_346_630_656  # of the 15.5 · 10⁹ that are said of it with its classifier
    pixels = keras.Input((224, 224, 3))
    base = settings.BuiltBase(name="vgg16", weights="none", preprocessing="book", cut="block4_pool")
    model = keras.Model(pixels, bases.extend(pixels, base))
    assert multiply_adds.of_prediction(model) == expected


def small_network() -> keras.Model:
    """Returns (8, 8, 2) → 3 numbers, through a layer of each kind that multiplies."""
    kinds = keras.layers
    pixels = keras.Input((8, 8, 2))
    x = kinds.Conv2D(4, 3, padding="same", name="plain")(pixels)  # 64 places of 3·3·2·4
    x = kinds.DepthwiseConv2D(3, 2, padding="same", name="depthwise")(x)  # 16 places of 3·3·4
    x = kinds.BatchNormalization()(x)
    x = kinds.SeparableConv2D(5, 3, name="separable")(x)  # 4 places of 3·3·4, then of 4·5
    x = kinds.Flatten()(x)
    return keras.Model(pixels, kinds.Dense(3, name="dense")(x))  # 20·3


PLAIN, DEPTHWISE, SEPARABLE, DENSE = 64 * 72, 16 * 36, (4 * 36, 4 * 20), 60


def test_every_kind_of_layer_is_counted() -> None:
    expected = PLAIN + DEPTHWISE + sum(SEPARABLE) + DENSE
    assert multiply_adds.of_prediction(small_network()) == expected
    inside = keras.Sequential([keras.Input((8, 8, 2)), small_network()])
    assert multiply_adds.of_prediction(inside) == expected
    sequence = keras.Input((8, 2))
    model = keras.Model(sequence, keras.layers.Conv1D(4, 3, name="unknown")(sequence))
    with pytest.raises(ValueError, match=r"unknown: expected Conv2D.*, received Conv1D"):
        multiply_adds.of_prediction(model)


def test_training_costs_three_times_as_much_but_for_gradients_that_nobody_needs() -> None:
    model = small_network()
    rest = DEPTHWISE + sum(SEPARABLE) + DENSE
    assert multiply_adds.of_training(model) == 2 * PLAIN + 3 * rest
    model.get_layer("plain").trainable = False
    expected = PLAIN + 2 * DEPTHWISE + 3 * (sum(SEPARABLE) + DENSE)
    assert multiply_adds.of_training(model) == expected
    model.get_layer("depthwise").trainable = False
    model.layers[3].trainable = False  # the batch normalisation
    first, second = SEPARABLE  # the second kernel follows the first, which trains
    expected = PLAIN + DEPTHWISE + 2 * first + 3 * second + 3 * DENSE
    assert multiply_adds.of_training(model) == expected
    model.trainable = False
    assert multiply_adds.of_training(model) == multiply_adds.of_prediction(model)


def test_branches_after_a_frozen_layer_need_no_gradient_of_it() -> None:
    pixels = keras.Input((4, 4, 1))
    frozen = keras.layers.Conv2D(1, 1, trainable=False)(pixels)  # 16
    branches = [keras.layers.Conv2D(1, 1)(frozen) for _ in range(2)]  # 16 each
    last = keras.layers.Conv2D(1, 1)(keras.layers.Add()(branches))  # 16
    model = keras.Model(pixels, last)
    assert multiply_adds.of_training(model) == 16 * (1 + 2 + 2 + 3)


def test_phases_are_summed_over_pictures_and_epochs() -> None:
    model = small_network()
    phases = [Phase(model, 10, 3, trains=True), Phase(model, 4, 2), Phase(model, 5)]
    forward, step = multiply_adds.of_prediction(model), multiply_adds.of_training(model)
    assert multiply_adds.total(phases) == 30 * step + 13 * forward


COUNTS: dict[paths.Subset, int] = {"train": 8, "validation": 4, "test": 2}
FED: Mapping[rungs.Rung, paths.Inputs] = {
    "scratch": "images",
    "scratch_augmented": "images",
    "features": "features",
    "features_augmented": "features",
    "fine_tuned": "activations",
}
HEAD = 512 * 256 + 256 + 256 + 1  # parameters; of 48 pixels one place is left
LAST_BLOCK = 3 * (9 * 512 * 512 + 512)


@pytest.fixture
def climb(tmp_path: Path) -> Path:
    """Returns a folder with what a climb leaves of trainings of three epochs, two validated."""
    YAML().dump(PARAMS, tmp_path / "params.yaml")
    files = paths.DatasetPaths(PARAMS["dataset"]["name"])
    subsets = [subset for subset, count in COUNTS.items() for _ in range(count)]
    artifacts.write_csv(tmp_path / files.manifest, pd.DataFrame({"subset": subsets}))
    base = settings.Base.model_validate(PARAMS["base"])
    for rung, fed in FED.items():
        on_base = fed != "images" and bases.resolved(base)
        description = models.Description(
            rung=rung,
            image_size=48,
            class_names=["cat", "dog"],
            dropout=0.0,
            base=on_base or None,
            fed=fed,
        )
        parameters = {"unfreeze_from": "auto"} if rung == "fine_tuned" else {}
        trained = (HEAD if on_base else 0) + (LAST_BLOCK if rung == "fine_tuned" else 0)
        content = {
            "model": description.model_dump(),
            "parameters": parameters,
            "trainable_parameters": trained or models.build(description).count_params(),
            "runtime": {"policy": "mixed_bfloat16"},
        }
        artifacts.write_json(tmp_path / files.description(rung), content)
        history = pd.DataFrame({"epoch": [1, 2, 3], "val_loss": [0.5, None, 0.4]})
        artifacts.write_csv(tmp_path / files.history(rung), history)
    return tmp_path


def test_the_arithmetic_of_a_climb_is_that_of_its_epochs(climb: Path) -> None:
    counted = climb_arithmetic.of_climb(climb)
    assert counted["precision"] == "bfloat16"
    by_stage: dict[str, int] = counted["multiply_adds"]
    # VGG16's blocks at 48 pixels, as above
    sizes = [(48, 4288), (24, 24_576), (12, 163_840), (6, 655_360), (3, 786_432)]
    vgg16 = sum(9 * size * size * channels for size, channels in sizes)
    assert by_stage["extract_features"] == sum(COUNTS.values()) * vgg16
    assert by_stage["extract_views"] == PARAMS["augmentation"]["views"] * 8 * vgg16
    head_step, head = 2 * 512 * 256 + 3 * 256, 512 * 256 + 256
    assert by_stage["train_head"] == by_stage["train_end_to_end"]
    assert by_stage["train_head"] == 3 * 8 * head_step + 2 * 4 * head
    assert by_stage["predict@features"] == 6 * head
    block = 9 * 9 * 512 * 512  # a convolution of the last block, at 3 × 3 places
    step, forward = (2 + 3 + 3) * block + 3 * head, 3 * block + head
    assert by_stage["fine_tune"] == 3 * 8 * step + 2 * 4 * forward
    assert by_stage["predict@fine_tuned"] == 6 * forward
    # 46, 21, 8 and 2 places a side are left at the convolutions; 1 at the dense layer
    convolutions = [46**2 * 27 * 32, 21**2 * 288 * 64, 8**2 * 576 * 128, 2**2 * 1152 * 128]
    scratch = sum(convolutions) + 128 * 512 + 512
    assert by_stage["predict@scratch"] == 6 * scratch
    step = 3 * scratch - convolutions[0]
    assert by_stage["train_scratch"] == 3 * 8 * step + 2 * 4 * scratch
    stages = [rungs.TABLE[rung].stage for rung in rungs.RUNGS]
    predictions = [f"predict@{rung}" for rung in rungs.RUNGS]
    assert set(by_stage) == {"extract_features", "extract_views", *stages, *predictions}


def test_epochs_on_small_pictures_cost_what_a_small_network_costs(climb: Path) -> None:
    description = paths.DatasetPaths(PARAMS["dataset"]["name"]).description("scratch_augmented")
    content = artifacts.read_json(climb / description)
    larger = models.build(models.Description.model_validate(content["model"] | {"image_size": 64}))
    content["model"]["image_size"] = 64
    content["trainable_parameters"] = larger.count_params()
    first = {"epochs": 3, "small_share": 0.4, "small_image_size": 48}
    content["parameters"] = PARAMS["train_scratch_augmented"] | first
    artifacts.write_json(climb / description, content)
    by_stage = climb_arithmetic.of_climb(climb)["multiply_adds"]
    small = by_stage["train_scratch"] - 2 * by_stage["predict@scratch"] * 4 // 6  # 3 epochs
    large = multiply_adds.of_training(larger)
    validations = 2 * 4 * multiply_adds.of_prediction(larger)
    assert by_stage["train_scratch_augmented"] == small // 3 + 2 * 8 * large + validations


def test_a_network_that_was_trained_otherwise_is_not_counted(climb: Path) -> None:
    path = climb / paths.DatasetPaths(PARAMS["dataset"]["name"]).description("features")
    content = artifacts.read_json(path)
    artifacts.write_json(path, content | {"trainable_parameters": 7})
    with pytest.raises(ValueError, match="features: expected 7 parameters to train, received"):
        climb_arithmetic.of_climb(climb)
    with (
        processes.Worker("climb_arithmetic", {"folder": str(climb)}) as worker,
        pytest.raises(processes.WorkerError) as failure,
    ):
        worker.receive()
    assert processes.without_paths(failure.value).startswith("ValueError: features: expected 7")


def test_the_best_matrix_product_has_the_highest_median() -> None:
    assert gigaflops(size=1000, count=5, seconds=2.0) == pytest.approx(5.0)
    sizes: dict[str, Any] = {"2": spread.record([5.0, 6.0]), "4": spread.record([1.0, 99.0, 7.0])}
    part = {"gigaflops": {"float32": sizes, "bfloat16": {"2": spread.record([6.0])}}}
    best, own = matrix.best(part), matrix.best(part, "bfloat16")
    assert (best.precision, best.size, best.gigaflops.median) == ("float32", "4", 7.0)
    assert (own.precision, own.size, own.gigaflops.median) == ("bfloat16", "2", 6.0)


def test_matrix_products_are_measured_in_both_precisions() -> None:
    request = {"sizes": [32, 64], "seconds": 0.01}
    with processes.Worker("matrix_product", request, sys.executable) as worker:
        details = worker.receive()
        rates = worker.ask()
    assert details["pipeline_precision"] in rates
    assert {name: list(sizes) for name, sizes in rates.items()} == {
        "float32": ["32", "64"],
        "bfloat16": ["32", "64"],
    }
    assert all(0 < rate < 1e6 for sizes in rates.values() for rate in sizes.values())
