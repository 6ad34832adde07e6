"""Part book_way: what the book's own code would take, timed on some steps and extrapolated."""

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

TRAIN, VALIDATION, TEST = 2000, 1000, 1000  # pictures (DLwP 5.2.2)
STEPS, VALIDATION_STEPS = 100, 50  # of an epoch, with every generator of the chapter


@dataclass(frozen=True)
class Training:
    """How long the book trains a rung."""

    section: str
    epochs: int
    batch_size: int
    augmented: bool


BOOK: dict[rungs.Rung, Training] = {
    "scratch": Training("5.2.4", 30, 20, augmented=False),
    "scratch_augmented": Training("5.2.5", 100, 32, augmented=True),
    "features": Training("5.3.1", 30, 20, augmented=False),
    "features_augmented": Training("5.3.1", 30, 20, augmented=True),
    "fine_tuned": Training("5.3.2", 100, 20, augmented=True),
}


def factors(rung: rungs.Rung, steps: int) -> dict[str, float]:
    """Returns by what each measure is multiplied to give the whole of the book's run.

    An `epoch` measured has `steps` of training and half as many of validation, in the book's
    proportion; that of the head is whole. An `extraction` has `steps` batches.
    """
    training = BOOK[rung]
    if rung == "features":
        batches = (TRAIN + VALIDATION + TEST) / training.batch_size
        return {"extraction": batches / steps, "epoch": training.epochs}
    return {"epoch": training.epochs * STEPS / steps}


def extrapolate(rung: rungs.Rung, steps: int, seconds: dict[str, list[float]]) -> spread.Spread:
    """Returns the seconds of the book's run of a rung from those of its measures' repetitions."""
    parts = [
        spread.Spread.of(seconds[measure]).scaled(factor)
        for measure, factor in factors(rung, steps).items()
    ]
    return spread.total(parts)


def measure(plan: Plan, clone: Clone) -> dict[str, Any]:
    """Returns the extrapolated seconds of every rung, on the pictures that the pipeline takes."""
    params = clone.params
    files = paths.DatasetPaths(params.dataset.source)
    clone.dvc("repro", "split")
    rungs: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_pictures(clone.folder / files.archive, clone.folder / files.manifest, folder)
        repetitions = sum(len(factors(rung, plan.book_steps)) for rung in BOOK)
        with tqdm(
            desc="book's way",
            total=repetitions * plan.book_repetitions,
            unit="repetition",
            disable=None,
        ) as bar:
            for rung in BOOK:
                rungs[rung] = measure_rung(rung, plan, params.image_size, folder, bar)
    return {
        "extrapolated": True,
        "dataset": params.dataset.source,
        "image_size": params.image_size,
        "rungs": rungs,
    }


def measure_rung(
    rung: rungs.Rung, plan: Plan, image_size: int, folder: Path, bar: Any
) -> dict[str, Any]:
    """Returns one rung's repetitions as measured, and its extrapolated seconds."""
    training = BOOK[rung]
    request = {
        "rung": rung,
        "folder": str(folder),
        "image_size": image_size,
        "batch_size": training.batch_size,
        "augmented": training.augmented,
        "steps": plan.book_steps,
        "validation_steps": plan.book_steps * VALIDATION_STEPS // STEPS,
        "repetitions": plan.book_repetitions,
        "train_count": TRAIN,
        "validation_count": VALIDATION,
    }
    seconds: dict[str, list[float]] = {}
    with Worker("book_way", request) as worker:
        for answer in worker:
            seconds.setdefault(answer["measure"], []).append(answer["seconds"])
            bar.update()
    return {
        "epochs": training.epochs,
        "batch_size": training.batch_size,
        "steps_measured": plan.book_steps,
        "measured": {name: spread.record(values) for name, values in seconds.items()},
        "factors": factors(rung, plan.book_steps),
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
