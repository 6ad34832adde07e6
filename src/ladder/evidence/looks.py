"""Where a model looks in pictures of many classes: heatmaps of the classes that are looked at."""

import numpy as np
from numpy.typing import NDArray

from ladder.evidence import heatmaps as of_labels
from ladder.evidence import interpretation, selection
from ladder.networks.runtime import keras

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
    rows, size = np.arange(len(images)), interpretation.HEATMAP_BATCH_SIZE
    maps: dict[str, NDArray[np.float32]] = {}
    for method in interpretation.METHODS:
        look = of_labels.look(model, method)
        for of_each in selection.looked_at(labels, probabilities).T:
            batches = (slice(start, start + size) for start in range(0, len(images), size))
            of_class = np.concatenate([look(images[batch], of_each[batch]) for batch in batches])
            zeros = np.zeros((len(images), count, *of_class.shape[1:]), np.float32)
            maps.setdefault(method, zeros)[rows, of_each] = of_class
    return maps
