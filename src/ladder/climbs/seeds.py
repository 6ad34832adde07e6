"""The same ladder climbed with several seeds: every value is kept, none is picked."""

import functools
import io
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from ladder import artifacts, errors, paths, provenance, rungs, tracking
from ladder.climbs import climbs, experiments, predicted, recipes
from ladder.evidence import answers, studies


@dataclass(frozen=True)
class Seeds:
    """What is known of the seeds of one study."""

    answers: pd.DataFrame  # see `answers.of_predictions`, with rung and seed
    machines: pd.DataFrame  # a row per seed: the machine that it was climbed on

    def plus(self, other: "Seeds") -> "Seeds":
        """Returns both, in the order of their seeds."""
        together = ((self.answers, other.answers), (self.machines, other.machines))
        ordered = (pd.concat(frames).sort_values("seed", kind="stable") for frames in together)
        return Seeds(*(frame.reset_index(drop=True) for frame in ordered))

    def of(self, some: Sequence[rungs.Rung]) -> "Seeds":
        """Returns these rungs of them."""
        kept = self.answers[self.answers["rung"].isin(some)]
        return Seeds(kept.reset_index(drop=True), self.machines)


EVALUATED = ("evaluate",)  # nobody looks into the networks of a seed, or at its page
NO_SEED = pd.Series(dtype=int)
MEASURED = {"train", "validation", "test", "group", "hash_distance"}  # which pictures are test
NONE = Seeds(
    pd.DataFrame({"seed": NO_SEED, "right": pd.Series(dtype=bool)}), pd.DataFrame({"seed": NO_SEED})
)


def run(count: int, plan: recipes.Plan) -> None:
    """Climbs with at least the seeds 0 … count-1; none that was climbed before is climbed again.

    A climb of the same identity counts (`provenance`), on whatever processor: the ladder in the
    reports, a seed of the study, or a climb in DVC's run cache. Of a recipe the rungs are climbed
    that `climbs.rungs_that_differ` names. After every seed the plan's studies are written:
    `seeds_answers.csv` (which answers of all climbs were right), `seeds_climbs.csv` (on what
    machine), `seeds.csv` (every climb's accuracies), `seeds_summary.csv` (their means with
    intervals), `seeds_steps.csv` (what every rung brings over the one before) and `seeds.json`
    (their identity). At the end `recipes_seeds.csv` follows in the default climb's studies.

    Raises:
        InputError: code or params were changed meanwhile.
    """
    experiments.check_code_committed()
    if count < 2:
        raise errors.InputError(
            "N", expected="at least 2 seeds", received=count, advice="Use make seeds N=5."
        )
    files = paths.DatasetPaths(plan.dataset)
    identity = climbs.planned(plan.overrides)
    some = climbs.rungs_that_differ(plan.reports, files.reports)
    seeds = known(plan.reports, plan.studies, identity, some)
    missing = sorted({*range(count)} - {*seeds.machines["seed"]})
    for seed in tqdm(missing, "seeds", disable=None):
        climbs.check_unchanged(plan.overrides, identity)
        climbed = _climb if some == rungs.RUNGS else functools.partial(_climb_some, some)
        seeds = seeds.plus(climbed(seed, plan, identity))
        write(plan.studies, seeds, identity)  # after every seed: an interruption loses none
    summary = write(plan.studies, seeds, identity)
    compare(files.reports)
    track(plan, seeds)
    print(summary.to_string(index=False, float_format="{:.4f}".format))


def _climb(seed: int, plan: recipes.Plan, identity: provenance.Identity) -> Seeds:
    """Climbs the ladder with a seed, and returns its answers."""
    reports = paths.DatasetPaths(plan.dataset).reports
    overrides = [*plan.overrides, *of_seed(seed, identity.params)]
    commit = experiments.climb(f"{plan.name}-seed-{seed}", overrides, EVALUATED)
    climbs.check_alike(identity, climbs.identity_of(commit, reports))
    return results(lambda name: experiments.show(commit, reports / name), seed)


def _climb_some(
    some: Sequence[rungs.Rung], seed: int, plan: recipes.Plan, identity: provenance.Identity
) -> Seeds:
    """Climbs some rungs with a seed, and returns their answers; MLflow gets their accuracies."""
    files = paths.DatasetPaths(plan.dataset)
    overrides = [*plan.overrides, *of_seed(seed, identity.params)]
    climbed = predicted.climb(f"{plan.name}-seed-{seed}", overrides, some, files, identity)
    seeds = of_one(climbed.predictions, climbed.machines[some[-1]], seed)
    for rung, measured in accuracies(seeds).items():
        weights_sha256 = experiments.sha256(climbed.commit, files.weights(rung))
        tracking.log_results(plan.dataset, weights_sha256, measured[seed])
    return seeds


def of_seed(seed: int, params: Mapping[str, Any]) -> list[str]:
    """Returns the overrides of a seed; where labels are shuffled, each has a deal of its own."""
    shuffled = params["split"]["shuffle_train_labels"]
    return [f"seed={seed}", *([f"split.shuffle_train_labels={seed + 1}"] if shuffled else [])]


