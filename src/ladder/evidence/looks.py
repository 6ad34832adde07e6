"""Where a model looks in pictures of many classes: heatmaps of the classes that are looked at."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ladder.evidence import heatmaps as of_labels
from ladder.evidence import interpretation, selection
from ladder.networks.runtime import keras, tf

MOST_CLASSES = 4  # that have all heatmaps of a picture; of more classes there are two


def heatmaps(
    model: keras.Model,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    probabilities: NDArray[np.floating],
) -> dict[str, NDArray[np.float32]]:
    """Returns the heatmaps of `interpretation.heatmaps`, (n, k, height, width) by method.

    Of more than `MOST_CLASSES` classes those of `selection.looked_at` alone; the others are 0. A
    heatmap takes a pass through the network and back, and nobody looks at 98 of 100 classes.
    `labels` (n,) and `probabilities` (n, k) are of the images (n, S, S, 3).

    Raises:
        InputError: the model has no convolution.
    """
    count = probabilities.shape[1]
    if count <= MOST_CLASSES:
        return interpretation.heatmaps(model, images)
    layer, rows = interpretation.last_convolution(model), np.arange(len(images))
    maps: dict[str, NDArray[np.float32]] = {}
    for key, method in interpretation.METHODS.items():
        look = method(model, _without_activation, clone=True)
        for of_each in selection.looked_at(labels, probabilities).T:
            parts = []
            for start in range(0, len(images), interpretation.HEATMAP_BATCH_SIZE):
                batch = slice(start, start + interpretation.HEATMAP_BATCH_SIZE)
                parts.append(
                    look(
                        _score(of_each[batch]),
                        images[batch].astype(np.float32),
                        penultimate_layer=layer,
                        seek_penultimate_conv_layer=False,
                        expand_cam=False,
                        normalize_cam=False,
                    )
                )
            found: NDArray[np.float32] = np.concatenate(parts)
            peak = found.max(axis=(1, 2), keepdims=True)
            every = maps.setdefault(key, np.zeros((len(images), count, *found.shape[1:]), "f4"))
            every[rows, of_each] = np.divide(found, peak, out=found, where=peak > 0)
    return maps


def _without_activation(model: keras.Model) -> None:
    model.layers[-1].activation = keras.activations.linear


def _score(labels: NDArray[np.int64]) -> Any:
    """Returns the score of one label for each picture, 0 as that of `interpretation.score`."""
    score = of_labels.score(labels)

    def of(outputs: Any) -> Any:
        value = score(outputs)
        return value - tf.stop_gradient(value)

    return of
