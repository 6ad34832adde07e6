"""Part pipeline: every stage of this project on its own, in a fresh clone, run by DVC."""

import re
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm

from benchmarks import spread
from benchmarks.clone import Clone
from benchmarks.plan import Plan
from ladder import rungs

# The stages that a rung adds to the climb. The other stages serve all rungs.
RUNG_STAGES: dict[rungs.Rung, tuple[str, ...]] = {
    "scratch": ("train_scratch",),
    "scratch_augmented": ("train_scratch_augmented",),
    "features": ("extract_features", "train_head"),
    "features_augmented": ("extract_views", "train_end_to_end"),
    "fine_tuned": ("fine_tune",),
}


def measure(plan: Plan, clone: Clone) -> dict[str, Any]:
    """Returns seconds and peak memory of every stage, and the seconds of every rung.

    A stage's seconds include the start of DVC and of Python, so the total is more than one
    `dvc repro` takes. A local archive is copied, not downloaded.
    """
    seconds, peaks = climb(plan, clone)
    params = clone.params
    return {
        "dataset": params.dataset.name,
        "image_size": params.image_size,
        "split": params.split.counts,
        "downloaded": params.dataset.sha256 is None,
        "stages": {
            name: {"seconds": spread.record(seconds[name]), "peak_bytes": peaks[name]}
            for name in seconds
        },
        "rungs": {
            rung: sums(seconds[name] for name in stages) for rung, stages in RUNG_STAGES.items()
        },
        "total_seconds": sums(seconds.values()),
    }


def climb(plan: Plan, clone: Clone) -> tuple[dict[str, list[float]], dict[str, int]]:
    """Returns the seconds of every stage, one per climb, and its highest peak memory.

    Raises:
        RuntimeError: DVC ran another stage or none, so something else was timed.
    """
    names = stages_run(clone.dvc("repro", "--dry", "--force").output)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    peaks = dict.fromkeys(names, 0)
    for name in tqdm(names * plan.climbs, "pipeline", unit="stage", disable=None):
        finished = clone.dvc("repro", "--force", "--single-item", name)
        if stages_run(finished.output) != [name]:
            raise RuntimeError(f"DVC did not run {name}. Its output:\n{finished.output[-3000:]}")
        seconds[name].append(finished.seconds)
        peaks[name] = max(peaks[name], finished.peak_bytes)
    return seconds, peaks


def stages_run(output: str) -> list[str]:
    """Returns the stages that DVC ran, or with `--dry` would run, in order."""
    return re.findall(r"^Running stage '(.+?)'", output, re.MULTILINE)


def sums(rows: Iterable[list[float]]) -> dict[str, Any]:
    """Returns the recorded spread of each climb's sum."""
    return spread.record([sum(column) for column in zip(*rows, strict=True)])
