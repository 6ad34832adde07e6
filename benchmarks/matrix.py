"""Part matrix: the rate of this machine's best matrix product, as a measure for networks."""

from dataclasses import dataclass
from typing import Any

from tqdm import tqdm

from benchmarks import spread
from benchmarks.plan import Plan
from benchmarks.processes import Worker
from benchmarks.spread import Spread


@dataclass(frozen=True)
class Product:
    """A product of two square matrices of `size` rows, and its rate, GFLOP/s."""

    precision: str
    size: str
    gigaflops: Spread


def measure(plan: Plan) -> dict[str, Any]:
    """Returns GFLOP/s by precision and size; precisions and sizes take turns."""
    request = {"sizes": plan.matrix_sizes, "seconds": plan.matrix_seconds}
    with Worker("matrix_product", request) as worker:
        details = worker.receive()
        turns = range(plan.matrix_repetitions)
        bar = tqdm(turns, "matrix products", unit="repetition", disable=None)
        answers = [worker.ask() for _ in bar]
    gigaflops = {
        precision: {
            size: spread.record([answer[precision][size] for answer in answers]) for size in sizes
        }
        for precision, sizes in answers[0].items()
    }
    return {**details, "gigaflops": gigaflops}


def best(part: dict[str, Any], precision: str = "") -> Product:
    """Returns the product with the highest median, in one precision or in any."""
    products = [
        Product(of_sizes, size, spread.read(recorded))
        for of_sizes, sizes in part["gigaflops"].items()
        for size, recorded in sizes.items()
        if precision in ("", of_sizes)
    ]
    return max(products, key=lambda product: product.gigaflops.median)
