from pathlib import Path

import numpy as np
import pytest

from ladder.experiments import on_base, plan, unfreezing

SIZE = 32
LABELS = (np.arange(8) % 2).astype(np.uint8)
IMAGES = np.random.default_rng(0).integers(0, 256, (8, SIZE, SIZE, 3)).astype(np.uint8)


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("head", "block5_pool"),
        ("block5", "block4_pool"),
        ("blocks4_5", "block3_pool"),
        ("blocks3_5", "block2_pool"),
        ("all", "pixels"),
    ],
)
def test_what_is_frozen_ends_before_the_first_layer_that_is_not(name: str, layer: str) -> None:
    assert unfreezing.entrance(plan.FIRST_LAYERS[name]) == layer


def test_more_blocks_train_more_parameters_from_the_same_head(untrained: Path) -> None:
    network = on_base.network(0, SIZE, 0.0, untrained)
    fed = unfreezing.inputs(network, IMAGES)
    fit = plan.Fit(epochs=1, batch_size=8, learning_rate=1e-5)
    results = unfreezing.of_seed(0, network, fed, LABELS, fed, LABELS, fit, fit)
    head = 512 * 256 + 256 + 256 + 1
    convolution = 512 * 512 * 9 + 512
    parameters = {name: int(results[f"{name}_parameters"]) for name in plan.FIRST_LAYERS}
    assert parameters["head"] == head
    assert parameters["block5"] == head + 3 * convolution
    assert parameters["blocks4_5"] == head + 5 * convolution + 256 * 512 * 9 + 512
    assert parameters["all"] == head + 14_714_688
    for name in plan.FIRST_LAYERS:
        assert results[f"{name}_right"].shape == (8,)
        assert results[f"{name}_seconds"] > 0
