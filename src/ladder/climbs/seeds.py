"""The same ladder climbed with several seeds: every value is kept, none is picked."""

import functools
import io
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from ladder import artifacts, errors, paths, provenance, rungs, tracking
from ladder.climbs import climbs, experiments, recipes
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


EVALUATED = ("evaluate",)  # nobody looks into the networks of a seed, or at its page
NO_SEED = pd.Series(dtype=int)
MEASURED = {"train", "validation", "test", "group", "hash_distance"}  # which pictures are test
NONE = Seeds(
    pd.DataFrame({"seed": NO_SEED, "right": pd.Series(dtype=bool)}), pd.DataFrame({"seed": NO_SEED})
)


def run(count: int, plan: recipes.Plan) -> None:
    """Climbs with at least the seeds 0 … count-1; none that was climbed before is climbed again.

    A climb of the same identity counts (`provenance`), on whatever processor: the ladder in the
    reports, a seed of the study, or a climb in DVC's run cache. After every seed the plan's studies
    are written: `seeds_answers.csv` (which answers of all climbs were right), `seeds_climbs.csv`
    (on what machine), `seeds.csv` (every climb's accuracies), `seeds_summary.csv` (their means with
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
    reports = paths.DatasetPaths(plan.dataset).reports
    identity = climbs.planned(plan.overrides)
    seeds = known(plan.reports, plan.studies, identity)
    missing = sorted({*range(count)} - {*seeds.machines["seed"]})
    for seed in tqdm(missing, "seeds", disable=None):
        climbs.check_unchanged(plan.overrides, identity)
        overrides = [*plan.overrides, *of_seed(seed, identity.params)]
        commit = experiments.climb(f"{plan.name}-seed-{seed}", overrides, EVALUATED)
        climbs.check_alike(identity, climbs.identity_of(commit, reports))
        seeds = seeds.plus(results(functools.partial(of_climb, commit, reports), seed))
        write(plan.studies, seeds, identity)  # after every seed: an interruption loses none
    summary = write(plan.studies, seeds, identity)
    compare(reports)
    track(plan, studies.values(seeds.answers, ["rung"]))
    print(summary.to_string(index=False, float_format="{:.4f}".format))


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


def track(plan: recipes.Plan, every: pd.DataFrame) -> None:
    """Makes the seeds' MLflow runs of a rung children of one run; `every` is `studies.values`."""
    for rung in rungs.RUNGS:
        measured: dict[int, dict[str, float]] = {}
        for row in every[every["rung"] == rung].to_dict("records"):
            name = f"{row['subset']}_accuracy"
            measured.setdefault(int(row["seed"]), {})[name] = float(row["accuracy"])
        tracking.group(plan.dataset, f"{plan.name} seeds", rung, measured)


def known(reports: Path, studies_folder: Path, identity: provenance.Identity) -> Seeds:
    """Returns the seeds of this identity in a folder of studies, and that of a ladder's reports.

    Those of another give way; why is printed.
    """
    seeds = NONE
    if (studies_folder / "seeds.json").is_file():
        if reasons := provenance.differences(
            provenance.read(studies_folder / "seeds.json"), identity
        ):
            print(
                f"ladder: the seeds of {studies_folder} give way; {'; '.join(reasons)}",
                file=sys.stderr,
            )
        else:
            seeds = read(studies_folder)
    if not (reports / "climb.json").is_file():
        return seeds
    climbed = provenance.read(reports / "climb.json")
    seed = climbed.params["seed"]
    if provenance.differences(climbed, identity) or seed in {*seeds.machines["seed"]}:
        return seeds
    return seeds.plus(results(lambda name: (reports / name).read_bytes(), seed))


def read(studies_folder: Path) -> Seeds:
    """Returns the seeds of a folder of studies."""
    machines = pd.read_csv(studies_folder / "seeds_climbs.csv")
    return Seeds(
        answers.read(studies_folder / "seeds_answers.csv", machines["seed"].tolist()), machines
    )


def of_climb(commit: str, reports: Path, name: str) -> bytes:
    """Returns the content of a file of a climb's reports."""
    return experiments.show(commit, reports / name)


def results(read: Callable[[str], bytes], seed: int) -> Seeds:
    """Returns one seed; `read` gives the content of a file of its climb's reports."""
    frames = [
        answers.of_predictions(
            artifacts.read_csv(io.BytesIO(read(f"predictions/{rung}.csv"))), rung, seed
        )
        for rung in rungs.RUNGS
    ]
    machine = json.loads(read("runtime.json"))["fine_tuned"]
    return Seeds(pd.concat(frames), pd.DataFrame([{"seed": seed, **machine}]))


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