def compare(reports: Path) -> None:
    """Writes what the recipes' seeds reach compared with those of the default climb."""
    default = reports / "studies"
    if not (default / "seeds.json").is_file():
        return
    identity = provenance.read(default / "seeds.json")
    others = {}
    for file in sorted(default.glob("*/seeds.json")):
        recipe, climbed = file.parent.name, provenance.read(file)
        if _is_comparable(recipe, identity, climbed):
            outdated = climbs.outdated(recipe, reports, identity, climbed)
            every = read(file.parent).answers
            others[recipe] = every[~every["rung"].isin(outdated)]
    table = default / "recipes_seeds.csv"
    if not others:
        table.unlink(missing_ok=True)  # of recipes that were
        table.with_suffix(".json").unlink(missing_ok=True)
        return
    differences = studies.differences(read(default).answers, others, seed=0)
    artifacts.write_csv(table, differences)
    provenance.write(table.with_suffix(".json"), identity)


def _is_comparable(recipe: str, default: provenance.Identity, other: provenance.Identity) -> bool:
    """Returns whether a recipe's seeds are of the default's code, machine and pictures; says why.

    Equal names in two archives need not be equal pictures.
    """
    reasons = provenance.differences_of_code(default, other)
    split = [identity.params.get("split", {}) for identity in (default, other)]
    counts = [{k: v for k, v in each.items() if k in MEASURED} for each in split]
    if default.params["dataset"] != other.params["dataset"] or counts[0] != counts[1]:
        reasons.append("other pictures")
    if reasons:
        print(f"ladder: seeds of {recipe} are not compared; {'; '.join(reasons)}", file=sys.stderr)
    return not reasons


def track(plan: recipes.Plan, seeds: Seeds) -> None:
    """Makes the seeds' MLflow runs of a rung children of one run."""
    for rung, measured in accuracies(seeds).items():
        tracking.group(plan.dataset, f"{plan.name} seeds", rung, measured)


def accuracies(seeds: Seeds) -> dict[rungs.Rung, dict[int, dict[str, float]]]:
    """Returns the accuracies by rung and seed, by their names in MLflow."""
    measured: dict[rungs.Rung, dict[int, dict[str, float]]] = {}
    for row in studies.values(seeds.answers, ["rung"]).to_dict("records"):
        of_rung = measured.setdefault(rungs.named(row["rung"]), {})
        of_seed = of_rung.setdefault(int(row["seed"]), {})
        of_seed[f"{row['subset']}_accuracy"] = float(row["accuracy"])
    return measured


def known(
    reports: Path,
    studies_folder: Path,
    identity: provenance.Identity,
    some: Sequence[rungs.Rung],
) -> Seeds:
    """Returns some rungs of the seeds in a folder of studies, and of that in a ladder's reports.

    Both if they are of this identity. Of a study that is not, or lacks a rung, no seed counts; why
    is printed.
    """
    seeds = NONE
    if (studies_folder / "seeds.json").is_file():
        study = read(studies_folder).of(some)
        reasons = provenance.differences(provenance.read(studies_folder / "seeds.json"), identity)
        if absent := {*some} - {*study.answers["rung"]}:
            reasons.append(f"without {', '.join(sorted(absent))}")
        if reasons:
            print(
                f"ladder: the seeds of {studies_folder} give way; {'; '.join(reasons)}",
                file=sys.stderr,
            )
        else:
            seeds = study
    if not (reports / "climb.json").is_file():
        return seeds
    climbed = provenance.read(reports / "climb.json")
    seed = climbed.params["seed"]
    if provenance.differences(climbed, identity) or seed in {*seeds.machines["seed"]}:
        return seeds
    return seeds.plus(results(lambda name: (reports / name).read_bytes(), seed).of(some))


def read(studies_folder: Path) -> Seeds:
    """Returns the seeds of a folder of studies."""
    machines = pd.read_csv(studies_folder / "seeds_climbs.csv")
    return Seeds(
        answers.read(studies_folder / "seeds_answers.csv", machines["seed"].tolist()), machines
    )


def results(read: Callable[[str], bytes], seed: int) -> Seeds:
    """Returns one seed; `read` gives the content of a file of its climb's reports."""
    predictions = {
        rung: artifacts.read_csv(io.BytesIO(read(f"predictions/{rung}.csv")))
        for rung in rungs.RUNGS
    }
    return of_one(predictions, json.loads(read("runtime.json"))["fine_tuned"], seed)


def of_one(
    predictions: Mapping[rungs.Rung, pd.DataFrame], machine: Mapping[str, Any], seed: int
) -> Seeds:
    """Returns one seed of what its rungs predicted, and the machine that it was climbed on."""
    every = [answers.of_predictions(frame, rung, seed) for rung, frame in predictions.items()]
    return Seeds(pd.concat(every), pd.DataFrame([{"seed": seed, **machine}]))


def write(studies_folder: Path, seeds: Seeds, identity: provenance.Identity) -> pd.DataFrame:
    """Writes the study's tables and identity, and returns the means with their intervals."""
    summary = studies.summary(seeds.answers, ["rung"], seed=0)
    answers.write(studies_folder / "seeds_answers.csv", seeds.answers)
    for name, frame in (
        ("seeds_climbs", seeds.machines),
        ("seeds", studies.values(seeds.answers, ["rung"])),
        ("seeds_summary", summary),
        ("seeds_steps", studies.steps(seeds.answers, seed=0)),
    ):
        artifacts.write_csv(studies_folder / f"{name}.csv", frame)
    provenance.write(studies_folder / "seeds.json", identity)
    return summary
