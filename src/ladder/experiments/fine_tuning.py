"""Fine-tuning of VGG16's last block: after the head was trained, before, and too fast."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ladder.evidence import heatmaps, interpretation
from ladder.experiments import animals, on_base, plan
from ladder.networks import training
from ladder.networks.runtime import keras

UNFREEZE_FROM, CUT = "block5_conv1", on_base.BASE.cut


@dataclass(frozen=True)
class Pictures:
    """What networks are trained and measured on; train pictures are there as augmented views."""

    views: list[NDArray[np.float16]]  # activations at `CUT`, each (n, …)
    features: list[NDArray[np.float16]]  # of the same views
    labels: NDArray[np.uint8]  # (n,), of train
    test: NDArray[np.float16]  # activations
    test_labels: NDArray[np.uint8]
    pasted: NDArray[np.uint8]  # (k, S, S, 3): pictures with one of the other class in a corner
    corners: NDArray[np.int64]  # (k,), see `animals.pasted`
    labels_in_corner: NDArray[np.int64]  # (k,)


def of_seed(
    seed: int, network: keras.Model, pictures: Pictures, heads: plan.Heads, fit: plan.FineTuning
) -> dict[str, NDArray[Any]]:
    """Returns what networks of one seed come to; `network` has a fresh head.

    <name>_right: which test pictures are right (n,); <name>_moved: how far the last block is from
    where it was; <name>_<method>: the share of a heatmap in the corner, of each pasted picture
    (k,). Names: frozen (the head alone is trained), trained_head, large_rate, untrained_head.
    """
    fresh = network.get_weights()
    inputs = training.cycled(pictures.features)
    on_base.train(network, on_base.HEAD, on_base.OUTPUT, inputs, pictures.labels, heads, seed)
    trained = network.get_weights()
    results: dict[str, NDArray[Any]] = {"frozen_right": _right(network, pictures)}
    results |= dict(_looks("frozen", network, pictures, heads))
    fast = fit.model_copy(update={"learning_rate": fit.large_learning_rate})
    ways = {
        "trained_head": (trained, fit),
        "large_rate": (trained, fast),
        "untrained_head": (fresh, fit),
    }
    for name, (start, parameters) in ways.items():
        network.set_weights(start)
        before = on_base.weights_of(network, UNFREEZE_FROM)
        inputs = training.cycled(pictures.views)
        on_base.train(network, UNFREEZE_FROM, CUT, inputs, pictures.labels, parameters, seed)
        after = on_base.weights_of(network, UNFREEZE_FROM)
        results[f"{name}_right"] = _right(network, pictures)
        results[f"{name}_moved"] = np.array(on_base.moved(before, after))
        if name == "trained_head":
            results |= dict(_looks(name, network, pictures, heads))
    return results


def _right(network: keras.Model, pictures: Pictures) -> NDArray[np.bool_]:
    part = on_base.part_from(network, CUT)
    return on_base.right(part, pictures.test, pictures.test_labels)


def _looks(
    name: str, network: keras.Model, pictures: Pictures, heads: plan.Heads
) -> Iterator[tuple[str, NDArray[Any]]]:
    plain = on_base.in_float32(network, heads.dropout)
    for method in interpretation.METHODS:
        maps = heatmaps.look(plain, method)(pictures.pasted, pictures.labels_in_corner)
        yield f"{name}_{method}", animals.share_in_corner(maps, pictures.corners)
