"""A frozen layer is a pure function: its output for a view of a picture is computed once."""

import contextlib
import functools
import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import filelock
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ladder import artifacts, errors, paths, settings
from ladder.networks.runtime import keras, tf

Pictures = Callable[[slice], NDArray[np.uint8]]  # rows → (n, S, S, 3)
Forward = Callable[[Any], Any]  # a batch of pictures → activations, one for each output


def extract(
    base: keras.Model,
    pictures: Pictures,
    count: int,
    targets: Mapping[str, Path],
    extraction: settings.Extraction,
) -> None:
    """Writes the output of each layer in `targets` for all pictures, (count, …), whole or not.

    `base` gives these layers' outputs, in this order. Memory does not grow with `count`.

    Raises:
        InputError: an output is not finite in the storage type.
    """
    _write(_compiled(base), base.outputs, pictures, count, targets, extraction)


def _compiled(base: keras.Model) -> Forward:
    compiled: Forward = tf.function(
        lambda batch: base(batch, training=False), reduce_retracing=True
    )
    return compiled


def _write(
    forward: Forward,
    outputs: Sequence[Any],
    pictures: Pictures,
    count: int,
    targets: Mapping[str, Path],
    extraction: settings.Extraction,
) -> None:
    bar = tqdm(desc="extract", total=count, unit="picture", disable=None)
    with contextlib.ExitStack() as stack:
        stack.enter_context(bar)
        files = [stack.enter_context(artifacts.whole(path)) for path in targets.values()]
        arrays = [
            _on_disk(path, np.dtype(extraction.storage), (count, *output.shape[1:]))
            for path, output in zip(files, outputs, strict=True)
        ]
        for rows, batch in _read_ahead(pictures, count, extraction.batch_size):
            outputs_of_batch = keras.tree.flatten(forward(tf.constant(batch, tf.float32)))
            for layer, array, activation in zip(targets, arrays, outputs_of_batch, strict=True):
                values = tf.cast(activation, tf.float32).numpy()
                array[rows] = stored(values, extraction.storage, layer)
            bar.update(len(batch))


def _on_disk(path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Returns an array in a file, mapped into memory, for which the disk has room."""
    array = np.lib.format.open_memmap(path, "w+", dtype, shape)
    artifacts.reserve(path, path.stat().st_size)
    return array


def extract_views(
    base: keras.Model,
    view: Callable[[int, slice], NDArray[np.uint8]],
    count: int,
    views: int,
    folders: Mapping[str, Path],
    partial: Path,
    extraction: settings.Extraction,
) -> float:
    """Writes views 1 … `views` of every layer in `folders`; goes on where it was interrupted.

    Whole views gather in `partial`, which becomes the folders at the end. A second process waits.
    Returns the seconds that all views took, in this process and before.
    """
    forward, seconds = _compiled(base), 0.0
    partial.mkdir(parents=True, exist_ok=True)
    lock = partial.with_suffix(".lock")
    with filelock.FileLock(lock):
        for number in range(1, views + 1):
            targets = {layer: paths.view(partial / layer, number) for layer in folders}
            took = partial / f"seconds-{number}.json"
            # A folder that became an output before a kill took its views along; DVC removes it.
            if not all(path.exists() for path in (took, *targets.values())):
                with artifacts.timed(took):
                    rows = functools.partial(view, number)
                    _write(forward, base.outputs, rows, count, targets, extraction)
            seconds += artifacts.read_json(took)["seconds"]
        for layer, folder in folders.items():
            (partial / layer).mkdir(parents=True, exist_ok=True)
            for leftover in (partial / layer).glob(".*"):  # of a process that was killed
                leftover.unlink()
            shutil.rmtree(folder, ignore_errors=True)
            folder.parent.mkdir(parents=True, exist_ok=True)
            artifacts.move(partial / layer, folder)
        shutil.rmtree(partial)
        lock.unlink()  # who waits for it makes a new one
    return seconds


def _read_ahead(
    pictures: Pictures, count: int, batch_size: int
) -> Iterator[tuple[slice, NDArray[np.uint8]]]:
    """Yields batch after batch while a thread makes the next one."""
    starts = range(0, count, batch_size)
    slices = [slice(start, min(start + batch_size, count)) for start in starts]
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(pictures, slices[0])
        for i, rows in enumerate(slices):
            batch = following.result()
            if i + 1 < len(slices):
                following = pool.submit(pictures, slices[i + 1])
            yield rows, batch


def stored(values: NDArray[np.float32], storage: str, layer: str) -> NDArray[Any]:
    """Returns the values in the type that they are stored in.

    Raises:
        InputError: some are not finite, or too large for the type.
    """
    with np.errstate(over="ignore"):
        narrowed = values.astype(storage)
    if not np.isfinite(narrowed).all():
        raise errors.InputError(
            f"output of {layer}",
            expected=f"finite numbers within {storage}",
            received=f"a largest magnitude of {np.abs(values).max():g}",
            advice="Set extraction.storage: float32 in params.yaml."
            if np.isfinite(values).all()
            else "Set runtime.precision: float32, or correct base.weights, in params.yaml.",
        )
    return narrowed


def digest(*parts: object) -> str:
    """Returns a short name for work that depends on these values alone."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
