"""Part extraction: pictures/s of VGG16's forward pass, this pipeline beside other frameworks."""

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks import limits, spread
from benchmarks.plan import Plan
from benchmarks.processes import ROOT, Worker, WorkerError

PEERS = ROOT / ".venv-peers/bin/python"  # `make bench` makes it from peers.txt
FEWEST = 3  # repetitions
PARAMETERS = 14_714_688  # of VGG16 without its top, as the book's summary has it (DLwP 5.3.1)


@dataclass(frozen=True)
class Contestant:
    """A way to get from pixels to features."""

    title: str
    module: str
    request: dict[str, Any] = field(default_factory=dict)
    trains: bool = True  # the framework can also train


CONTESTANTS = {
    "keras_float32": Contestant(
        "Keras, float32", "keras_extraction", {"precision": "float32", "disk": False}
    ),
    "keras_bfloat16": Contestant(
        "Keras, bfloat16", "keras_extraction", {"precision": "bfloat16", "disk": False}
    ),
    "pipeline": Contestant(
        "this pipeline: Keras, its own choice, to disk",
        "keras_extraction",
        {"precision": "auto", "disk": True},
    ),
    **{
        f"torch_{mode}_{precision}": Contestant(
            f"PyTorch, {precision}, {mode}",
            "peer_extraction",
            {"framework": "torch", "mode": mode, "precision": precision},
        )
        for mode in ("eager", "compiled")
        for precision in ("bfloat16", "float32")
    },
    **{
        f"openvino_{hint}_{precision}": Contestant(
            f"OpenVINO, {precision}, {hint}",
            "peer_extraction",
            {"framework": "openvino", "hint": hint.upper(), "precision": precision},
            trains=False,
        )
        for hint in ("latency", "throughput")
        for precision in ("bfloat16", "float32")
    },
}


def measure(plan: Plan) -> dict[str, Any]:
    """Returns every contestant's rate; they take turns, so that noise meets all of them.

    The machine's own rates take a turn too, so that a share of them is of the same minutes.

    Same architecture, weights and pictures; all start from uint8 pixels in memory and end with
    float32 features there (the pipeline's on its disk, as float16). One that cannot run says why.
    """
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        workers: dict[str, Worker] = {}
        for key in tqdm(CONTESTANTS, "extraction: start", unit="contestant", disable=None):
            contestant = CONTESTANTS[key]
            found[key] = {"title": contestant.title, "trains": contestant.trains}
            try:
                worker = stack.enter_context(start(key, plan, Path(scratch)))
                found[key] |= worker.receive()
                workers[key] = worker
            except WorkerError as error:
                found[key]["error"] = without_paths(error)
        workers["limits"] = stack.enter_context(Worker("rates", limits.request(plan)))
        told = workers["limits"].receive()
        answers = take_turns(workers, plan.extraction_repetitions, plan.extraction_seconds)
        if "limits" in answers.failed:
            raise WorkerError(f"the machine's rates: {answers.failed['limits']}")
        limit = limits.summary(told, answers.repetitions.pop("limits"))
        for key, reason in answers.failed.items():
            found[key]["error"] = reason
        for key, repetitions in answers.repetitions.items():
            rates = [answer["pictures_per_second"] for answer in repetitions]
            found[key]["pictures_per_second"] = spread.record(rates)
            found[key]["pictures"] = repetitions[0]["pictures"]
        for worker in workers.values():
            worker.close()
        compare(found, Path(scratch))
    for key in answers.repetitions:
        found[key]["peak_bytes"] = workers[key].peak_bytes
    wrong = [key for key, told in found.items() if told.get("parameters", PARAMETERS) != PARAMETERS]
    if wrong:
        raise WorkerError(f"not VGG16's {PARAMETERS:,} parameters: {', '.join(wrong)}")
    return {
        "image_size": plan.image_size,
        "batch_size": plan.batch_size,
        "contestants": found,
        "limits": limit,
    }


def start(key: str, plan: Plan, folder: Path) -> Worker:
    """Starts a contestant in a process of its own.

    Raises:
        WorkerError: its environment is not there.
    """
    contestant = CONTESTANTS[key]
    if contestant.module == "peer_extraction" and not PEERS.exists():
        raise WorkerError("no environment .venv-peers, which `make bench` makes")
    request = {
        **contestant.request,
        "image_size": plan.image_size,
        "batch_size": plan.batch_size,
        "seconds": plan.extraction_seconds,
        "most_batches": plan.most_batches,
        "features": str(folder / f"{key}.npy"),
    }
    if contestant.module == "peer_extraction":
        return Worker(contestant.module, request, str(PEERS))
    return Worker(contestant.module, request)


def without_paths(error: WorkerError) -> str:
    """Returns the last line of what an error says, without folders of this machine."""
    last = next(reversed(str(error).strip().splitlines()), "")
    return last.replace(str(ROOT), ".").replace(str(Path.home()), "~")


@dataclass(frozen=True)
class Answers:
    """What the contestants answered, and what kept some from it."""

    repetitions: dict[str, list[dict[str, Any]]]
    failed: dict[str, str]


def take_turns(workers: dict[str, Worker], repetitions: int, seconds: float) -> Answers:
    """Asks all in turn, again and again; one that fails is not asked again, and has no result.

    One that cannot do a batch in about the `seconds` wanted (bfloat16 where it is emulated) is
    asked `FEWEST` times.
    """
    answers: dict[str, list[dict[str, Any]]] = {key: [] for key in workers}
    failed: dict[str, str] = {}
    bar = tqdm(
        [key for _ in range(repetitions) for key in workers],
        "extraction",
        unit="repetition",
        disable=None,
    )
    for key in bar:
        known = answers[key]
        slow = sum(answer["seconds"] for answer in known) > 4 * repetitions * seconds
        if key in failed or (slow and len(known) >= FEWEST):
            continue
        try:
            known.append(workers[key].ask())
        except WorkerError as error:
            failed[key] = without_paths(error)
    return Answers({key: a for key, a in answers.items() if key not in failed}, failed)


def compare(found: dict[str, dict[str, Any]], folder: Path) -> None:
    """Adds how far each one's features of the same batch are from those of Keras in float32."""
    reference = folder / "keras_float32.npy"
    for key, told in found.items():
        path = folder / f"{key}.npy"
        if reference.exists() and path.exists():
            told["deviation"] = deviation(np.load(path), np.load(reference))


def deviation(values: NDArray[Any], reference: NDArray[Any]) -> float:
    """Returns the length of the difference, as a share of the reference's."""
    difference = values.astype(np.float64) - reference
    return float(np.linalg.norm(difference) / np.linalg.norm(reference.astype(np.float64)))
