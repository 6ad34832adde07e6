"""Extracts features, or views, as the stages do it: time and peak memory for one number of them."""

import functools
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from ladder.runtime import keras
from numpy.typing import NDArray

from benchmarks.workers import channel, keras_extraction
from ladder import activations, artifacts, augmentation, models, paths, runtime, settings

STATUS = Path("/proc/self/status")
SAMPLING_SECONDS = 0.02


def anonymous_bytes() -> int | None:
    """Returns the memory of this process that is no mapped file; None where it is not told.

    The kernel may drop pages of a mapped file at any time; these it must keep.
    """
    lines = STATUS.read_text().splitlines() if STATUS.exists() else []
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon")), None)


@contextmanager
def sampled() -> Iterator[list[int]]:
    """Yields a list that holds the highest of `anonymous_bytes` when the block is left."""
    highest, finished = [0], threading.Event()

    def sample() -> None:
        while not finished.wait(SAMPLING_SECONDS):
            highest[0] = max(highest[0], anonymous_bytes() or 0)

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield highest
    finally:
        finished.set()
        thread.join()


def extract(base: keras.Model, request: dict[str, Any], params: settings.Settings) -> None:
    """Writes what the stage would write of the first `pictures` of the file `path`."""
    pixels = artifacts.read_npy(Path(request["path"]))[: request["pictures"]]
    folder, views = Path(request["folder"]), request["views"]
    if not views:
        part = models.between(base, [keras_extraction.OUTPUT])
        target = {keras_extraction.OUTPUT: folder / "features.npy"}
        activations.extract(part, pixels.__getitem__, len(pixels), target, params.extraction)
        return

    def view(number: int, rows: slice) -> NDArray[np.uint8]:
        return augmentation.view(pixels, rows, params.augmentation, params.seed, number)

    folders = {name: folder / name for name in (keras_extraction.BASE.cut, keras_extraction.OUTPUT)}
    part = models.between(base, folders)
    partial = folder / "partial"
    activations.extract_views(part, view, len(pixels), views, folders, partial, params.extraction)


def start(
    request: dict[str, Any],
) -> tuple[Mapping[str, Any], Callable[[], Mapping[str, Any]]]:
    """Loads what the stage loads; the repetition is the extraction."""
    params = settings.read(paths.root() / settings.PARAMS)
    policy = runtime.start(params.runtime, params.seed)
    base = keras_extraction.build(request["image_size"])

    def repetition() -> dict[str, float]:
        with sampled() as highest:
            started = time.perf_counter()
            extract(base, request, params)
            seconds = time.perf_counter() - started
        return {"seconds": seconds, "anonymous_peak_bytes": highest[0]}

    return {"arithmetic": policy.removeprefix("mixed_")}, repetition


if __name__ == "__main__":
    channel.serve(functools.partial(start, channel.request()))
