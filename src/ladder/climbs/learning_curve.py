"""Would more labels help? The pretrained rungs, trained on fewer and fewer of the pictures."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from ladder import artifacts, errors, paths, provenance, rungs
from ladder.climbs import climbs, experiments, predicted, proposals, recipes
from ladder.evidence import answers, studies
from ladder.page import sentences
from ladder.pictures import sources

FITS = tuple(rungs.TABLE[rung].stage for rung in rungs.ON_A_BASE)
SHARES = (0.05, 0.1, 0.25, 0.5, 1)  # of the train pictures, where nobody says how many


def run(per_class: Sequence[int], plan: recipes.Plan) -> None:
    """Climbs rungs 3 to 5 on so many pictures of a class, all with one seed.

    Every training sees as many pictures in all; validation, which chooses the epoch, and test stay
    as they are. Writes `studies/learning_curve.csv` (test accuracy with its interval, by train
    pictures), `studies/learning_curve_gains.csv` (what each step to more of them brought) and
    `studies/learning_curve.json` (the identity of a climb on all of them).
    """
    experiments.check_code_committed()
    of_all = [*plan.overrides, "split.train_used_per_class=null"]
    identity = climbs.planned(of_all)
    there_are = train_pictures(identity.params["split"])
    counts = per_class or shares(max(there_are))
    check(counts, max(there_are))
    parts = []
    for count in tqdm(counts, "learning curve", disable=None):
        climbs.check_unchanged(of_all, identity)
        parts.append(_climb_on(count, there_are, plan, identity))
    together = pd.concat(parts, ignore_index=True)
    curve, gains = studies.learning_curve(together, seed=0), studies.gains(together, seed=0)
    artifacts.write_csv(plan.studies / "learning_curve.csv", curve)
    artifacts.write_csv(plan.studies / "learning_curve_gains.csv", gains)
    provenance.write(plan.studies / "learning_curve.json", identity)
    print(curve.to_string(index=False, float_format="{:.4f}".format))
    print("", *sentences.gains(gains), sep="\n")


def train_pictures(split: Mapping[str, Any]) -> list[int]:
    """Returns how many train pictures each class has; about, where `split` has shares of them."""
    if isinstance(split["train"], int):
        return [split["train"]]
    own = sources.own(Path(os.environ[sources.PICTURES_VARIABLE]))
    divided: dict[paths.Subset, float] = {subset: split[subset] for subset in paths.SUBSETS}
    counts: list[int] = proposals.counts(own.layout.pictures, divided)["train"].tolist()
    return counts


def _climb_on(
    per_class: int, there_are: Sequence[int], plan: recipes.Plan, identity: provenance.Identity
) -> pd.DataFrame:
    """Climbs on so many pictures of a class and returns the answers, with `train_pictures`.

    Raises:
        InputError: a rung came from another machine's cache.
    """
    files = paths.DatasetPaths(plan.dataset)
    climbed = predicted.climb(
        f"{plan.name}-of-{per_class}",
        [*plan.overrides, *on_fewer(per_class, there_are, identity.params)],
        rungs.ON_A_BASE,
        files,
        identity,
    )
    manifest = experiments.read_frame(climbed.commit, files.manifest)
    pictures = int((manifest["subset"] == "train").sum())
    every = [
        answers.of_predictions(frame, rung, seed=0) for rung, frame in climbed.predictions.items()
    ]
    return pd.concat(every).assign(train_pictures=pictures)


def on_fewer(per_class: int, there_are: Sequence[int], params: Mapping[str, Any]) -> list[str]:
    """Returns the overrides for at most so many pictures of a class, of those that there are.

    Of half as many there are twice as many epochs, validated half as often, so that a training sees
    as many pictures in all. Steps are more where few pictures do not fill a batch.
    """
    times = sum(there_are) / sum(min(count, per_class) for count in there_are)
    return [f"split.train_used_per_class={per_class}"] + [
        f"{fit}.{name}={round(times * params[fit][name])}"
        for fit in FITS
        for name in ("epochs", "minimum_epochs", "patience", "validate_every")
    ]


def shares(most: int) -> list[int]:
    """Returns numbers of pictures a class, of `most` that there are: 50, 100, … 1,000 of 1,000."""
    return sorted({max(1, round(share * most)) for share in SHARES})


def check(per_class: Sequence[int], most: int) -> None:
    """Checks the numbers of pictures, of `most` a class, before the first is climbed with.

    Raises:
        InputError: there are not as many of a class, or one is asked for twice.
    """
    if not all(0 < count <= most for count in per_class) or len({*per_class}) < len(per_class):
        raise errors.InputError(
            "COUNTS",
            expected=f"numbers of train pictures a class, each once, 1 to {most} (split.train)",
            received=" ".join(map(str, per_class)),
            advice=f"Say which: --count {max(1, most // 4)} --count {most}.",
        )
