"""How fast this machine is, measured in seconds, so that a climb's time can be told before it."""

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ladder import settings
from ladder.networks import bases, models, runtime, training

PICTURES = 32  # in a batch
SECONDS = 1.0  # at least, for each rate


def rates(
    base: settings.Base, image_size: int, classes: int, parameters: settings.Runtime
) -> dict[str, float]:
    """Returns pictures a second on this machine, measured with random weights.

    `base`: through the frozen base, of its own size. `scratch`: in a training of the convnet from
    scratch, of `image_size` pixels.
    """
    runtime.start(parameters, seed=0)
    frozen = models.build(_description(base, base.pictures_size(image_size), classes))
    of_base = _blank(base.pictures_size(image_size))
    pixels = _blank(image_size)
    scratch = models.build(_description(None, image_size, classes))
    training.compile_for(scratch, learning_rate=1e-4)
    labels = np.zeros(PICTURES, np.int64)
    return {
        "base": _rate(lambda: frozen.predict_on_batch(of_base)),
        "scratch": _rate(lambda: scratch.train_on_batch(pixels, labels)),
    }


def _blank(size: int) -> NDArray[np.float32]:
    return np.zeros((PICTURES, size, size, 3), np.float32)


def _description(base: settings.Base | None, image_size: int, classes: int) -> models.Description:
    return models.Description(
        rung="features" if base else "scratch",
        image_size=image_size,
        class_names=[str(label) for label in range(classes)],
        dropout=0.5,
        base=bases.resolved(base) if base else None,
        fed="images",
    )


def _rate(step: Callable[[], object]) -> float:
    """Returns the pictures a second of a step on a batch, without the first, which compiles."""
    step()
    started, batches = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - started) < SECONDS:
        step()
        batches += 1
    return batches * PICTURES / elapsed
