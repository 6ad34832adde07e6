"""The same ladder climbed with several seeds: every value is kept, none is picked."""

import io

import pandas as pd
from tqdm import tqdm

from ladder import artifacts, climbs, errors, paths, settings, studies, tracking


def main() -> None:
    """Climbs with the seeds 0 … N-1; a seed climbed before comes from the run cache, and counts.

    Writes `studies/seeds_predictions.csv` (all predictions of all climbs), `studies/seeds.csv`
    (every climb's accuracies), `studies/seeds_summary.csv` (their means with intervals) and
    `studies/seeds_params.yaml` (what the last one was climbed with).
    """
    parser = climbs.arguments("Climbs with the seeds 0 … N-1.")
    parser.add_argument("--count", type=int, required=True, help="how many seeds")
    given = parser.parse_args()
    if given.count < 2:
        raise errors.InputError(
            "N", expected="at least 2 seeds", received=given.count, advice="Use make seeds N=5."
        )
    plan = climbs.plan(given.archive, given.recipe)
    folder = paths.DatasetPaths(plan.source).reports / "predictions"
    parts = []
    for seed in tqdm(range(given.count), "seeds", disable=None):
        commit = climbs.climb(f"{plan.name}-seed-{seed}", [*plan.overrides, f"seed={seed}"])
        for rung in paths.RUNGS:
            content = io.BytesIO(climbs.show(commit, folder / f"{rung}.csv"))
            parts.append(pd.read_csv(content).assign(rung=rung, seed=seed))
    predictions = pd.concat(parts, ignore_index=True)
    every = studies.values(predictions, ["rung"])
    summary = studies.summary(predictions, ["rung"], seed=0)
    for name, frame in (
        ("seeds_predictions", predictions),
        ("seeds", every),
        ("seeds_summary", summary),
    ):
        artifacts.write_csv(plan.reports / f"studies/{name}.csv", frame)
    climbed_with = climbs.show(commit, settings.PARAMS).decode()
    artifacts.write_text(plan.reports / "studies/seeds_params.yaml", climbed_with)
    for rung in paths.RUNGS:
        measured: dict[int, dict[str, float]] = {}
        for row in every[every["rung"] == rung].to_dict("records"):
            name = f"{row['subset']}_accuracy"
            measured.setdefault(int(row["seed"]), {})[name] = float(row["accuracy"])
        tracking.group(plan.source, f"{plan.name} seeds", rung, measured)
    print(summary.to_string(index=False, float_format="{:.4f}".format))


if __name__ == "__main__":
    errors.run(main)
