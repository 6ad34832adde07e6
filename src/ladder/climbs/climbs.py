"""One climb in a copy, and how the climbs of recipes compare with the default's."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ladder import artifacts, errors, paths, provenance, rungs, settings
from ladder.climbs import experiments, introduction, proposals, recipes
from ladder.evidence import comparison
from ladder.page import report, sentences, serving
from ladder.pictures import corrections

# Recipes that ask of others: a base that goes on training is compared with frozen ones that see
# the book's pixels, at our rates and at the book's.
COMPARED_WITH = {"unfrozen": ("book_preprocessing", "book")}


def run(
    pictures: str,
    name: str,
    recipe: str,
    changes: Sequence[str],
    corrected: Path | None = None,
    *,
    dry_run: bool,
) -> None:
    """Climbs once in a copy, takes reports and model over, and prints the ladder.

    Of a person's pictures it says first what there is, what will be done and how long it takes.
    With `dry_run` it ends there. `corrected` is a file of corrections, which are kept. Writes
    `studies/recipes.csv` as well: what recipes reach compared with the dataset's own climb.
    """
    if not dry_run:
        experiments.check_place()
    proposed = introduction.introduce(pictures, name, recipe, changes)
    if corrected:
        correct(recipes.dataset_of(pictures, name), corrected, dry_run=dry_run)
    if dry_run and proposed is not None:
        return
    plan = recipes.plan(pictures, name, recipe, changes, proposed)
    if dry_run:
        print(f"{plan.dataset}: it climbs in a copy and writes {plan.reports}.")
        return
    if proposed:
        recipes.create(plan.dataset, proposals.text(proposed))
    if path := recipes.path_of(pictures):
        recipes.remember(plan.dataset, path)
    before = _of_other_corrections(plan)
    commit = experiments.climb(plan.name, plan.overrides)
    experiments.take(commit, plan.dataset, plan.reports)
    files = paths.DatasetPaths(plan.dataset)
    if plan.reports == files.reports:  # a recipe's own model stays in DVC's cache
        experiments.fetch(commit, files.model, files.model)
        serving.register(plan.dataset)
    print(report.text(plan.reports))
    if before:
        print(*report.after_corrections(before, report.read(plan.reports)), sep="\n")
    table = compare(files.reports)
    if len(own := table[table["recipe"] == plan.reports.name]):
        print("", *sentences.recipes(own), sep="\n")
    if (plan.reports / "ladder.html").exists():
        print(f"\n{plan.reports / 'ladder.html'}")
    print(f"ladder predict PICTURES --ladder {plan.dataset}")


def _of_other_corrections(plan: recipes.Plan) -> report.Reports | None:
    """Returns the reports of the climb before, if its labels were corrected in another way."""
    climb = plan.reports / "climb.json"
    corrections_now = recipes.params(settings.PARAMS, plan.overrides)["split"]["corrections"]
    if not climb.is_file() or _corrections_of(climb) == corrections_now:
        return None
    return report.read(plan.reports)


def correct(dataset: str, file: Path, *, dry_run: bool) -> None:
    """Adds a file of corrections to those of a dataset, and prints how many there are.

    With `dry_run` nothing is written.

    Raises:
        InputError: the file is not there, or is no table of corrections.
    """
    if not file.is_file():
        raise errors.InputError(
            str(file),
            expected="a file of corrections",
            received="no such file",
            advice="Save it from the page of a climb.",
        )
    target = paths.DatasetPaths(dataset).corrections
    earlier = corrections.read(target.read_bytes(), target.name) if target.is_file() else None
    merged = corrections.merged(earlier, corrections.read(file.read_bytes(), file.name))
    if not dry_run:
        artifacts.write_csv(target, merged)
    counts = merged["decision"].value_counts()
    numbers = ", ".join(f"{counts.get(key, 0)} {key}" for key in corrections.DECISIONS)
    print(f"Corrections of {dataset}: {numbers} (corrections/{target.name})")


def planned(overrides: Sequence[str]) -> provenance.Identity:
    """Returns the identity that a climb of the workspace with overrides will have on this machine.

    Raises:
        InputError: params.yaml has no such key.
    """
    from ladder.networks import runtime  # TensorFlow

    params = recipes.params(settings.PARAMS, overrides)
    machine = {**runtime.versions(), "policy": runtime.policy(params["runtime"]["precision"])}
    return provenance.of_climb(params, [provenance.fingerprint(Path())], [machine])


def identity_of(commit: str, reports: Path) -> provenance.Identity:
    """Returns the identity of the climb in a commit, as evaluate recorded it."""
    content = experiments.show(commit, reports / "climb.json")
    return provenance.of_content(json.loads(content))


def check_alike(planned: provenance.Identity, climbed: provenance.Identity) -> None:
    """Checks that a climb is what was planned: DVC's run cache knows no versions and no policy.

    Raises:
        InputError: it came from another machine or other libraries.
    """
    if reasons := provenance.differences(planned, climbed):
        raise errors.InputError(
            "study",
            expected="a climb of this code, these params, this policy and these libraries",
            received=f"another one, perhaps from DVC's run cache: {'; '.join(reasons)}",
            advice="Delete the run cache (rm -r .dvc/cache/runs) and start the study again.",
        )


def check_unchanged(overrides: Sequence[str], before: provenance.Identity) -> None:
    """Checks that the next climb of a study is like those before.

    Raises:
        InputError: it is not.
    """
    if reasons := provenance.differences(before, planned(overrides)):
        raise errors.InputError(
            "study",
            expected="the same code and params for every climb",
            received=f"a change since the first: {'; '.join(reasons)}",
            advice="Start it again: what is climbed already comes from the run cache.",
        )


def compare(reports: Path) -> pd.DataFrame:
    """Writes `studies/recipes.csv`: what recipes reach compared with the default climb.

    Of a recipe those rungs that its params change and that answer otherwise; it must be of the same
    code and the same pictures. Rungs that are `outdated` are left out. One that asks of others
    (`COMPARED_WITH`) is compared with those as well. Returns the table, empty where there is
    nothing to compare.
    """
    if not (reports / "climb.json").is_file():
        return comparison.recipes({})
    by_default, pairs = report.predictions(reports), {}
    folders = {
        file.parent.name: file.parent
        for file in sorted(reports.glob("*/climb.json"))
        if _is_comparable(reports, file.parent)
    }
    default = provenance.read(reports / "climb.json")
    outdated_rungs = {
        recipe: outdated(recipe, reports, default, provenance.read(folder / "climb.json"))
        for recipe, folder in folders.items()
    }
    for recipe, folder in folders.items():
        of_recipe, others = report.predictions(folder), rungs_that_differ(folder, reports)
        ours = {
            rung: of_recipe[rung]
            for rung in changed(reports, folder)
            if rung in others and rung not in outdated_rungs[recipe]
        }
        pairs[recipe, "default"] = (ours, by_default)
        for other in COMPARED_WITH.get(recipe, ()):
            if other in folders:
                differing = {*changed(folders[other], folder)} - outdated_rungs[other]
                some = {rung: frame for rung, frame in ours.items() if rung in differing}
                pairs[recipe, other] = (some, report.predictions(folders[other]))
    table = comparison.recipes(pairs)
    path = reports / "studies/recipes.csv"
    if table.empty:
        path.unlink(missing_ok=True)  # of recipes that were
        path.with_suffix(".json").unlink(missing_ok=True)
    else:
        artifacts.write_csv(path, table)
        provenance.write(path.with_suffix(".json"), provenance.read(reports / "climb.json"))
    return table


def outdated(
    recipe: str, reports: Path, default: provenance.Identity, climbed: provenance.Identity
) -> set[rungs.Rung]:
    """Returns the rungs of a recipe whose other params are no longer those of the default climb.

    What they differ in is then not the recipe's choice alone. Of rungs that the recipe says
    anything of, it is printed. `reports` are those of the default climb, whose lock says which
    params lead to a rung.
    """
    if not recipes.is_recipe(recipe):
        return set()
    chosen = recipes.read(recipe)
    left_out = {"dataset", *provenance.NOT_OF_PREDICTIONS, *chosen}
    differing = provenance.changed_params(default.params, climbed.params, left_out)
    leading = provenance.params_by_rung(experiments.lock_of(reports))
    rungs_outdated = set()
    for rung, params in leading.items():
        reasons = [said for key, said in differing.items() if provenance.is_among(key, params)]
        if reasons:
            rungs_outdated.add(rung)
        if reasons and any(provenance.is_among(key, params) for key in chosen):
            line = f"ladder: {rung} of {recipe} is not compared; {'; '.join(reasons)}"
            print(line, file=sys.stderr)
    return rungs_outdated


def rungs_that_differ(reports: Path, default: Path) -> tuple[rungs.Rung, ...]:
    """Returns the rungs that answer otherwise in one folder of reports than in another.

    All of them where it is the same folder, or no ladder is in one of them. What a recipe does not
    change comes out the same with the same seed.
    """
    if reports == default or not all((f / "climb.json").is_file() for f in (reports, default)):
        return rungs.RUNGS
    names = {rung: f"predictions/{rung}.csv" for rung in rungs.RUNGS}
    some = [r for r, n in names.items() if (reports / n).read_bytes() != (default / n).read_bytes()]
    return tuple(some) or rungs.RUNGS


def _is_comparable(default: Path, recipe: Path) -> bool:
    """Returns whether a recipe's climb is of the default's code, machine and pictures; says why."""
    files = [folder / "climb.json" for folder in (default, recipe)]
    one, other = (artifacts.read_json(file)["pictures"] for file in files)
    reasons = [] if one == other else [f"pictures: {one}, {other}"]
    decided = [_corrections_of(file) for file in files]
    reasons += [] if decided[0] == decided[1] else ["other corrections of labels"]
    reasons += provenance.differences_of_code(*map(provenance.read, files))
    if reasons:
        print(f"ladder: {recipe.name} is not compared; {'; '.join(reasons)}", file=sys.stderr)
    return not reasons


def _corrections_of(climb: Path) -> Any:
    """Returns the hash of a climb's corrections; climbs of before had none."""
    return provenance.read(climb).params.get("split", {}).get("corrections")


def changed(default: Path, other: Path) -> list[rungs.Rung]:
    """Returns the rungs whose params differ between the climbs of two folders of reports.

    Where the pictures came from is left out.
    """
    ours, theirs = (
        provenance.params_by_rung(experiments.lock_of(folder)) for folder in (default, other)
    )
    anywhere = {"dataset": None}
    return [rung for rung in rungs.RUNGS if ours[rung] | anywhere != theirs[rung] | anywhere]
