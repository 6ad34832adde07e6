"""VGG16 with random weights on pictures of 32 pixels."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ladder.experiments import on_base, plan
from ladder.networks import models, training
from ladder.networks.runtime import keras

SIZE = 32
FIT = plan.Fit(epochs=2, batch_size=4, learning_rate=1e-3)
LABELS = (np.arange(8) % 2).astype(np.uint8)
IMAGES = np.random.default_rng(0).integers(0, 256, (8, SIZE, SIZE, 3)).astype(np.uint8)


@pytest.fixture
def network(untrained: Path) -> keras.Model:
    return on_base.network(0, SIZE, 0.0, untrained)


def test_a_seed_decides_the_head_and_not_the_base(untrained: Path, network: keras.Model) -> None:
    again, other = (on_base.network(seed, SIZE, 0.0, untrained) for seed in (0, 1))
    for one, two in zip(network.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    kernels = [model.get_layer("dense").get_weights()[0] for model in (network, other)]
    assert (kernels[0] != kernels[1]).any()
    base = on_base.weights_of(network, "block1_conv1")
    np.testing.assert_array_equal(base, on_base.weights_of(other, "block1_conv1"))
    assert len(base) == 14_714_688  # VGG16's convolutions


def test_parts_in_a_row_are_the_whole(network: keras.Model) -> None:
    (maps,) = on_base.outputs(models.between(network, [on_base.BASE.cut]), IMAGES)
    assert maps.shape == (8, 2, 2, 512)
    (features,) = on_base.outputs(on_base.last_block(network), maps)
    assert features.shape == (8, 1, 1, 512)
    whole = network.predict_on_batch(IMAGES.astype(np.float32))
    for layer, inputs in ((on_base.BASE.cut, maps), (on_base.OUTPUT, features)):
        part = on_base.part_from(network, layer)
        probabilities = part.predict_on_batch(inputs.astype(np.float32))
        np.testing.assert_allclose(probabilities, whole, atol=0.01)  # float16 was stored
    assert on_base.part_from(network, "pixels") is network


def test_only_what_is_unfrozen_is_trained(network: keras.Model) -> None:
    (maps,) = on_base.outputs(models.between(network, [on_base.BASE.cut]), IMAGES)
    block5 = on_base.weights_of(network, "block5_conv1")
    before = on_base.weights_of(network, "block1_conv1")
    inputs = training.unchanged(maps)
    on_base.train(network, on_base.HEAD, on_base.BASE.cut, inputs, LABELS, FIT, 0)
    np.testing.assert_array_equal(on_base.weights_of(network, "block1_conv1"), before)
    seconds = on_base.train(network, "block5_conv1", on_base.BASE.cut, inputs, LABELS, FIT, 0)
    assert seconds > 0
    after = on_base.weights_of(network, "block1_conv1")
    earlier = len(before) - len(block5)
    np.testing.assert_array_equal(after[:earlier], before[:earlier])
    assert on_base.moved(block5, on_base.weights_of(network, "block5_conv1")) > 0


def test_a_fresh_head_takes_the_place_of_another_and_the_base_stays(
    untrained: Path, network: keras.Model
) -> None:
    other = on_base.network(1, SIZE, 0.0, untrained)
    on_base.set_head(network, other.get_weights())
    for ours, theirs in zip(network.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)  # the base was the same
    changed = [weights + 1 for weights in network.get_weights()]
    network.set_weights(changed)
    on_base.set_head(network, other.get_weights())
    assert (network.get_weights()[0] == changed[0]).all()
    assert (network.get_weights()[-1] == other.get_weights()[-1]).all()


def test_a_distance_is_a_share_of_the_length() -> None:
    before = np.array([3, 4], np.float32)
    assert on_base.moved(before, np.array([3, 3], np.float32)) == pytest.approx(1 / 5)


def test_a_head_is_looked_at_after_every_epoch_as_if_it_were_trained_at_once(
    untrained: Path,
) -> None:
    features = np.random.default_rng(1).normal(size=(8, 1, 1, 512)).astype(np.float16)
    inputs = training.unchanged(features)
    watched, at_once = (on_base.network(3, SIZE, 0.0, untrained) for _ in range(2))
    probabilities, accuracies = on_base.train_and_watch(watched, inputs, LABELS, features, FIT, 3)
    assert probabilities.shape == (2, 8)
    assert accuracies.shape == (2,)
    on_base.train(at_once, on_base.HEAD, on_base.OUTPUT, inputs, LABELS, FIT, 3)
    head = on_base.part_from(at_once, on_base.OUTPUT)
    expected: NDArray[np.float32] = head.predict_on_batch(features.astype(np.float32))[:, 0]
    np.testing.assert_allclose(probabilities[-1], expected, atol=1e-6)
    assert (probabilities[0] != probabilities[1]).any()


def test_an_answer_is_right_above_one_half_for_the_second_class() -> None:
    class Part:
        def predict_on_batch(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
            return batch

    inputs = np.array([[0.4], [0.6], [0.4], [0.6]], np.float16)
    right = on_base.right(Part(), inputs, np.array([0, 1, 1, 0], np.uint8))
    assert right.tolist() == [True, True, False, False]


def test_a_copy_in_float32_answers_alike_whatever_the_policy(untrained: Path) -> None:
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        network = on_base.network(0, SIZE, 0.0, untrained)
        copy = on_base.in_float32(network, 0.0)
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy("float32")
    assert {layer.compute_dtype for layer in copy.layers} == {"float32"}
    pixels = IMAGES.astype(np.float32)
    ours, theirs = (model.predict_on_batch(pixels) for model in (copy, network))
    np.testing.assert_allclose(ours, theirs, atol=0.05)
