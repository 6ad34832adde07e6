"""Part extraction: pictures/s of a base's forward pass, in this pipeline and other frameworks."""

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
from benchmarks.processes import ROOT, Worker, WorkerError, without_paths
from benchmarks.workers.networks import NETWORKS

PEERS = ROOT / ".venv-peers/bin/python"  # `make bench` makes it from peers.txt
REFERENCE = "keras_float32"
# The deviation from the reference above which a contestant computes something else.
MOST_DEVIATION = {"float32": 1e-3, "bfloat16": 0.1}


@dataclass(frozen=True)
class Contestant:
    """A way to get from pixels to features: a worker's module and its request."""

    title: str
    module: str
    request: dict[str, Any]


CONTESTANTS = {
    name: Contestant(title, "keras_extraction", {"precision": precision, "disk": disk})
    for name, title, precision, disk in (
        (REFERENCE, "Keras, float32", "float32", False),
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
    """Returns every contestant's rate with every base, one base after the other."""
    return {
        "batch_size": plan.batch_size,
        "bases": {base: measure_base(base, plan) for base in NETWORKS},
    }


def measure_base(base: str, plan: Plan) -> dict[str, Any]:
    """Returns every contestant's rate. They take turns, so that noise meets all of them.

    All have the same architecture, weights and pictures. All start from uint8 pixels in memory and
    end with float32 features there; the pipeline's end on its disk, as float16. A contestant that
    cannot run, or computes something else, has an `error`.
    """
    image_size = plan.image_size or NETWORKS[base].image_size
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with ExitStack() as stack:
            workers, contestants = start_all(base, image_size, plan, folder, stack)
            answers, failures = take_turns(workers, plan.extraction_repetitions)
        for key, message in failures.items():
            contestants[key]["error"] = message
        for key, repetitions in answers.items():
            rates = [repetition["pictures_per_second"] for repetition in repetitions]
            contestants[key]["pictures_per_second"] = spread.record(rates)
            contestants[key]["pictures"] = repetitions[0]["pictures"]
            contestants[key]["peak_bytes"] = workers[key].peak_bytes
        reference = folder / f"{REFERENCE}.npy"
        for key in answers if reference.exists() else ():
            features = np.load(folder / f"{key}.npy")
            contestants[key] |= compared(features, np.load(reference), contestants[key])
    return {"image_size": image_size, "contestants": contestants}


def start_all(
    base: str, image_size: int, plan: Plan, folder: Path, stack: ExitStack
) -> tuple[dict[str, Worker], dict[str, dict[str, Any]]]:
    """Starts the contestants. Returns those that run, and the details or the error of each."""
    workers: dict[str, Worker] = {}
    contestants: dict[str, dict[str, Any]] = {}
    task: dict[str, Any] = {"base": base, "image_size": image_size, "batch_size": plan.batch_size}
    task |= {"seconds": plan.extraction_seconds, "most_batches": plan.most_batches}
    for key in tqdm(CONTESTANTS, f"{base}: start", unit="contestant", disable=None):
        contestant = CONTESTANTS[key]
        contestants[key] = {"title": contestant.title}
        python = PEERS if contestant.module == "peer_extraction" else Path(sys.executable)
        request = contestant.request | task | {"features": str(folder / f"{key}.npy")}
        try:
            if not python.exists():
                raise WorkerError("no environment .venv-peers, which `make bench` makes")
            worker = stack.enter_context(Worker(contestant.module, request, str(python)))
            details = worker.receive()
            if details["parameters"] != NETWORKS[base].parameters:
                raise WorkerError(
                    f"{details['parameters']:,} parameters, not {NETWORKS[base].parameters:,}"
                )
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


def compared(
    features: NDArray[Any], reference: NDArray[Any], contestant: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns the `deviation` of a contestant's features, and an `error` where it is too large."""
    if features.shape != reference.shape:
        return {"error": f"features of shape {features.shape}, not {reference.shape}"}
    difference = deviation(features, reference)
    most = MOST_DEVIATION.get(contestant["arithmetic"], min(MOST_DEVIATION.values()))
    if difference > most:
        return {"error": f"features differ by {100 * difference:.2f} %, more than {100 * most:g} %"}
    return {"deviation": difference}


def deviation(values: NDArray[Any], reference: NDArray[Any]) -> float:
    """Returns the length of the difference, as a share of the reference's."""
    difference = values.astype(np.float64) - reference
    return float(np.linalg.norm(difference) / np.linalg.norm(reference.astype(np.float64)))
