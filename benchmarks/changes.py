"""Part changes: what makes the climb fast, each change measured beside its prediction."""

from dataclasses import asdict, dataclass
from typing import Any

from tqdm import tqdm

from benchmarks import spread
from benchmarks.plan import Plan
from benchmarks.processes import Worker


@dataclass(frozen=True)
class Way:
    """How a rung's network trains, or predicts where it does not train."""

    rung: str
    fed: str
    batch_size: int
    precision: str = "auto"
    trains: bool = True


@dataclass(frozen=True)
class Change:
    """What was changed, from which way to which."""

    title: str
    before: Way
    after: Way


CHANGES = {
    "bfloat16": Change(
        "rung 2 trains in bfloat16, not in float32",
        Way("scratch_augmented", "images", 32, "float32"),
        Way("scratch_augmented", "images", 32, "bfloat16"),
    ),
    "activations": Change(
        "rung 5 trains on stored activations, not through all layers",
        Way("fine_tuned", "images", 100),
        Way("fine_tuned", "activations", 100),
    ),
    "features": Change(
        "rung 4 trains on stored features, not through all layers",
        Way("features_augmented", "images", 100),
        Way("features_augmented", "features", 100),
    ),
    "batches": Change(
        "rung 4's batches are of 100, not of the book's 20",
        Way("features_augmented", "features", 20),
        Way("features_augmented", "features", 100),
    ),
    "predictions": Change(
        "rung 5 predicts from stored activations, not from pixels",
        Way("fine_tuned", "images", 100, trains=False),
        Way("fine_tuned", "activations", 100, trains=False),
    ),
}


def measure(plan: Plan) -> dict[str, Any]:
    """Returns every change's rates before and after, which take turns, and the ratios.

    A repetition measures the machine's rates too, from which its prediction is made.
    """
    found = {}
    with tqdm(
        desc="changes",
        total=len(CHANGES) * plan.change_repetitions,
        unit="repetition",
        disable=None,
    ) as bar:
        for name, change in CHANGES.items():
            before, after = request(plan, change.before), request(plan, change.after)
            with Worker("steps", before) as one, Worker("steps", after) as other:
                workers = (one, other)
                told, turns = [worker.receive() for worker in workers], []
                for _ in range(plan.change_repetitions):
                    turns.append([worker.ask() for worker in workers])
                    bar.update()
            found[name] = {"title": change.title, **summary(change, told, turns)}
    return {"image_size": plan.image_size, "changes": found}


def request(plan: Plan, way: Way) -> dict[str, Any]:
    """Returns what the worker `steps` is asked for."""
    return {
        **asdict(way),
        "image_size": plan.image_size,
        "seconds": plan.change_seconds,
        "rate_seconds": plan.rate_seconds,
        "matrix_size": plan.matrix_sizes[-2],  # the largest takes long
        "copied_bytes": plan.copied_bytes,
    }


def summary(
    change: Change, told: list[dict[str, Any]], turns: list[list[dict[str, float]]]
) -> dict[str, Any]:
    """Returns both ways' rates, and the ratios measured and predicted, of the same turns."""
    ways = {"before": change.before, "after": change.after}
    rates = [[answer["pictures_per_second"] for answer in answers] for answers in turns]
    times = [
        [predicted_seconds(*one) for one in zip(ways.values(), told, answers, strict=True)]
        for answers in turns
    ]
    return {
        **{
            name: {**asdict(way), **about, "pictures_per_second": spread.record(values)}
            for (name, way), about, values in zip(
                ways.items(), told, zip(*rates, strict=True), strict=True
            )
        },
        "measured": spread.record([after / before for before, after in rates]),
        "predicted": spread.record([before / after for before, after in times]),
    }


def predicted_seconds(way: Way, told: dict[str, Any], rates: dict[str, float]) -> float:
    """Returns the seconds of a picture if nothing but two things took time.

    They are its arithmetic, at the rate of matrices, and the passes over the weights that are
    trained, at the rate of copies.
    """
    passes = told["bytes_per_step"] / way.batch_size
    return float(told["flops_per_picture"] / rates["flops"] + passes / rates["bytes"])
