"""Part limits: the machine's matrix rate and memory rate, and what VGG16 asks of them."""

from typing import Any

from tqdm import tqdm

from benchmarks import spread
from benchmarks.plan import Plan
from benchmarks.processes import Worker

RATES = ("bfloat16", "float32", "memory")


def measure(plan: Plan) -> dict[str, Any]:
    """Returns operations and bytes per second, and what VGG16 takes of both for one picture."""
    request = {
        "image_size": plan.image_size,
        "sizes": plan.matrix_sizes,
        "copied_bytes": plan.copied_bytes,
        "seconds": 4.0,
    }
    with Worker("rates", request) as worker:
        told = worker.receive()
        bar = tqdm(range(plan.limit_repetitions), "limits", unit="repetition", disable=None)
        repetitions = [worker.ask() for _ in bar]
    return {
        **told,
        "image_size": plan.image_size,
        "per_second": {name: spread.record([r[name] for r in repetitions]) for name in RATES},
    }


def pictures_per_second(limits: dict[str, Any], precision: str) -> float:
    """Returns the rate at which VGG16 would run at the best matrix rate measured."""
    best, flops = limits["per_second"][precision]["high"], limits["flops_per_picture"]
    return float(best / flops)


def memory_pictures_per_second(limits: dict[str, Any], bytes_per_value: int) -> float:
    """Returns the rate if nothing but reading and writing the layers' activations took time."""
    best, values = limits["per_second"]["memory"]["high"], limits["activation_values_per_picture"]
    return float(best / (bytes_per_value * values))
