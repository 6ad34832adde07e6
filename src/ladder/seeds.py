"""The same ladder climbed with several seeds: every value is kept, none is picked."""

from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from ladder import artifacts, climbs, errors, evaluation, paths, tracking

VALUES = ["validation_accuracy", "test_accuracy", "seconds"]


def main() -> None:
    """Climbs with the seeds 0 … N-1; a seed climbed before comes from the run cache, and counts.

    Writes `studies/seeds.csv` (a row per seed and rung) and `studies/seeds_right.csv` (a row per
    picture, a column per seed and rung, 1 where the prediction is right).
    """
    parser = climbs.arguments("Climbs with the seeds 0 … N-1.")
    parser.add_argument("--count", type=int, required=True, help="how many seeds")
    given = parser.parse_args()
    if given.count < 2:
        raise errors.InputError(
            "N", expected="at least 2 seeds", received=given.count, advice="Use make seeds N=5."
        )
    plan = climbs.plan(given.archive, given.recipe)
    commits = {
        seed: climbs.climb(f"{plan.name}-seed-{seed}", [*plan.overrides, f"seed={seed}"])
        for seed in tqdm(range(given.count), "seeds", disable=None)
    }
    reports = paths.DatasetPaths(plan.source).reports
    values = [
        pd.read_csv(climbs.show(commit, reports / "ladder.csv"))[["rung", *VALUES]].assign(
            seed=seed
        )
        for seed, commit in commits.items()
    ]
    right = [right_answers(commit, reports, seed) for seed, commit in commits.items()]
    frame = pd.concat(values, ignore_index=True)[["seed", "rung", *VALUES]]
    artifacts.write_csv(plan.reports / "studies/seeds.csv", frame)
    artifacts.write_csv(
        plan.reports / "studies/seeds_right.csv", pd.concat(right, axis=1).reset_index()
    )
    for rung, rows in frame.groupby("rung", sort=False):
        measured = {
            int(row["seed"]): {name: float(row[name]) for name in VALUES[:2]}
            for row in rows.to_dict("records")
        }
        tracking.group(plan.source, "seeds", str(rung), measured)
    print(f"{len(commits)} seeds: {plan.reports / 'studies/seeds.csv'}")


def right_answers(commit: str, reports: Path, seed: int) -> pd.DataFrame:
    """Returns whether each picture (subset, id) was predicted right, a column `rung/seed` each."""
    columns = {}
    for rung in paths.RUNGS:
        predictions = pd.read_csv(climbs.show(commit, reports / "predictions" / f"{rung}.csv"))
        right = evaluation.predicted(predictions) == predictions["label"].to_numpy()
        index = pd.MultiIndex.from_frame(predictions[["subset", "id"]])
        columns[f"{rung}/{seed}"] = pd.Series(right.astype(np.int8), index)
    return pd.DataFrame(columns)


if __name__ == "__main__":
    errors.run(main)
