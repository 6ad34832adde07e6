"""Extraction of features in Keras: the pipeline's own, to disk, and the same without the disk."""

import functools
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.workers import channel, repetitions
from benchmarks.workers.networks import NETWORKS
from benchmarks.workers.networks.layers import arrays
from ladder import settings
from ladder.networks import activations, bases, folding, models, runtime


def build(base: str, image_size: int) -> runtime.keras.Model:
    """Returns raw pixels → features of a base, with the weights of all contestants."""
    keras, row = runtime.keras, bases.BASES[base]
    built = settings.BuiltBase(name=base, weights="none", preprocessing="book", cut=row.cut)
    pixels = keras.Input((image_size, image_size, 3), name="pixels")
    model = keras.Model(pixels, bases.extend(pixels, built))
    model.set_weights(arrays(NETWORKS[base].layers()))
    return models.between(model, [row.output])


def in_memory(model: runtime.keras.Model, batch_size: int) -> repetitions.Extract:
    """Returns the extraction without its disk: features (n, …) float32 in memory."""
    keras, tf = runtime.keras, runtime.tf
    forward = tf.function(lambda batch: model(batch, training=False), reduce_retracing=True)

    def extract(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        features = np.empty((len(pictures), *model.outputs[0].shape[1:]), np.float32)
        for start in range(0, len(pictures), batch_size):
            rows = slice(start, start + batch_size)
            (output,) = keras.tree.flatten(forward(tf.constant(pictures[rows], tf.float32)))
            features[rows] = tf.cast(output, tf.float32).numpy()
        return features

    return extract


def to_disk(model: runtime.keras.Model, batch_size: int, folder: Path) -> repetitions.Extract:
    """Returns the pipeline's own function, which traces the graph anew whenever it is called."""
    folded, target = folding.fold(model), folder / "features.npy"  # as the stage does
    extraction = settings.Extraction(batch_size=batch_size, storage="float16")

    def extract(pictures: NDArray[np.uint8]) -> NDArray[Any]:
        rows = pictures.__getitem__
        activations.extract(folded, rows, len(pictures), {"features": target}, extraction)
        features: NDArray[Any] = np.load(target, mmap_mode="r", allow_pickle=False)
        return features

    return extract


def start(folder: Path, request: dict[str, Any]) -> tuple[Mapping[str, Any], channel.Repetition]:
    """Returns the details of this contestant, and its repetition."""
    policy = runtime.start(settings.Runtime(precision=request["precision"], threads=0), None)
    model, batch_size = build(request["base"], request["image_size"]), request["batch_size"]
    disk = request["disk"]
    extract = to_disk(model, batch_size, folder) if disk else in_memory(model, batch_size)
    details = {
        "arithmetic": policy.removeprefix("mixed_"),
        "threads": int(runtime.describe()["threads"]),
        "parameters": model.count_params(),
        "versions": {"keras": runtime.keras.__version__, "tensorflow": runtime.tf.__version__},
    }
    return details, repetitions.repetition(extract, request)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        channel.serve(functools.partial(start, Path(scratch)))
