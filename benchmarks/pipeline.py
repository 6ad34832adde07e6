"""Part pipeline: every stage of this project on its own, in a fresh clone, run by DVC."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tqdm import tqdm

from benchmarks import clone as clones
from benchmarks import processes, spread
from benchmarks.clone import Clone
from benchmarks.plan import Plan
from ladder import errors, rungs

# The stages that a rung adds to the climb. The other stages serve all rungs.
RUNG_STAGES: dict[rungs.Rung, tuple[str, ...]] = {
    "scratch": ("train_scratch",),
    "scratch_augmented": ("train_scratch_augmented",),
    "features": ("extract_features", "train_head"),
    "features_augmented": ("extract_views", "train_end_to_end"),
    "fine_tuned": ("fine_tune",),
}
WITHOUT_BASE: tuple[rungs.Rung, ...] = ("scratch", "scratch_augmented")
ON_BASE = tuple(rung for rung in rungs.RUNGS if rung not in WITHOUT_BASE)
# The stages whose work is the same for every base. A second ladder takes them from the first.
SHARED_STAGES = (
    "download",
    "split",
    *(stage for rung in WITHOUT_BASE for stage in RUNG_STAGES[rung]),
    *(f"{act}@{rung}" for act in ("predict", "interpret") for rung in WITHOUT_BASE),
)

OTHER_BASE = "efficientnet_lite0"  # of the second ladder; the recipe of this name has it

Seconds = dict[str, list[float]]  # by stage, one value a climb


def measure(plan: Plan, clone: Clone) -> dict[str, Any]:
    """Returns what the ladder costs with the base of params.yaml, and with another one.

    A stage's seconds include the start of DVC and of Python, so the total is more than one
    `dvc repro` takes. A local archive is copied, not downloaded. The second ladder has an `error`
    where its base cannot take the other parameters.
    """
    params = clone.params
    names = stages_run(clone.dvc("repro", "--dry", "--force").output)
    first, peaks = climb(plan, clone, names)
    ladders = {params.base.name: ladder(first, peaks, {}, clone)}
    if params.base.name != OTHER_BASE:
        try:
            clone.override(clones.lines(processes.ROOT / f"recipes/{OTHER_BASE}.txt"))
        except errors.InputError as error:
            message = str(error).replace(f"{clone.folder}/", "")
            ladders[OTHER_BASE] = {"error": message}
        else:
            names = [name for name in names if name not in SHARED_STAGES]
            second, peaks = climb(plan, clone, names)
            ladders[OTHER_BASE] = ladder(second, peaks, first, clone)
    return {
        "dataset": params.dataset.name,
        "image_size": params.image_size,
        "split": params.split.counts,
        "downloaded": params.dataset.sha256 is None,
        "bases": ladders,
    }


def climb(plan: Plan, clone: Clone, names: Sequence[str]) -> tuple[Seconds, dict[str, int]]:
    """Runs these stages and returns their seconds, and the highest peak memory of each.

    Raises:
        RuntimeError: DVC ran another stage or none, so something else was timed.
    """
    seconds: Seconds = {name: [] for name in names}
    peaks = dict.fromkeys(names, 0)
    for name in tqdm([*names] * plan.climbs, "pipeline", unit="stage", disable=None):
        finished = clone.dvc("repro", "--force", "--single-item", name)
        if stages_run(finished.output) != [name]:
            raise RuntimeError(f"DVC did not run {name}. Its output:\n{finished.output[-3000:]}")
        seconds[name].append(finished.seconds)
        peaks[name] = max(peaks[name], finished.peak_bytes)
    return seconds, peaks


def stages_run(output: str) -> list[str]:
    """Returns the stages that DVC ran, or with `--dry` would run, in order."""
    return re.findall(r"^Running stage '(.+?)'", output, re.MULTILINE)


def ladder(
    seconds: Seconds, peaks: Mapping[str, int], first: Seconds, clone: Clone
) -> dict[str, Any]:
    """Returns seconds and peak memory by stage and rung, and the arithmetic of the last climb.

    The total has the stages of the `first` ladder that this one did not run again.
    """
    params = clone.params
    measured = {
        rung: [seconds[stage] for stage in stages]
        for rung, stages in RUNG_STAGES.items()
        if seconds.keys() >= {*stages}
    }
    return {
        "image_size": params.base.pictures_size(params.image_size),
        "stages": {
            name: {"seconds": spread.record(seconds[name]), "peak_bytes": peaks[name]}
            for name in seconds
        },
        "rungs": {rung: sums(rows) for rung, rows in measured.items()},
        "on_base_seconds": sums(row for rung in ON_BASE for row in measured[rung]),
        "total_seconds": sums({**first, **seconds}.values()),
        "arithmetic": arithmetic(clone),
    }


def arithmetic(clone: Clone) -> dict[str, Any]:
    """Returns the multiply-adds of the clone's climb by stage, or the `error` that prevents it."""
    request = {"folder": str(clone.folder)}
    try:
        with processes.Worker("climb_arithmetic", request) as worker:
            return worker.receive()
    except processes.WorkerError as error:
        return {"error": processes.without_paths(error)}


def sums(rows: Iterable[list[float]]) -> dict[str, Any]:
    """Returns the recorded spread of each climb's sum."""
    return spread.record([sum(column) for column in zip(*rows, strict=True)])
