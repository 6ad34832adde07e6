"""Part limits: the machine's matrix rate and memory rate, what VGG16 asks of them, and views."""

from typing import Any

from tqdm import tqdm

from benchmarks import spread
from benchmarks.plan import Plan
from benchmarks.processes import Worker

RATES = ("bfloat16", "float32", "memory", "views")


def request(plan: Plan) -> dict[str, Any]:
    """Returns what the worker `rates` is asked for."""
    return {
        "image_size": plan.image_size,
        "sizes": plan.matrix_sizes,
        "copied_bytes": plan.copied_bytes,
        "seconds": plan.rate_seconds,
        "most_seconds": 4.0,
    }


def measure(plan: Plan) -> dict[str, Any]:
    """Returns operations, bytes and views per second, and what VGG16 takes for one picture."""
    with Worker("rates", request(plan)) as worker:
        told = worker.receive()
        bar = tqdm(range(plan.limit_repetitions), "limits", unit="repetition", disable=None)
        repetitions = [worker.ask() for _ in bar]
    return summary(told, repetitions)


def summary(told: dict[str, Any], repetitions: list[dict[str, float]]) -> dict[str, Any]:
    """Returns what the worker told of itself with the spread of every rate."""
    rates = {name: spread.record([r[name] for r in repetitions]) for name in RATES}
    return {**told, "per_second": rates}


def pictures_per_second(limits: dict[str, Any], precision: str) -> float:
    """Returns the rate at which VGG16 would run at the best matrix rate measured."""
    best, flops = limits["per_second"][precision]["high"], limits["flops_per_picture"]
    return float(best / flops)


def memory_pictures_per_second(limits: dict[str, Any], bytes_per_value: int) -> float:
    """Returns the rate if nothing but reading and writing the layers' activations took time."""
    best, values = limits["per_second"]["memory"]["high"], limits["activation_values_per_picture"]
    return float(best / (bytes_per_value * values))
