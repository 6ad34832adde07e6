"""Part extraction: pictures/s of VGG16's forward pass, in this pipeline and other frameworks."""

import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks import spread
from benchmarks.plan import Plan
from benchmarks.processes import ROOT, Worker, WorkerError

PEERS = ROOT / ".venv-peers/bin/python"  # `make bench` makes it from peers.txt
PARAMETERS = 14_714_688  # of VGG16 without its top, from the book's summary (DLwP 5.3.1)


@dataclass(frozen=True)
class Contestant:
    """A way to get from pixels to features: a worker's module and its request."""

    title: str
    module: str
    request: dict[str, Any]


CONTESTANTS = {
    name: Contestant(title, "keras_extraction", {"precision": precision, "disk": disk})
    for name, title, precision, disk in (
        ("keras_float32", "Keras, float32", "float32", False),
        ("keras_bfloat16", "Keras, bfloat16", "bfloat16", False),
        ("pipeline", "this pipeline: Keras, its own choice, to disk", "auto", True),
    )
} | {
    f"{framework}_{mode}_{precision}": Contestant(
        f"{title}, {precision}, {mode}",
        "peer_extraction",
        {"framework": framework, "mode": mode, "precision": precision},
    )
    for framework, title, modes in (
        ("torch", "PyTorch", ("eager", "compiled")),
        ("openvino", "OpenVINO", ("latency", "throughput")),
    )
    for mode in modes
    for precision in ("bfloat16", "float32")
}


def measure(plan: Plan) -> dict[str, Any]:
    """Returns every contestant's rate. They take turns, so that noise meets all of them.

    All have the same architecture, weights and pictures. All start from uint8 pixels in memory and
    end with float32 features there; the pipeline's end on its disk, as float16. A contestant that
    cannot run has an `error`.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with ExitStack() as stack:
            workers, contestants = start_all(plan, folder, stack)
            answers, failures = take_turns(workers, plan.extraction_repetitions)
        for key, message in failures.items():
            contestants[key]["error"] = message
        for key, repetitions in answers.items():
            rates = [repetition["pictures_per_second"] for repetition in repetitions]
            contestants[key]["pictures_per_second"] = spread.record(rates)
            contestants[key]["pictures"] = repetitions[0]["pictures"]
            contestants[key]["peak_bytes"] = workers[key].peak_bytes
        reference = folder / "keras_float32.npy"
        for key in answers if reference.exists() else ():
            features = np.load(folder / f"{key}.npy")
            contestants[key]["deviation"] = deviation(features, np.load(reference))
    return {
        "image_size": plan.image_size,
        "batch_size": plan.batch_size,
        "contestants": contestants,
    }


def start_all(
    plan: Plan, folder: Path, stack: ExitStack
) -> tuple[dict[str, Worker], dict[str, dict[str, Any]]]:
    """Starts the contestants. Returns those that run, and the details or the error of each."""
    workers: dict[str, Worker] = {}
    contestants: dict[str, dict[str, Any]] = {}
    amounts: dict[str, Any] = {"image_size": plan.image_size, "batch_size": plan.batch_size}
    amounts |= {"seconds": plan.extraction_seconds, "most_batches": plan.most_batches}
    for key in tqdm(CONTESTANTS, "extraction: start", unit="contestant", disable=None):
        contestant = CONTESTANTS[key]
        contestants[key] = {"title": contestant.title}
        python = PEERS if contestant.module == "peer_extraction" else Path(sys.executable)
        request = contestant.request | amounts | {"features": str(folder / f"{key}.npy")}
        try:
            if not python.exists():
                raise WorkerError("no environment .venv-peers, which `make bench` makes")
            worker = stack.enter_context(Worker(contestant.module, request, str(python)))
            details = worker.receive()
            if details["parameters"] != PARAMETERS:
                raise WorkerError(f"{details['parameters']:,} parameters, not VGG16's")
        except WorkerError as error:
            contestants[key]["error"] = without_paths(error)
            continue
        contestants[key] |= details
        workers[key] = worker
    return workers, contestants


def take_turns(
    workers: Mapping[str, Worker], repetitions: int
) -> tuple[dict[str, list[dict[str, Any]]], dict[str, str]]:
    """Asks all workers in turn, again and again, and returns their answers and their failures.

    A worker that fails is not asked again and has no answers.
    """
    answers: dict[str, list[dict[str, Any]]] = {key: [] for key in workers}
    failures: dict[str, str] = {}
    turns = [key for _ in range(repetitions) for key in workers]
    for key in tqdm(turns, "extraction", unit="repetition", disable=None):
        if key in failures:
            continue
        try:
            answers[key].append(workers[key].ask())
        except WorkerError as error:
            failures[key] = without_paths(error)
            del answers[key]
    return answers, failures


def without_paths(error: WorkerError) -> str:
    """Returns the last line of an error's message, without folders of this machine."""
    last = next(reversed(str(error).strip().splitlines()), "")
    return last.replace(str(ROOT), ".").replace(str(Path.home()), "~")


def deviation(values: NDArray[Any], reference: NDArray[Any]) -> float:
    """Returns the length of the difference, as a share of the reference's."""
    difference = values.astype(np.float64) - reference
    return float(np.linalg.norm(difference) / np.linalg.norm(reference.astype(np.float64)))
