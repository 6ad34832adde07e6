"""Part book_way: the time of the book's own code, measured on some steps and extrapolated."""

import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from benchmarks import spread
from benchmarks.clone import Clone
from benchmarks.plan import Plan
from benchmarks.processes import Worker
from ladder import paths, rungs

PICTURES = 2000 + 1000 + 1000  # train, validation, test (DLwP 5.2.2)
STEPS, VALIDATION_STEPS = 100, 50  # of an epoch, with every generator of the chapter


@dataclass(frozen=True)
class Training:
    """How long the book trains a rung."""

    epochs: int
    batch_size: int
    augmented: bool


BOOK: dict[rungs.Rung, Training] = {
    "scratch": Training(30, 20, augmented=False),  # DLwP 5.2.4
    "scratch_augmented": Training(100, 32, augmented=True),  # 5.2.5
    "features": Training(30, 20, augmented=False),  # 5.3.1
    "features_augmented": Training(30, 20, augmented=True),  # 5.3.1
    "fine_tuned": Training(100, 20, augmented=True),  # 5.3.2
}


def factors(rung: rungs.Rung, steps: int) -> dict[str, float]:
    """Returns the factor by which each measure becomes the whole of the book's run.

    A measured `epoch` has `steps` of training and half as many of validation, in the book's
    proportion. An epoch of the head alone is whole. An `extraction` has `steps` batches.
    """
    training = BOOK[rung]
    if rung == "features":
        batches = PICTURES / training.batch_size
        return {"extraction": batches / steps, "epoch": training.epochs}
    return {"epoch": training.epochs * STEPS / steps}


def extrapolate(rung: rungs.Rung, steps: int, seconds: dict[str, list[float]]) -> spread.Spread:
    """Returns the seconds of the book's run of a rung from the seconds of its repetitions."""
    scale = factors(rung, steps)
    return spread.total([spread.Spread.of(seconds[name]).scaled(scale[name]) for name in scale])


def measure(plan: Plan, clone: Clone) -> dict[str, Any]:
    """Returns the extrapolated seconds of every rung, on the pictures of the pipeline."""
    params = clone.params
    files = paths.DatasetPaths(params.dataset.name)
    clone.dvc("repro", "split")
    with tempfile.TemporaryDirectory() as scratch:
        write_pictures(clone.folder / files.archive, clone.folder / files.manifest, Path(scratch))
        by_rung = {
            rung: measure_rung(rung, plan, params.image_size, scratch)
            for rung in tqdm(BOOK, "book's way", unit="rung", disable=None)
        }
    return {
        "extrapolated": True,
        "dataset": params.dataset.name,
        "image_size": params.image_size,
        "rungs": by_rung,
    }


def measure_rung(rung: rungs.Rung, plan: Plan, image_size: int, folder: str) -> dict[str, Any]:
    """Returns one rung's repetitions as measured, and its extrapolated seconds."""
    training, scale = BOOK[rung], factors(rung, plan.book_steps)
    request = vars(training) | {
        "rung": rung,
        "folder": folder,
        "image_size": image_size,
        "steps": plan.book_steps,
        "validation_steps": plan.book_steps * VALIDATION_STEPS // STEPS,
        "repetitions": plan.book_repetitions,
    }
    seconds: dict[str, list[float]] = {name: [] for name in scale}
    with Worker("book_way", request) as worker:
        for _ in range(len(scale) * plan.book_repetitions):
            answer = worker.receive()
            seconds[answer["measure"]].append(answer["seconds"])
    return {
        "epochs": training.epochs,
        "batch_size": training.batch_size,
        "steps_measured": plan.book_steps,
        "measured": {name: spread.record(values) for name, values in seconds.items()},
        "factors": scale,
        "extrapolated_seconds": vars(extrapolate(rung, plan.book_steps, seconds)),
        "peak_bytes": worker.peak_bytes,
    }


def write_pictures(archive: Path, manifest: Path, folder: Path) -> None:
    """Writes the manifest's pictures, their bytes unchanged, as subset/class_name/id.jpg."""
    with zipfile.ZipFile(archive) as members:
        for row in pd.read_csv(manifest).itertuples():
            path = folder / str(row.subset) / str(row.class_name)
            path.mkdir(parents=True, exist_ok=True)
            name = f"{row.id}{Path(str(row.path)).suffix}"
            (path / name).write_bytes(members.read(str(row.path)))
