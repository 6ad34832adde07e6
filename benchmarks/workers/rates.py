"""What this machine can do at most: its matrix rate, its memory rate; and what VGG16 asks.

And how many random views of pictures the augmentation makes.
"""

import functools
import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from ladder.runtime import keras, tf

from benchmarks.processes import ROOT
from benchmarks.workers import channel, keras_extraction, vgg16
from ladder import augmentation, bases, runtime, settings

PRECISIONS = ("bfloat16", "float32")
RANGES = settings.read(ROOT / settings.PARAMS).augmentation
LAYERS = (keras.layers.Conv2D, keras.layers.MaxPooling2D)


def convolution_flops(model: keras.Model) -> int:
    """Returns the operations of the convolutions for one picture, a multiply-add being two.

    Counted from the shapes of kernels and outputs; bias, relu and pooling are under 1 % of it.
    """
    return sum(
        2 * math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:3])
        for layer in bases.convolutions(model)
    )


def activation_values(model: keras.Model) -> int:
    """Returns how many numbers per picture convolutions and poolings read and write."""
    moved = [layer for layer in model.layers if isinstance(layer, LAYERS)]
    return sum(
        math.prod(tensor.shape[1:]) for layer in moved for tensor in (layer.input, layer.output)
    )


def matrix_rate(precision: str, size: int, wanted_seconds: float) -> float:
    """Returns operations per second of products of two square matrices, over about this time."""
    matrix = tf.cast(tf.random.normal((size, size)), precision)
    tf.matmul(matrix, matrix)  # warms up

    def product() -> None:
        tf.matmul(matrix, matrix)[0, 0].numpy()  # waits for it

    return 2 * size**3 / seconds_of(product, wanted_seconds)


def seconds_of(act: Callable[[], None], wanted_seconds: float) -> float:
    """Returns the mean seconds of an act that is repeated, once at least, for about this time."""
    started, count = time.perf_counter(), 0
    while not count or time.perf_counter() - started < wanted_seconds:
        act()
        count += 1
    return (time.perf_counter() - started) / count


def fastest_size(precision: str, request: dict[str, Any]) -> int:
    """Returns the size of matrix with the highest rate, among those that do not take too long."""
    rates: dict[int, float] = {}
    for size in request["sizes"]:
        rates[size] = matrix_rate(precision, size, request["seconds"])
        following = 2 * (2 * size) ** 3 / rates[size]
        if following > request["most_seconds"]:
            break
    return max(rates, key=lambda size: rates[size])


def copy_rate(
    byte_count: int, pool: ThreadPoolExecutor, threads: int, wanted_seconds: float
) -> float:
    """Returns the bytes per second, read and written, of copies between two large arrays."""
    source, target = np.ones(byte_count, np.uint8), np.zeros(byte_count, np.uint8)
    parts = np.array_split(target, threads), np.array_split(source, threads)

    def copy() -> None:
        list(pool.map(np.copyto, *parts))

    copy()  # so that all pages are there
    return 2 * byte_count / seconds_of(copy, wanted_seconds)


def view_rate(image_size: int, wanted_seconds: float) -> float:
    """Returns the random views per second, made as training takes them, a batch at a time."""
    pictures, number = (
        np.random.default_rng(0).integers(0, 256, (100, *2 * [image_size], 3), "u1"),
        0,
    )

    def views() -> None:
        nonlocal number
        number += 1
        augmentation.view(pictures, slice(None), RANGES, 0, number)

    views()  # starts the threads
    return len(pictures) / seconds_of(views, wanted_seconds)


def start(
    request: dict[str, Any],
) -> tuple[Mapping[str, Any], Callable[[], Mapping[str, Any]]]:
    """Finds the sizes of matrix that are fastest; a repetition measures every rate once."""
    runtime.start(settings.Runtime(precision="float32", threads=0), 0)
    model = keras_extraction.build(request["image_size"])
    sizes = {precision: fastest_size(precision, request) for precision in PRECISIONS}
    threads = vgg16.cores()
    pool = ThreadPoolExecutor(threads)
    told = {
        "image_size": request["image_size"],
        "sizes": sizes,
        "copied_bytes": request["copied_bytes"],
        "flops_per_picture": convolution_flops(model),
        "activation_values_per_picture": activation_values(model),
        "parameters": model.count_params(),
        "threads": threads,
        "versions": {"tensorflow": tf.__version__, "numpy": np.__version__},
    }

    def repetition() -> dict[str, float]:
        started, wanted = time.perf_counter(), request["seconds"]
        rates = {
            precision: matrix_rate(precision, size, wanted) for precision, size in sizes.items()
        }
        rates["memory"] = copy_rate(request["copied_bytes"], pool, threads, wanted)
        rates["views"] = view_rate(request["image_size"], wanted)
        return {**rates, "seconds": time.perf_counter() - started}

    return told, repetition


if __name__ == "__main__":
    channel.serve(functools.partial(start, channel.request()))
