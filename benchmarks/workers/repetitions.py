"""What all contestants share: pictures, cores, and how a repetition is timed. numpy alone."""

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Extract = Callable[[NDArray[np.uint8]], Any]  # pictures (n, S, S, 3), n a multiple of the batch


def pictures(count: int, image_size: int) -> NDArray[np.uint8]:
    """Returns random pictures (count, S, S, 3), the same in every process."""
    shape = (count, image_size, image_size, 3)
    return np.random.default_rng(1).integers(0, 256, shape, np.uint8)


def cores() -> int:
    """Returns how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def repetition(extract: Extract, request: dict[str, Any]) -> Callable[[], dict[str, float]]:
    """Returns the repetition: as many batches as fill the time, and their rate.

    It warms up first, so that no compilation is timed, and writes the features of one batch. What a
    call costs whatever its batches, as the pipeline's tracing, is timed but fills no time.
    """
    batch_size, image_size = request["batch_size"], request["image_size"]
    batch, more = pictures(batch_size, image_size), pictures(3 * batch_size, image_size)
    np.save(request["features"], extract(batch))
    whole = seconds_of(extract, batch)
    another = (seconds_of(extract, more) - whole) / 2  # a batch beside the first
    most = request["most_batches"]
    batches = int(request["seconds"] / max(another, whole / most))
    stack = pictures(min(max(batches, 1), most) * batch_size, image_size)

    def repeat() -> dict[str, float]:
        seconds = seconds_of(extract, stack)
        rate = len(stack) / seconds
        return {"pictures": len(stack), "seconds": seconds, "pictures_per_second": rate}

    return repeat


def seconds_of(extract: Extract, stack: NDArray[np.uint8]) -> float:
    """Returns how long the extraction of these pictures takes."""
    started = time.perf_counter()
    extract(stack)
    return time.perf_counter() - started
