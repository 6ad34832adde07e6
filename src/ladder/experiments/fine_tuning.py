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
    pasted_labels: NDArray[np.int64]  # (k,), of the whole pictures; the corners have the other


def of_seed(
    seed: int, network: keras.Model, pictures: Pictures, heads: plan.Heads, fit: plan.FineTuning
) -> dict[str, NDArray[Any]]:
    """Returns what is right after every way to train VGG16 with one seed, and where it looks.

    Ways: frozen (the head alone is trained), trained_head (then the last block and the head),
    large_rate (the same, too fast), untrained_head (the last block and a fresh head). By way:
    <way>_right, which test pictures are right (n,); <way>_relearned, the same with a fresh head
    that is trained on the frozen block, as in frozen: what the block still knows; <way>_moved, how
    far the block is from where it was. For frozen and trained_head see `_looks`.

    `network` has a fresh head.
    """
    fresh = network.get_weights()
    _train_head(network, pictures.features, pictures, heads, seed)
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
        on_base.set_head(network, fresh)
        block = on_base.last_block(network)
        features = [on_base.outputs(block, view)[0] for view in pictures.views]
        _train_head(network, features, pictures, heads, seed)
        results[f"{name}_relearned"] = _right(network, pictures)
    return results


def _train_head(
    network: keras.Model,
    features: list[NDArray[np.float16]],
    pictures: Pictures,
    heads: plan.Heads,
    seed: int,
) -> None:
    inputs = training.cycled(features)
    on_base.train(network, on_base.HEAD, on_base.OUTPUT, inputs, pictures.labels, heads, seed)


def _right(network: keras.Model, pictures: Pictures) -> NDArray[np.bool_]:
    part = on_base.part_from(network, CUT)
    return on_base.right(part, pictures.test, pictures.test_labels)


def _looks(
    name: str, network: keras.Model, pictures: Pictures, heads: plan.Heads
) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yields where a network looks: shares of a map's heat in the corner, of each pasted picture.

    <name>_<method>_<class> (k,), where class is corner (the map for the class in the corner) or
    whole (that for the class of the whole picture). An empty map has 1/4.
    """
    plain = on_base.in_float32(network, heads.dropout)
    labels = {"corner": 1 - pictures.pasted_labels, "whole": pictures.pasted_labels}
    for method in interpretation.METHODS:
        look = heatmaps.look(plain, method)
        for of, classes in labels.items():
            maps = look(pictures.pasted, classes)
            yield f"{name}_{method}_{of}", animals.share_in_corner(maps, pictures.corners)
