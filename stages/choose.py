"""Copies the rung that the advice names, as a model to use: `ladder predict`."""

from pathlib import Path

import pandas as pd

from ladder import artifacts, errors, paths, provenance, rungs, settings
from ladder.evidence import comparison
from ladder.networks import deployed


class Params(settings.Section):
    dataset: settings.Dataset
    evaluation: settings.Evaluation


def main() -> None:
    params = settings.load(Params)
    files = paths.DatasetPaths(params.dataset.name)
    ladder = pd.read_csv(files.reports / "ladder.csv")
    predictions = {rung: artifacts.read_csv(files.predictions(rung)) for rung in rungs.RUNGS}
    margin = params.evaluation.margin_points / 100
    compared = comparison.good_enough(predictions, ladder, margin)
    rung = comparison.advised(compared)
    row = ladder.set_index("rung").loc[rung]
    summary = {
        "test_accuracy": {
            "accuracy": row["test_accuracy"],
            "ci_low": row["test_ci_low"],
            "ci_high": row["test_ci_high"],
            "pictures": int(compared["pictures"].iloc[0]),
        },
        "pictures": provenance.pictures(artifacts.read_csv(files.manifest)),
    }
    deployed.deploy(files, rung, files.model, summary)
    print(f"{files.model}: {rung}")
    if Path.cwd() == paths.root():  # not in the copy of a climb that may be a recipe's or a seed's
        from ladder.page import serving  # MLflow

        serving.register(files.name)


if __name__ == "__main__":
    errors.run(main)
