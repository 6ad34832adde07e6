"""Part pipeline: every stage of this project on its own, in a fresh clone, run by DVC."""

import re
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm

from benchmarks import spread
from benchmarks.clone import Clone
from benchmarks.plan import Plan
from benchmarks.processes import Finished
from ladder import climbs, paths, settings

# The stages that a rung adds to the climb. The other stages serve all rungs.
RUNG_STAGES: dict[paths.Rung, tuple[str, ...]] = {
    "scratch": ("train_scratch",),
    "scratch_augmented": ("train_scratch_augmented",),
    "features": ("extract_features", "train_head"),
    "features_augmented": ("extract_views", "train_end_to_end"),
    "fine_tuned": ("fine_tune",),
}
RATE = "train_head.learning_rate"


def measure(plan: Plan, clone: Clone) -> dict[str, Any]:
    """Returns seconds and peak memory of every stage, of nothing to do, and of a changed rate.

    Every stage's seconds include the start of DVC and of Python, so the total is more than one
    `dvc repro` takes. A local archive is copied, not downloaded.
    """
    seconds, peaks = climb(plan, clone)
    unchanged, changed = repeat(plan, clone)
    params = clone.params
    return {
        "dataset": params.dataset.source,
        "image_size": params.image_size,
        "split": params.split.model_dump(),
        "downloaded": params.dataset.archive_sha256 is None,
        "stages": {
            name: {"seconds": spread.record(seconds[name]), "peak_bytes": peaks[name]}
            for name in seconds
        },
        "rungs": {
            rung: sums(seconds[name] for name in stages) for rung, stages in RUNG_STAGES.items()
        },
        "total_seconds": sums(seconds.values()),
        "nothing_to_do_seconds": spread.record(unchanged),
        "changed_rate_seconds": spread.record(changed),
    }


def climb(plan: Plan, clone: Clone) -> tuple[dict[str, list[float]], dict[str, int]]:
    """Returns the seconds of every stage, one per climb, and its highest peak memory."""
    names = stages_run(clone.dvc("repro", "--dry", "--force").output)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    peaks = dict.fromkeys(names, 0)
    for name in tqdm(names * plan.climbs, "pipeline", unit="stage", disable=None):
        finished = clone.dvc("repro", "--force", "--single-item", name)
        check(finished, {name}, only=True)
        seconds[name].append(finished.seconds)
        peaks[name] = max(peaks[name], finished.peak_bytes)
    return seconds, peaks


def sums(rows: Iterable[list[float]]) -> dict[str, Any]:
    """Returns the recorded spread of each climb's sum."""
    return spread.record([sum(column) for column in zip(*rows, strict=True)])


def repeat(plan: Plan, clone: Clone) -> tuple[list[float], list[float]]:
    """Returns the seconds of `dvc repro` with nothing to do, and after a change of a rate.

    The rate is another one every time, so that nothing comes from DVC's run cache.
    """
    unchanged, changed = [], []
    rate, params = clone.params.train_head.learning_rate, clone.folder / settings.PARAMS
    for repetition in tqdm(range(plan.repeats), "pipeline again", unit="repro", disable=None):
        finished = clone.dvc("repro")
        check(finished, set(), only=True)
        unchanged.append(finished.seconds)
        climbs.override(params, {RATE: rate * (1 + 0.01 * (repetition + 1))})
        finished = clone.dvc("repro", "evaluate")
        check(finished, {"train_head", "evaluate"}, only=False)
        changed.append(finished.seconds)
        climbs.override(params, {RATE: rate})
        clone.dvc("repro")
    return unchanged, changed


def stages_run(output: str) -> list[str]:
    """Returns the stages that DVC ran, or with `--dry` would run, in order."""
    return re.findall(r"^Running stage '(.+?)'", output, re.MULTILINE)


def check(finished: Finished, expected: set[str], only: bool) -> None:
    """Checks that DVC ran these stages and, with `only`, no other one.

    Raises:
        RuntimeError: it did not, so something else was timed.
    """
    stages = set(stages_run(finished.output))
    if not expected <= stages or (only and stages != expected):
        message = f"expected DVC to run {expected}. Its output:\n{finished.output[-3000:]}"
        raise RuntimeError(message)
