"""Part pipeline: every stage of this project on its own, in a fresh clone, as DVC runs it."""

import re
from typing import Any

import pandas as pd
from tqdm import tqdm

from benchmarks import spread
from benchmarks.clone import Clone
from benchmarks.plan import Plan
from benchmarks.processes import Finished
from ladder import climbs, paths, rungs, settings

# What a rung adds to the climb; the other stages serve all rungs.
RUNG_STAGES: dict[rungs.Rung, tuple[str, ...]] = {
    "scratch": ("train_scratch",),
    "scratch_augmented": ("train_scratch_augmented",),
    "features": ("extract_features", "train_head"),
    "features_augmented": ("extract_views", "train_end_to_end"),
    "fine_tuned": ("fine_tune",),
}


def stages_run(output: str) -> list[str]:
    """Returns the stages that DVC says it ran, or with `--dry` would run, in order."""
    return re.findall(r"^Running stage '(.+?)'", output, re.MULTILINE)


def measure(plan: Plan, clone: Clone) -> dict[str, Any]:
    """Returns seconds and peak memory of every stage, of nothing to do, and of a changed rate.

    A stage's seconds hold the start of DVC and of Python; so the total is more than one
    `dvc repro` takes. The archive, where one is given, is copied and not downloaded.
    """
    names = stages_run(clone.dvc("repro", "--dry", "--force").output)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    peaks = dict.fromkeys(names, 0)
    bar = tqdm(names * plan.climbs, "pipeline", unit="stage", disable=None)
    for name in bar:
        bar.set_postfix_str(name)
        done = clone.dvc("repro", "--force", "--single-item", name)
        check(done, {name}, only=True)
        seconds[name].append(done.seconds)
        peaks[name] = max(peaks[name], done.peak_bytes)
    unchanged, changed = repeats(plan, clone)
    params = clone.params
    totals = [sum(values) for values in zip(*seconds.values(), strict=True)]
    return {
        "dataset": params.dataset.source,
        "image_size": params.image_size,
        "split": params.split.model_dump(),
        "downloaded": params.dataset.archive_sha256 is None,
        "stages": {
            name: {"seconds": spread.record(seconds[name]), "peak_bytes": peaks[name]}
            for name in names
        },
        "rungs": {
            rung: spread.record([sum(c) for c in zip(*(seconds[s] for s in stages), strict=True)])
            for rung, stages in RUNG_STAGES.items()
        },
        "total_seconds": spread.record(totals),
        "nothing_to_do_seconds": spread.record(unchanged),
        "changed_rate_seconds": spread.record(changed),
        "accuracies": accuracies(clone),
    }


def repeats(plan: Plan, clone: Clone) -> tuple[list[float], list[float]]:
    """Returns the seconds of `dvc repro` with nothing to do, and after a change of a rate.

    The rate is another one every time, so that nothing comes from DVC's run cache.
    """
    unchanged, changed = [], []
    rate = clone.params.train_head.learning_rate
    for repetition in tqdm(range(plan.repeats), "pipeline again", unit="repro", disable=None):
        done = clone.dvc("repro")
        check(done, set(), only=True)
        unchanged.append(done.seconds)
        another = {"train_head.learning_rate": rate * (1 + 0.01 * (repetition + 1))}
        climbs.override(clone.folder / settings.PARAMS, another)
        done = clone.dvc("repro", "evaluate")
        check(done, {"train_head", "evaluate"}, only=False)
        changed.append(done.seconds)
        climbs.override(clone.folder / settings.PARAMS, {"train_head.learning_rate": rate})
        clone.dvc("repro")
    return unchanged, changed


def check(done: Finished, expected: set[str], only: bool) -> None:
    """Checks that DVC ran these stages (`only`: and no other): else another thing was timed.

    Raises:
        RuntimeError: it did not.
    """
    ran = set(stages_run(done.output))
    if not expected <= ran or (only and ran != expected):
        raise RuntimeError(f"expected DVC to run {expected}. It said:\n{done.output[-3000:]}")


def accuracies(clone: Clone) -> dict[str, dict[str, float | None]]:
    """Returns what the rungs of the last climb are worth, and the book's claim where it applies."""
    reports = paths.DatasetPaths(clone.params.dataset.source).reports
    ladder = pd.read_csv(clone.folder / reports / "ladder.csv")
    names = ["validation_accuracy", "test_accuracy", "book"]
    return {
        str(row["rung"]): {name: None if pd.isna(row[name]) else row[name] for name in names}
        for row in ladder.to_dict("records")
    }
