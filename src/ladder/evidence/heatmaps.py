"""Where a model looks for one class in each picture: Grad-CAM (Selvaraju et al. 2017) and kin."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ladder.evidence import interpretation
from ladder.networks.runtime import keras, tf

Look = Callable[[NDArray[np.uint8], NDArray[np.int64]], NDArray[np.float32]]


def look(model: keras.Model, method: str = "grad_cam") -> Look:
    """Returns the function images (n, S, S, 3), labels (n,) → heatmaps (n, height, width).

    In [0, 1], as those of `interpretation.heatmaps`, of one class for each picture. The method is a
    key of `interpretation.METHODS`. The model computes in float32.

    Raises:
        InputError: the model has no convolution.
    """
    layer = interpretation.mapped_layer(model)
    visualization = interpretation.METHODS[method](model, _without_activation, clone=True)

    def of(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> NDArray[np.float32]:
        maps: NDArray[np.float32] = np.array(
            visualization(
                _score(labels),
                images.astype(np.float32),
                penultimate_layer=layer,
                seek_penultimate_conv_layer=False,
                expand_cam=False,
                normalize_cam=False,
            )
        )
        peak = maps.max(axis=(1, 2), keepdims=True)
        np.divide(maps, peak, out=maps, where=peak > 0)
        return maps

    return of


def _score(labels: NDArray[np.int64]) -> Callable[[Any], Any]:
    """Returns the function outputs before their activation (n, 1) or (n, k) → each label's score.

    It is 0, as that of `interpretation.score`.
    """

    def of(outputs: Any) -> Any:
        if outputs.shape[-1] == 1:  # the second class's; the first is its negative
            value = tf.where(labels == 1, outputs[:, 0], -outputs[:, 0])
        else:
            value = tf.gather(outputs, labels, batch_dims=1)
        return value - tf.stop_gradient(value)

    return of


def _without_activation(model: keras.Model) -> None:
    model.layers[-1].activation = keras.activations.linear
