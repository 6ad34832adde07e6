"""Trains, or predicts with, a rung's network in one way: pictures/s, beside the machine's rates."""

import functools
import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from ladder.runtime import keras

from benchmarks.workers import channel, keras_extraction, rates, vgg16
from ladder import models, paths, rungs, runtime, settings, training

PICTURES = 200
# By a gradient that is written, and read by RMSprop with weights and mean squares, which it writes.
PASSES_OVER_WEIGHTS = 6


def build(request: Mapping[str, Any], params: settings.Settings) -> keras.Model:
    """Returns the part of the rung's network that takes what it is `fed`, frozen as the rung is."""
    unfreeze_from = {
        "features_augmented": params.train_end_to_end.unfreeze_from,
        "fine_tuned": params.fine_tune.unfreeze_from,
    }.get(request["rung"])
    description = models.Description(
        rung=request["rung"],
        image_size=request["image_size"],
        class_names=["cat", "dog"],
        dropout=0.0 if unfreeze_from else params.train_scratch_augmented.dropout,
        base=keras_extraction.BASE if unfreeze_from else None,
        fed=request["fed"],
    )
    model = models.build(description)
    if unfreeze_from:
        keras_extraction.draw(model)
        models.freeze(model, unfreeze_from)
    return models.part_fed(model, description)


def flops(part: keras.Model, trains: bool) -> int:
    """Returns the operations of convolutions and dense layers for one picture.

    A multiply-add is two. A layer that is trained costs as much again for the gradient of its
    weights, and again for that of its inputs, which the first one trained is spared.
    """
    total, trained = 0, False
    for layer in part.layers:
        if hasattr(layer, "kernel"):
            forward = 2 * math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:-1])
            backward = (1 + trained) * (trains and layer.trainable)
            total += forward * (1 + backward)
            trained = trained or layer.trainable
    return total


def start(
    request: dict[str, Any],
) -> tuple[Mapping[str, Any], Callable[[], Mapping[str, Any]]]:
    """Warms up, counts the work of a picture, and returns it with the repetition."""
    params = settings.read(paths.root() / settings.PARAMS)
    policy = runtime.start(settings.Runtime(precision=request["precision"], threads=0), 0)
    part, trains = build(request, params), bool(request["trains"])
    batch_size = int(request["batch_size"])
    training.compile_for(part, 1e-6)
    random = np.random.default_rng(0)
    inputs = random.integers(0, 256, (PICTURES, *part.input_shape[1:]), np.uint8)
    labels = random.integers(0, 2, PICTURES)
    batches = training.Batches(training.unchanged(inputs), labels, batch_size, 0)

    def act(steps: int) -> float:
        """Returns the pictures per second of so many steps, as the stages make them."""
        started = time.perf_counter()
        if trains:
            part.fit(training.dataset(batches.endless), steps_per_epoch=steps, verbose=0)
        else:
            for _ in range(steps):
                rung_models.predict(part, inputs[:batch_size])
        return steps * batch_size / (time.perf_counter() - started)

    act(1)  # traces the graph
    steps = max(1, round(act(1) * request["seconds"] / batch_size))
    threads = vgg16.cores()
    pool = ThreadPoolExecutor(threads)
    arithmetic = policy.removeprefix("mixed_")
    told = {
        "arithmetic": arithmetic,
        "flops_per_picture": flops(part, trains),
        "bytes_per_step": trains * PASSES_OVER_WEIGHTS * 4 * models.trainable_parameters(part),
    }

    def repetition() -> dict[str, float]:
        wanted = request["rate_seconds"]
        return {
            "pictures_per_second": act(steps),
            "flops": rates.matrix_rate(arithmetic, request["matrix_size"], wanted),
            "bytes": rates.copy_rate(request["copied_bytes"], pool, threads, wanted),
        }

    return told, repetition


if __name__ == "__main__":
    channel.serve(functools.partial(start, channel.request()))
