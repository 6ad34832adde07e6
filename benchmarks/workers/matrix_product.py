"""The rate of products of two square matrices in TensorFlow, in float32 and in bfloat16."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from benchmarks.workers import channel
from ladder import settings
from ladder.networks import runtime

PRECISIONS = ("float32", "bfloat16")


def product(precision: str, size: int) -> Callable[[int], float]:
    """Returns a function from how many products to the seconds that they take.

    The matrices are (size, size), random, and in memory. It has run once, so that it is compiled.
    """
    tf = runtime.tf
    random = np.random.default_rng(0)
    matrices = [
        tf.cast(random.standard_normal((size, size), np.float32), precision) for _ in range(2)
    ]
    multiply = tf.function(tf.matmul)

    def seconds(count: int) -> float:
        started = time.perf_counter()
        for _ in range(count):
            result = multiply(*matrices)
        result[0, 0].numpy()  # waits for the result, also where it is computed elsewhere
        return time.perf_counter() - started

    seconds(1)
    return seconds


def gigaflops(size: int, count: int, seconds: float) -> float:
    """Returns 10⁹ floating-point operations a second: a multiplication and an addition are two."""
    return 2 * size**3 * count / seconds / 1e9


def start(request: dict[str, Any]) -> tuple[Mapping[str, Any], channel.Repetition]:
    """Returns what is measured, and a repetition: the rate by precision and size, GFLOP/s."""
    parameters = settings.Runtime(precision="auto", threads=0)
    own = runtime.start(parameters, None).removeprefix("mixed_")
    products = {
        precision: {str(size): product(precision, size) for size in request["sizes"]}
        for precision in PRECISIONS
    }
    counts = {
        precision: {size: max(1, int(request["seconds"] / run(1))) for size, run in runs.items()}
        for precision, runs in products.items()
    }

    def repeat() -> dict[str, dict[str, float]]:
        rates: dict[str, dict[str, float]] = {}
        for precision, runs in products.items():
            rates[precision] = {}
            for size, run in runs.items():
                count = counts[precision][size]
                rates[precision][size] = gigaflops(int(size), count, run(count))
        return rates

    threads = int(runtime.describe()["threads"])
    return {"threads": threads, "pipeline_precision": own}, repeat


if __name__ == "__main__":
    channel.serve(start)
