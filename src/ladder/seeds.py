"""The same ladder climbed with several seeds: every value is kept, none is picked."""

import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from ruamel.yaml import YAML
from tqdm import tqdm

from ladder import artifacts, climbs, errors, paths, settings, studies, tracking

# What comes after the predictions, or beside them, and what it takes from params.yaml.
AFTER = {"audit", "evaluate", "interpret", "interpret_base", "render"}
NOT_OF_PREDICTIONS = {"seed", "audit", "interpretation"}


def main() -> None:
    """Climbs with the seeds 0 … N-1; a seed climbed before counts, and is not climbed again.

    That is one whose predictions the study holds already, from the same code and params, on
    whatever machine; or one in DVC's run cache. Writes, after every seed, into `studies/`:
    `seeds_predictions.csv` (all predictions of all climbs), `seeds_climbs.csv` (of what code and
    params, on what machine), `seeds.csv` (every climb's accuracies), `seeds_summary.csv` (their
    means with intervals) and `seeds_params.yaml` (what the last one was climbed with).
    """
    parser = climbs.arguments("Climbs with the seeds 0 … N-1.")
    parser.add_argument("--count", type=int, required=True, help="how many seeds")
    given = parser.parse_args()
    if given.count < 2:
        raise errors.InputError(
            "N", expected="at least 2 seeds", received=given.count, advice="Use make seeds N=5."
        )
    plan = climbs.plan(given.archive, given.recipe)
    made = plan.reports / "studies"
    digest = digest_of(Path.cwd(), plan.overrides)
    predictions, climbed = known(made, digest)
    for seed in tqdm(sorted({*range(given.count)} - {*climbed["seed"]}), "seeds", disable=None):
        commit = climbs.climb(f"{plan.name}-seed-{seed}", [*plan.overrides, f"seed={seed}"])
        machine = pd.DataFrame(
            [{"seed": seed, "digest": digest, **machine_of(commit, plan.source)}]
        )
        climbed = pd.concat([climbed, machine]).sort_values("seed")
        predictions = pd.concat([predictions, *predicted(commit, plan.source, seed)])
        predictions = predictions.sort_values("seed", kind="stable", ignore_index=True)
        write(made, predictions, climbed)
        climbed_with = climbs.show(commit, settings.PARAMS).decode()
        artifacts.write_text(made / "seeds_params.yaml", climbed_with)
    track(plan, studies.values(predictions, ["rung"]))
    summary = studies.summary(predictions, ["rung"], seed=0)
    print(summary.to_string(index=False, float_format="{:.4f}".format))


def track(plan: climbs.Plan, every: pd.DataFrame) -> None:
    """Makes the seeds' MLflow runs of a rung children of one run; `every` is `studies.values`."""
    for rung in paths.RUNGS:
        measured: dict[int, dict[str, float]] = {}
        for row in every[every["rung"] == rung].to_dict("records"):
            name = f"{row['subset']}_accuracy"
            measured.setdefault(int(row["seed"]), {})[name] = float(row["accuracy"])
        tracking.group(plan.source, f"{plan.name} seeds", rung, measured)


def digest_of(project: Path, overrides: Sequence[str]) -> str:
    """Returns a hash of what predictions come from, but for the seed: code and params.

    The pictures are among the params, by their source, counts and archive's hash.
    """
    yaml = YAML(typ="safe", pure=True)
    params = yaml.load(project / settings.PARAMS)
    climbs.change(params, climbs.values(overrides))
    kept = {key: value for key, value in params.items() if key not in NOT_OF_PREDICTIONS}
    stages = yaml.load(project / "dvc.yaml")["stages"]
    code = {
        dep
        for name, stage in stages.items()
        for dep in stage.get("do", stage)["deps"]
        if name not in AFTER and dep.endswith(".py")
    }
    hashes = {dep: artifacts.sha256(project / dep) for dep in sorted(code)}
    return hashlib.sha256(json.dumps([kept, hashes], sort_keys=True).encode()).hexdigest()


def known(made: Path, digest: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns predictions and climbs of the study's seeds that have this digest."""
    files = made / "seeds_predictions.csv", made / "seeds_climbs.csv"
    if not all(path.is_file() for path in files):
        return pd.DataFrame(), pd.DataFrame({"seed": []})
    predictions, climbed = (pd.read_csv(path) for path in files)
    same = climbed[climbed["digest"] == digest]
    if others := len(climbed) - len(same):
        print(f"ladder: {others} seeds of {made} are of other code or params, and give way")
    return predictions[predictions["seed"].isin(same["seed"])], same


def predicted(commit: str, source: str, seed: int) -> list[pd.DataFrame]:
    """Returns the predictions of a climb, rung by rung."""
    folder = paths.DatasetPaths(source).reports / "predictions"
    return [
        pd.read_csv(io.BytesIO(climbs.show(commit, folder / f"{rung}.csv"))).assign(
            rung=rung, seed=seed
        )
        for rung in paths.RUNGS
    ]


def machine_of(commit: str, source: str) -> dict[str, Any]:
    """Returns what kind of machine trained a climb's last rung."""
    path = paths.DatasetPaths(source).reports / "runtime.json"
    machine: dict[str, Any] = json.loads(climbs.show(commit, path))["fine_tuned"]
    return machine


def write(made: Path, predictions: pd.DataFrame, climbed: pd.DataFrame) -> None:
    """Writes the study's tables."""
    for name, frame in (
        ("seeds_predictions", predictions),
        ("seeds_climbs", climbed),
        ("seeds", studies.values(predictions, ["rung"])),
        ("seeds_summary", studies.summary(predictions, ["rung"], seed=0)),
    ):
        artifacts.write_csv(made / f"{name}.csv", frame)


if __name__ == "__main__":
    errors.run(main)
