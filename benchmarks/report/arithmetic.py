"""What the ladder computes, and how long that takes at the rate of the best matrix product."""

from dataclasses import dataclass
from typing import Any

from benchmarks import matrix, results, spread
from benchmarks.report.tables import table, text, title
from benchmarks.spread import Spread

OPERATIONS = 2  # of a multiplication with its addition
COUNTED = (
    "This ladder computed in {precision}. Convolutions and dense layers are counted, in the epochs "
    "that were run and in their validations. In training, a kernel costs as much again for its own "
    "gradient, and once more for the gradient of its input where something before it trains. "
    "Stages that look into networks are not counted, but their seconds are in the whole ladder.\n"
)


def matrix_products(part: dict[str, Any]) -> str:
    """Returns the rates of matrix products by precision and size."""
    by_precision: dict[str, Any] = part["gigaflops"]
    lines = [
        (size, *(text(spread.read(sizes[size])) for sizes in by_precision.values()))
        for size in next(iter(by_precision.values()))
    ]
    header = ("rows and columns", *(f"{precision}, GFLOP/s" for precision in by_precision))
    best, own = matrix.best(part), matrix.best(part, part["pipeline_precision"])
    note = (
        f"The best rate is {text(best.gigaflops)} GFLOP/s, in {best.precision} with {best.size} "
        f"rows and columns. This pipeline chooses {own.precision}; there the best is "
        f"{text(own.gigaflops)} GFLOP/s. A multiplication and an addition are two operations.\n"
    )
    heading = f"## Products of two square matrices in TensorFlow, {part['threads']} threads\n"
    return "\n".join([heading, table(header, lines), note])


@dataclass(frozen=True)
class Row:
    """What a stage computes; the seconds at the best rate and as measured, and their ratio."""

    name: str
    multiply_adds: int
    at_best_rate: Spread
    measured: Spread
    ratio: Spread


def rows(measured: results.Results, base: str) -> list[Row]:
    """Returns a row for every stage that computes networks, and the total: the whole ladder.

    No row without the part `matrix`, or where the arithmetic could not be counted.
    """
    parts, climbed = results.by_part(measured), results.ladders(measured)
    counted = climbed[base]["arithmetic"]
    if "matrix" not in parts or "error" in counted:
        return []
    rate = matrix.best(parts["matrix"]).gigaflops
    seconds = {
        stage: spread.read(recorded["seconds"])
        for ladder in (*climbed.values(), climbed[base])  # stages that it shares, then its own
        for stage, recorded in ladder["stages"].items()
    }
    seconds["total"] = spread.read(climbed[base]["total_seconds"])
    amounts = {stage: n for stage, n in counted["multiply_adds"].items() if n}
    amounts["total"] = sum(amounts.values())
    found = []
    for name, multiply_adds in amounts.items():
        at_best_rate = spread.duration(OPERATIONS * multiply_adds / 1e9, rate)
        ratio = spread.ratio(seconds[name], at_best_rate)
        found.append(Row(name, multiply_adds, at_best_rate, seconds[name], ratio))
    return found


def ratio_of_whole(measured: results.Results, base: str) -> Spread | None:
    """Returns the seconds of the whole ladder by those of its arithmetic at the best rate."""
    found = rows(measured, base)
    return found[-1].ratio if found else None


def of_ladder(measured: results.Results, base: str) -> str:
    """Returns the arithmetic of a ladder by stage, and the seconds that it takes at best."""
    part = results.ladders(measured)[base]
    heading = f"## Arithmetic of the ladder, {title(base, part['image_size'])}\n"
    if "error" in part["arithmetic"]:
        return "\n".join([heading, f"Not counted: {part['arithmetic']['error']}\n"])
    lines = [
        (
            row.name,
            f"{row.multiply_adds / 1e9:,.1f}",
            text(row.at_best_rate),
            text(row.measured),
            text(row.ratio, 2),
        )
        for row in rows(measured, base)
    ]
    header = ["stage", "10⁹ multiply-adds", "seconds at the best matrix rate"]
    header += ["seconds measured", "ratio"]
    note = COUNTED.format(precision=part["arithmetic"]["precision"])
    return "\n".join([heading, table(header, lines), note]) if lines else ""
