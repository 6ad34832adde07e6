"""What this machine can do at most: its matrix rate and its memory rate; and what VGG16 asks."""

import functools
import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from benchmarks.workers import channel, keras_extraction, vgg16
from ladder import bases, runtime, settings
from ladder.runtime import keras, tf

PRECISIONS = ("bfloat16", "float32")


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


LAYERS = (keras.layers.Conv2D, keras.layers.MaxPooling2D)


def matrix_seconds(precision: str, size: int) -> float:
    """Returns the seconds of one product of two square matrices, after one that warms up."""
    matrix = tf.cast(tf.random.normal((size, size)), precision)
    tf.matmul(matrix, matrix)
    started = time.perf_counter()
    tf.matmul(matrix, matrix)[0, 0].numpy()
    return time.perf_counter() - started


def fastest_size(precision: str, request: dict[str, Any]) -> int:
    """Returns the size of matrix with the highest rate, among those that do not take too long."""
    rates: dict[int, float] = {}
    for size in request["sizes"]:
        seconds = matrix_seconds(precision, size)
        rates[size] = size**3 / seconds
        if 8 * seconds > request["seconds"]:  # the next one, twice as large
            break
    return max(rates, key=lambda size: rates[size])


def copy_rate(byte_count: int, pool: ThreadPoolExecutor, threads: int) -> float:
    """Returns the bytes per second, read and written, of a copy between two large arrays."""
    source, target = np.ones(byte_count, np.uint8), np.zeros(byte_count, np.uint8)
    parts = np.array_split(source, threads), np.array_split(target, threads)
    started = time.perf_counter()
    list(pool.map(np.copyto, parts[1], parts[0]))
    return 2 * byte_count / (time.perf_counter() - started)


def start(
    request: dict[str, Any],
) -> tuple[Mapping[str, Any], Callable[[], Mapping[str, Any]]]:
    """Finds the sizes of matrix that are fastest; a repetition measures all three rates once."""
    runtime.start(settings.Runtime(precision="float32", threads=0), 0)
    model = keras_extraction.build(request["image_size"])
    sizes = {precision: fastest_size(precision, request) for precision in PRECISIONS}
    threads = vgg16.cores()
    pool = ThreadPoolExecutor(threads)
    told = {
        "sizes": sizes,
        "copied_bytes": request["copied_bytes"],
        "flops_per_picture": convolution_flops(model),
        "activation_values_per_picture": activation_values(model),
        "parameters": model.count_params(),
        "threads": threads,
        "versions": {"tensorflow": tf.__version__, "numpy": np.__version__},
    }

    def repetition() -> dict[str, float]:
        rates = {
            precision: 2 * size**3 / matrix_seconds(precision, size)
            for precision, size in sizes.items()
        }
        return {**rates, "memory": copy_rate(request["copied_bytes"], pool, threads)}

    return told, repetition


if __name__ == "__main__":
    channel.serve(functools.partial(start, channel.request()))
