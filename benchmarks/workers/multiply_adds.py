"""How many multiplications, each with its addition, a network costs: counted from its layers.

Convolutions and dense layers count. Pooling, normalisation and activations do not: they are few.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from ladder.networks import bases
from ladder.networks.runtime import keras

# The kernels of the layers that multiply, in the order in which they are applied.
KERNELS: dict[type[keras.layers.Layer], tuple[str, ...]] = {
    keras.layers.Conv2D: ("kernel",),
    keras.layers.DepthwiseConv2D: ("kernel",),
    keras.layers.SeparableConv2D: ("depthwise_kernel", "pointwise_kernel"),
    keras.layers.Dense: ("kernel",),
}


@dataclass(frozen=True)
class Phase:
    """Inputs that go through a network so many times: once, or in every epoch of a training."""

    model: keras.Model
    pictures: int
    epochs: int = 1
    trains: bool = False

    @property
    def multiply_adds(self) -> int:
        """Those of all pictures and epochs."""
        count = of_training(self.model) if self.trains else of_prediction(self.model)
        return self.pictures * self.epochs * count


def total(phases: Iterable[Phase]) -> int:
    """Returns the multiply-adds of phases one after the other."""
    return sum(phase.multiply_adds for phase in phases)


def of_prediction(model: keras.Model) -> int:
    """Returns the multiply-adds of one picture's way through the network.

    Raises:
        ValueError: a layer has a kernel, and it is not known how it is applied.
    """
    return sum(sum(of_kernels(layer)) for layer in bases.layers(model))


def of_training(model: keras.Model) -> int:
    """Returns the multiply-adds of one picture in a step of training, forward and backward.

    Backward, each kernel that trains costs as much as forward again, for its own gradient. Each
    kernel that is applied after something that trains costs as much again, for the gradient of its
    input.

    Raises:
        ValueError: a layer has a kernel, and it is not known how it is applied.
    """
    count = 0
    reached: set[int] = set()  # tensors that depend on a weight that trains
    for layer in bases.layers(model):
        trains = bool(layer.trainable_weights)
        behind = any(id(tensor) in reached for tensor in keras.tree.flatten(layer.input))
        for kernel in of_kernels(layer):
            count += kernel * (1 + trains + behind)
            behind = behind or trains
        if behind or trains:
            reached |= {id(tensor) for tensor in keras.tree.flatten(layer.output)}
    return count


def of_kernels(layer: keras.layers.Layer) -> list[int]:
    """Returns the multiply-adds of each of a layer's kernels for one picture, forward.

    A kernel is applied once at every place of the output.

    Raises:
        ValueError: the layer has a kernel, and it is not known how it is applied.
    """
    names = KERNELS.get(type(layer), ())
    if not names and any("kernel" in weight.name for weight in layer.weights):
        known = ", ".join(kind.__name__ for kind in KERNELS)
        raise ValueError(f"{layer.name}: expected {known}, received {type(layer).__name__}")
    if not names:
        return []
    places = math.prod(layer.output.shape[1:-1])
    return [places * math.prod(getattr(layer, name).shape) for name in names]
