"""Batch normalisations as part of the convolutions before them, for a network that is frozen.

A normalisation with fixed statistics is a multiplication and an addition for each channel. So is
what a convolution does with its kernel and bias (Jacob et al. 2018, section 3.2).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ladder.networks.runtime import keras

# The kernel that ends a convolution → the axis of the channels that come out.
KERNELS = {
    keras.layers.Conv2D: ("kernel", -1),
    keras.layers.DepthwiseConv2D: ("kernel", -2),
    keras.layers.SeparableConv2D: ("pointwise_kernel", -1),
}


def fold(model: keras.Model) -> keras.Model:
    """Returns a network of its own that gives the same as `model`, in prediction, but for rounding.

    Its layers have the same names. A normalisation stays that follows no convolution, or one whose
    output goes elsewhere too.
    """
    convolutions = {
        normalization.name: before
        for normalization in model.layers
        if isinstance(normalization, keras.layers.BatchNormalization)
        and (before := _convolution_before(normalization)) is not None
    }
    if not convolutions:
        return model
    with_bias = {layer.name for layer in convolutions.values()}

    def copy(layer: keras.layers.Layer) -> keras.layers.Layer:
        if layer.name in convolutions:
            return keras.layers.Identity(name=layer.name, dtype=layer.dtype_policy)
        config = layer.get_config()
        if layer.name in with_bias:
            config["use_bias"] = True
        return type(layer).from_config(config)

    def call(layer: keras.layers.Layer, *inputs: Any, **options: Any) -> Any:
        return layer(*inputs) if layer.name in convolutions else layer(*inputs, **options)

    folded = keras.models.clone_model(model, clone_function=copy, call_function=call)
    for layer in model.layers:
        if layer.weights and layer.name not in {*convolutions, *with_bias}:
            folded.get_layer(layer.name).set_weights(layer.get_weights())
    for name, convolution in convolutions.items():
        _set(folded.get_layer(convolution.name), convolution, model.get_layer(name))
    return folded


def _convolution_before(normalization: keras.layers.Layer) -> keras.layers.Layer | None:
    (node,) = normalization._inbound_nodes  # Keras has no other name for it
    (before,) = node.parent_nodes
    layer = before.operation
    is_alone = len(layer._outbound_nodes) == 1
    is_linear = getattr(layer, "activation", None) is keras.activations.linear
    return layer if type(layer) in KERNELS and is_alone and is_linear else None


def _set(folded: Any, convolution: Any, normalization: Any) -> None:
    name, axis = KERNELS[type(convolution)]
    gamma, beta, mean, variance = _statistics(normalization)
    scale = gamma / np.sqrt(variance + normalization.epsilon)
    bias = _numbers(convolution.bias) if convolution.use_bias else np.zeros_like(scale)
    kernel = _numbers(getattr(convolution, name))
    shape = [1] * kernel.ndim
    shape[axis] = -1
    if name != "kernel":
        folded.depthwise_kernel.assign(convolution.depthwise_kernel)
    getattr(folded, name).assign(kernel * scale.reshape(shape))
    folded.bias.assign(beta + (bias - mean) * scale)


def _statistics(normalization: Any) -> list[NDArray[np.float64]]:
    """Returns gamma, beta, mean and variance, each (channels,)."""
    mean = _numbers(normalization.moving_mean)
    gamma = _numbers(normalization.gamma) if normalization.scale else np.ones_like(mean)
    beta = _numbers(normalization.beta) if normalization.center else np.zeros_like(mean)
    return [gamma, beta, mean, _numbers(normalization.moving_variance)]


def _numbers(variable: Any) -> NDArray[np.float64]:
    return np.asarray(keras.ops.convert_to_numpy(variable), np.float64)
