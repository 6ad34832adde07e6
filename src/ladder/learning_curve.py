"""Would more labels help? The pretrained rungs, trained on fewer and fewer of the pictures."""

import tempfile
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from ladder import artifacts, climbs, errors, evaluation, paths

RUNGS: tuple[paths.Rung, ...] = ("features", "features_augmented", "fine_tuned")


def main() -> None:
    """Climbs rungs 3 to 5 on so many pictures of a class; validation and test stay the same.

    Writes `studies/learning_curve.csv`: per_class, rung, subset, accuracy with its 95 % interval.
    """
    parser = climbs.arguments("Climbs rungs 3 to 5 on fewer and fewer pictures.")
    parser.add_argument("--per-class", type=int, nargs="+", required=True, help="how many of each")
    given = parser.parse_args()
    plan = climbs.plan(given.archive, given.recipe)
    files = paths.DatasetPaths(plan.source)
    rows = []
    for count in tqdm(given.per_class, "learning curve", disable=None):
        overrides = [*plan.overrides, f"split.train_used_per_class={count}"]
        commit = climbs.climb(
            f"{plan.name}-of-{count}", overrides, [f"predict@{rung}" for rung in RUNGS]
        )
        for rung in RUNGS:
            predictions = fetched(commit, files.predictions(rung))
            for subset, part in predictions.groupby("subset", sort=False):
                measures = evaluation.measure(part)
                kept = {name: measures[name] for name in measures if name.startswith("accuracy")}
                rows.append({"per_class": count, "rung": rung, "subset": subset, **kept})
    artifacts.write_csv(plan.reports / "studies/learning_curve.csv", pd.DataFrame(rows))
    print(f"{len(given.per_class)} climbs: {plan.reports / 'studies/learning_curve.csv'}")


def fetched(commit: str, path: Path) -> pd.DataFrame:
    """Returns a frame that DVC's cache holds of a climb."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / path.name
        climbs.fetch(commit, path, target)
        return pd.read_csv(target)


if __name__ == "__main__":
    errors.run(main)
