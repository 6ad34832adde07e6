"""The same ladder climbed with several seeds: every value is kept, none is picked."""

import functools
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from tqdm import tqdm

from ladder import artifacts, climbs, errors, paths, provenance, studies, tracking

Results = tuple[pd.DataFrame, pd.DataFrame]  # predictions of seeds; a row per seed


def main() -> None:
    """Climbs with at least the seeds 0 … N-1; one climbed before counts, and is not climbed again.

    That is one of the same code and params, on whatever machine: the ladder in the reports, a
    seed of the study, or a climb in DVC's run cache. Writes, after every seed, into the plan's
    studies: `seeds_predictions.csv` (all predictions of all climbs), `seeds_climbs.csv` (of what
    code and params, on what machine), `seeds.csv` (every climb's accuracies), `seeds_summary.csv`
    (their means with intervals), `seeds_steps.csv` (what every rung brings over the one before) and
    `seeds_params.yaml`; and at the end into the default climb's studies `recipes_seeds.csv`, of the
    recipes that have seeds.

    Raises:
        InputError: code or params were changed meanwhile.
    """
    parser = climbs.arguments("Climbs with the seeds 0 … N-1; those climbed before count.")
    parser.add_argument("--count", type=int, required=True, help="how many seeds, at least")
    given = parser.parse_args()
    if given.count < 2:
        raise errors.InputError(
            "N", expected="at least 2 seeds", received=given.count, advice="Use make seeds N=5."
        )
    plan = climbs.plan(given.archive, given.recipe)
    written = paths.DatasetPaths(plan.source).reports
    params, code = climbs.now(plan.overrides)
    digest = provenance.digest(params, code)
    found = known(plan.reports, plan.studies, digest)
    for seed in tqdm(sorted({*range(given.count)} - {*found[1]["seed"]}), "seeds", disable=None):
        climbs.check_unchanged(plan.overrides, digest)
        overrides = [*plan.overrides, *of_seed(seed, params)]
        commit = climbs.climb(f"{plan.name}-seed-{seed}", overrides)
        one = results(functools.partial(of_climb, commit, written), seed, params, code)
        found = together(found, one)
        write(plan.studies, found, params)  # after every seed, lest one be lost
    summary = write(plan.studies, found, params)
    compare(written)
    track(plan, studies.values(found[0], ["rung"]))
    print(summary.to_string(index=False, float_format="{:.4f}".format))


def of_seed(seed: int, params: Mapping[str, Any]) -> list[str]:
    """Returns the overrides of a seed; where labels are shuffled, each has a deal of its own."""
    shuffled = params["split"]["shuffle_train_labels"]
    return [f"seed={seed}", *([f"split.shuffle_train_labels={seed + 1}"] if shuffled else [])]


def compare(reports: Path) -> None:
    """Writes what the recipes' seeds reach beside those of the default climb, of the same code."""
    default = reports / "studies"
    if not (default / "seeds_params.yaml").is_file():
        return
    others = {
        made.parent.name: pd.read_csv(made.parent / "seeds_predictions.csv")
        for made in sorted(default.glob("*/seeds_params.yaml"))
        if _origin(made.parent) == _origin(default)
    }
    table = default / "recipes_seeds.csv"
    if not others:
        table.unlink(missing_ok=True)  # of recipes that were
        return
    ours = pd.read_csv(default / "seeds_predictions.csv")
    digest = pd.read_csv(default / "seeds_climbs.csv")["digest"].iloc[0]
    beside = studies.differences(ours, others, seed=0)
    artifacts.write_csv(table, beside.assign(digest=digest))


def _origin(made: Path) -> tuple[Any, set[str]]:
    """The pictures, as equal names in two archives need not be equal pictures, and the code."""
    params = yaml.safe_load((made / "seeds_params.yaml").read_text())
    return params.get("dataset"), {*pd.read_csv(made / "seeds_climbs.csv").get("code", [])}


def track(plan: climbs.Plan, every: pd.DataFrame) -> None:
    """Makes the seeds' MLflow runs of a rung children of one run; `every` is `studies.values`."""
    for rung in paths.RUNGS:
        measured: dict[int, dict[str, float]] = {}
        for row in every[every["rung"] == rung].to_dict("records"):
            name = f"{row['subset']}_accuracy"
            measured.setdefault(int(row["seed"]), {})[name] = float(row["accuracy"])
        tracking.group(plan.source, f"{plan.name} seeds", rung, measured)


def known(reports: Path, made: Path, digest: str) -> Results:
    """Returns what is known of seeds with this digest: by a folder of studies, by a ladder's."""
    found = pd.DataFrame(), pd.DataFrame({"seed": pd.Series(dtype=int)})
    files = [made / f"{name}.csv" for name in ("seeds_predictions", "seeds_climbs")]
    if all(path.is_file() for path in files):
        predictions, climbed = (pd.read_csv(path) for path in files)
        same = climbed[climbed["digest"] == digest]
        if len(same):
            found = predictions[predictions["seed"].isin(same["seed"])], same
        if others := len(climbed) - len(same):
            print(f"ladder: other code or params: {others} seeds of {made} give way")
    lock = reports / "climb.lock"
    if not lock.is_file():
        return found
    params, code = provenance.of_lock(lock)
    if provenance.digest(params, code) != digest or params["seed"] in {*found[1]["seed"]}:
        return found
    one = results(lambda name: (reports / name).read_bytes(), params["seed"], params, code)
    return together(found, one)


def of_climb(commit: str, reports: Path, name: str) -> bytes:
    """Returns the content of a file of a climb's reports."""
    return climbs.show(commit, reports / name)


def results(
    read: Callable[[str], bytes], seed: int, params: Mapping[str, Any], code: Mapping[str, str]
) -> Results:
    """Returns a climb's predictions and a row that tells of what and where it was climbed.

    `read` gives the content of a file of its reports. The row's `digest` is of params and code, its
    `code` of the code alone.
    """
    predictions = [
        pd.read_csv(io.BytesIO(read(f"predictions/{rung}.csv"))).assign(rung=rung, seed=seed)
        for rung in paths.RUNGS
    ]
    machine = json.loads(read("runtime.json"))["fine_tuned"]
    told = {"digest": provenance.digest(params, code), "code": provenance.digest({}, code)}
    return pd.concat(predictions), pd.DataFrame([{"seed": seed, **told, **machine}])


def together(some: Results, more: Results) -> Results:
    """Returns both, in the order of their seeds."""
    predictions, climbed = (
        pd.concat(frames).sort_values("seed", kind="stable", ignore_index=True)
        for frames in zip(some, more, strict=True)
    )
    return predictions, climbed


def write(made: Path, found: Results, params: Mapping[str, Any]) -> pd.DataFrame:
    """Writes the study's tables and params, and returns the means with their intervals."""
    predictions, climbed = found
    summary = studies.summary(predictions, ["rung"], seed=0)
    for name, frame in (
        ("seeds_predictions", predictions),
        ("seeds_climbs", climbed),
        ("seeds", studies.values(predictions, ["rung"])),
        ("seeds_summary", summary),
        ("seeds_steps", studies.steps(predictions, seed=0)),
    ):
        artifacts.write_csv(made / f"{name}.csv", frame)
    # PyYAML writes 2.0e-05, a number in YAML 1.1 and 1.2; ruamel.yaml 2e-05, in 1.1 a text.
    text = yaml.safe_dump(dict(params), sort_keys=False)
    artifacts.write_text(made / "seeds_params.yaml", text)
    return summary


if __name__ == "__main__":
    errors.run(main)
