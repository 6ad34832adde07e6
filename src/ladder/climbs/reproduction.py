"""Does a climb come out as it was committed? Exactly on the same kind of machine, else in noise."""

import dataclasses
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from ruamel.yaml import YAML
from scipy import stats

from ladder import artifacts, errors, paths, processes, provenance, rungs, settings
from ladder.climbs import experiments, recipes
from ladder.evidence import evaluation, prediction_tables
from ladder.page import report
from ladder.pictures import drawing, sources

# The forms of the quick climb, recipes `quick_<form>`, with their classes. Together they take the
# paths that a study takes, but bfloat16: no two kinds of processor share its last bits.
QUICK = {"stored": ("cat", "dog"), "fresh": ("ape", "cat", "dog")}
RESULTS = "results"  # the folder that they gather in
STAGES = ("split", "decode", "extract_features", "extract_views", "audit")  # that train nothing
TABLES = ("ladder.csv", "paired.csv", "calibration.csv")
FILES = ("runtime.json", "weights.json", *TABLES)
# Of the largest activation: kernels of other processors add in another order. In float16 a last
# bit is a two-thousandth.
RELATIVE = {"float32": 1e-4, "float16": 1e-3}
LOSS = 0.01  # relative: what such differences become after a training of a few epochs
SEEDS = 5  # fewer tell next to nothing of what one more may give
CONFIDENCE = 0.999  # one-sided, per rung: false alarms are costly


@dataclasses.dataclass(frozen=True)
class Results:
    """What a climb left in its folder of reports."""

    hashes: Mapping[str, str]  # path → md5, of what `STAGES` write
    predictions: Mapping[rungs.Rung, pd.DataFrame]
    tables: Mapping[str, pd.DataFrame]  # `TABLES`, without the seconds
    weights: Mapping[str, str]  # rung → sha256 of the arrays
    runtime: Mapping[str, Mapping[str, str]]  # of each rung: what the last bits depend on
    features: NDArray[Any] | None  # of validation, (n, …), as stored; the quick form's alone


def read(folder: Path, lock: Path) -> Results:
    """Returns the results in a folder of reports, and the hashes in the lock of its climb.

    Raises:
        InputError: they are not all there.
    """
    lacking = [name for name in (*FILES, "predictions") if not (folder / name).exists()]
    if lacking:
        raise errors.InputError(
            str(folder),
            expected=f"results to compare with: predictions/, {', '.join(FILES)}",
            received=f"no {', no '.join(lacking)}",
            advice="Climb, and commit the reports, first.",
        )
    tables = {name: pd.read_csv(folder / name) for name in TABLES}
    stages = YAML(typ="safe", pure=True).load(lock)["stages"]
    outputs = (output for name in STAGES for output in stages[name]["outs"])
    features = folder / "features.npy"
    return Results(
        {o["path"]: o["md5"] for o in outputs if "/seconds/" not in o["path"]},
        report.predictions(folder),
        tables | {"ladder.csv": tables["ladder.csv"].drop(columns=["seconds", "seconds_alone"])},
        artifacts.read_json(folder / "weights.json"),
        artifacts.read_json(folder / "runtime.json"),
        np.asarray(artifacts.read_npy(features)) if features.exists() else None,
    )


def exact(reference: Results, climbed: Results) -> list[str]:
    """Returns what is not bit for bit the same; for the same kind of machine and threads."""
    differences = [
        f"{path}: md5 {climbed.hashes.get(path)}, committed {md5}"
        for path, md5 in reference.hashes.items()
        if climbed.hashes.get(path) != md5
    ]
    for rung, frame in reference.predictions.items():
        other = climbed.predictions[rung]
        if not frame.equals(other):
            differences.append(f"predictions of {rung}: {_apart(frame, other)}")
    differences += [
        f"weights of {rung}: sha256 {climbed.weights.get(rung)}, committed {sha256}"
        for rung, sha256 in reference.weights.items()
        if climbed.weights.get(rung) != sha256
    ]
    return differences + [line for name in TABLES for line in _table(name, reference, climbed)]


def _table(name: str, reference: Results, climbed: Results) -> list[str]:
    """What the measures of the same answers say: another figure is another way to measure."""
    old, new = reference.tables[name], climbed.tables[name]
    columns = [*old.columns.union(new.columns, sort=False)]
    differ = [c for c in columns if c not in old or c not in new or not old[c].equals(new[c])]
    return [f"{name}: {', '.join(differ)}"] if differ else []


def _other_pictures(reference: Results, climbed: Results) -> list[str]:
    """What no other machine explains: other pictures, or the same with other labels or subsets."""
    return [
        f"predictions of {rung}: other pictures or labels"
        for rung, frame in reference.predictions.items()
        if not _same_pictures(frame, climbed.predictions[rung])
    ] + [
        f"{path}: md5 {climbed.hashes.get(path)}, committed {md5}"
        for path, md5 in reference.hashes.items()
        if path.endswith("manifest.csv") and climbed.hashes.get(path) != md5
    ]


def _same_pictures(frame: pd.DataFrame, other: pd.DataFrame) -> bool:
    columns = ["id", "label", "subset"]
    return frame[columns].equals(other[columns])


def _apart(frame: pd.DataFrame, other: pd.DataFrame) -> str:
    if not _same_pictures(frame, other):
        return "other pictures or labels"
    difference = np.abs(
        prediction_tables.probabilities(frame) - prediction_tables.probabilities(other)
    ).max()
    flipped = int((prediction_tables.predicted(frame) != prediction_tables.predicted(other)).sum())
    return f"up to {difference:.2g} apart, {flipped} of {len(frame)} on the other side"


def within_kernels(reference: Results, climbed: Results) -> list[str]:
    """Returns what differs by more than another processor's order of additions explains.

    For the quick form in float32: features, the predicted class of every picture, the loss, and
    what is counted from the classes.
    """
    differences = []
    if reference.features is None or climbed.features is None:
        raise ValueError("expected the features of the quick form")
    scale, allowed_apart = np.abs(reference.features).max(), RELATIVE[str(reference.features.dtype)]
    if reference.features.shape != climbed.features.shape:
        differences.append(
            f"features: {climbed.features.shape}, committed {reference.features.shape}"
        )
    elif (apart := np.abs(reference.features - climbed.features).max() / scale) > allowed_apart:
        differences.append(f"features: {apart:.2g} of the largest apart, allowed {allowed_apart:g}")
    for rung, frame in reference.predictions.items():
        other = climbed.predictions[rung]
        if (
            not _same_pictures(frame, other)
            or (prediction_tables.predicted(frame) != prediction_tables.predicted(other)).any()
        ):
            differences.append(f"predictions of {rung}: {_apart(frame, other)}")
            continue
        for subset, part in frame.groupby("subset"):
            old = evaluation.measure(part)["loss"]
            new = evaluation.measure(other[other["subset"] == subset])["loss"]
            if abs(new - old) > LOSS * old:
                differences.append(f"{subset} loss of {rung}: {new:.4f}, committed {old:.4f}")
    return differences or _table("ladder.csv", reference, climbed)


def read_seeds(studies: Path, identity: provenance.Identity) -> pd.DataFrame:
    """Returns the test accuracies of a folder's study of seeds, a row per rung and seed.

    Raises:
        InputError: the study is of another climb, or has too few seeds to tell what one more may
            give.
    """
    seeds, reason = pd.DataFrame(columns=["seed", "subset"]), ""
    if (studies / "seeds.json").is_file():
        seeds = pd.read_csv(studies / "seeds.csv")
        reason = "; ".join(
            provenance.differences(provenance.read(studies / "seeds.json"), identity)
        )
    if reason or (count := seeds["seed"].nunique()) < SEEDS:
        raise errors.InputError(
            "studies/seeds.csv",
            expected=f"at least {SEEDS} seeds of the code and params that the reports are of, to "
            "compare with another kind of machine's climb",
            received=f"seeds of another climb ({reason})" if reason else f"{count} seeds",
            advice=f"Run make seeds N={SEEDS} and commit what it writes.",
        )
    return seeds[seeds["subset"] == "test"]


def allowed(accuracies: pd.Series, pictures: int) -> tuple[float, float]:
    """Returns between what values one more seed's accuracy on so many pictures may lie.

    The interval is that of a further value of a normal distribution (Student's t).
    """
    spread = max(float(accuracies.std()), float(np.sqrt(0.25 / pictures) / 10))
    count = len(accuracies)
    reach = stats.t.ppf(CONFIDENCE, count - 1) * spread * np.sqrt(1 + 1 / count)
    return float(accuracies.mean() - reach), float(accuracies.mean() + reach)


def within_noise(seeds: pd.DataFrame, climbed: Results) -> list[str]:
    """Returns the rungs whose test accuracy is not one more draw from those of the seeds.

    One above is an alarm too: test pictures may have leaked into training. Prints what is allowed.
    """
    outside = []
    for rung, frame in climbed.predictions.items():
        test = frame[frame["subset"] == "test"]
        accuracy = evaluation.measure(test)["accuracy"]
        low, high = allowed(seeds.loc[seeds["rung"] == rung, "accuracy"], len(test))
        line = f"test accuracy of {rung}: {accuracy:.3f}, expected {low:.3f} – {high:.3f}"
        print(f"ladder: {line}")
        if not low <= accuracy <= high:
            outside.append(line)
    return outside


def climb(copy: Path, overrides: Sequence[str]) -> None:
    """Climbs in a clone of the project, with its code, from nothing but the archive.

    As far as the results that are compared: nothing is interpreted or drawn.
    """
    recipes.write(copy / settings.PARAMS, overrides)
    command = [*experiments.DVC, "repro", "evaluate"]
    if status := processes.run(command, copy, experiments.environment_of_copy()):
        sys.exit(status)


def clone(target: Path) -> None:
    """Makes a clean copy of what is committed; downloads, checked by their hash, are shared."""
    subprocess.run(["git", "clone", "--quiet", "--local", ".", str(target)], check=True)
    if sources.DOWNLOADS.is_dir():
        shutil.copytree(sources.DOWNLOADS, target / sources.DOWNLOADS.relative_to(paths.root()))


def check_committed(project: Path, *names: str) -> None:
    """Checks that a copy of what is committed has the code, params and recipes that lie here.

    Raises:
        InputError: it has not, and would say nothing of them.
    """
    lists = [str(recipes.RECIPES / f"{name}.txt") for name in (recipes.BOOK, *names)]
    places = [str(settings.PARAMS), *experiments.CODE, *lists]
    if changed := experiments.uncommitted(project, places):
        raise errors.InputError(
            "the reproduction check",
            expected="code, params and recipe as committed, because it climbs in a clean copy",
            received=", ".join(changed),
            advice="Commit the changes first, or take them back.",
        )


def compare(
    reference: Results, climbed: Results, studies: Path, identity: provenance.Identity | None
) -> list[str]:
    """Returns what differs: bit for bit where the machines are of one kind, else as explained.

    `studies` is the folder of studies. Its seeds, of the reference's identity, bound what another
    kind of machine may give. The quick form needs none.

    Raises:
        InputError: another kind of machine, and no such study, or one of too few seeds.
    """
    if reference.runtime == climbed.runtime:
        return exact(reference, climbed)
    if others := _other_pictures(reference, climbed):
        return others
    if identity is None:
        return within_kernels(reference, climbed)
    return within_noise(read_seeds(studies, identity), climbed)


def is_same_kind(reference: Results, params: Mapping[str, Any]) -> bool:
    """Returns whether a climb here would be on the kind of machine that the reference is of."""
    from ladder.networks import runtime  # TensorFlow

    runtime.start(settings.Runtime(**params["runtime"]), seed=None)
    return all(runtime.describe() == machine for machine in reference.runtime.values())


def quick_plan(form: str, folder: Path) -> recipes.Plan:
    """Returns the plan of a form of the quick climb, its pictures drawn into a folder."""
    archive = folder / "drawn.zip"
    drawing.archive(archive, QUICK[form], count=64, size=72)
    plan = recipes.plan(str(archive), recipes.BOOK, f"quick_{form}")
    return dataclasses.replace(plan, reports=provenance.QUICK / form)


def results_of(copy: Path, plan: recipes.Plan, target: Path, *, quick: bool) -> Results:
    """Gathers in `target` what a climb in a copy is compared by, and reads it."""
    files = paths.DatasetPaths(plan.dataset)
    shutil.copytree(copy / files.reports / "predictions", target / "predictions")
    for name in FILES:
        shutil.copy(copy / files.reports / name, target)
    shutil.copy(copy / paths.LOCK, target / paths.LOCK_OF_CLIMB)
    if quick:
        shutil.copyfile(copy / files.features("validation"), target / "features.npy")
    return read(target, target / paths.LOCK_OF_CLIMB)


def check_quick() -> tuple[list[str], bool]:
    """Climbs every form of the quick climb; returns what differs, and if machines are alike."""
    differences, same_kind = [], True
    for form in QUICK:
        with tempfile.TemporaryDirectory() as folder:
            plan, climbed = climb_quick(form, Path(folder))
            reference = read(plan.reports, plan.reports / paths.LOCK_OF_CLIMB)
            different = compare(reference, climbed, plan.studies, identity=None)
            differences += [f"{form}: {line}" for line in different]
            same_kind &= reference.runtime == climbed.runtime
    return differences, same_kind


def update_quick() -> None:
    """Climbs every form of the quick climb and makes what differs the reference.

    A form that comes out as committed is left, whatever the machine: else another machine's last
    bits would make another fingerprint, and no study would be of this code.
    """
    for form in QUICK:
        with tempfile.TemporaryDirectory() as folder:
            plan, climbed = climb_quick(form, Path(folder))
            lock = plan.reports / paths.LOCK_OF_CLIMB
            if lock.is_file() and not compare(
                read(plan.reports, lock), climbed, plan.studies, identity=None
            ):
                print(f"ladder: {form} does what it did; {plan.reports} stays")
                continue
            shutil.rmtree(plan.reports, ignore_errors=True)
            shutil.copytree(Path(folder) / RESULTS, plan.reports)
            print(f"ladder: {plan.reports} is new; commit it")


def climb_quick(form: str, folder: Path) -> tuple[recipes.Plan, Results]:
    """Climbs a form of the quick climb in a clean copy; the results gather in the folder too."""
    check_committed(Path.cwd(), f"quick_{form}")
    copy = folder / "ladder"
    clone(copy)
    plan = quick_plan(form, folder)
    climb(copy, plan.overrides)
    return plan, results_of(copy, plan, folder / RESULTS, quick=True)


def check(plan: recipes.Plan) -> tuple[list[str], bool]:
    """Climbs a ladder again; returns what differs, and whether machines are of one kind."""
    check_committed(Path.cwd(), *plan.recipes)
    with tempfile.TemporaryDirectory() as folder:
        copy, target = Path(folder) / "ladder", Path(folder) / RESULTS
        clone(copy)
        reports = copy / plan.reports
        own = reports / paths.LOCK_OF_CLIMB
        reference = read(reports, own if own.is_file() else copy / paths.LOCK)
        identity = provenance.read(reports / "climb.json")
        params = recipes.params(copy / settings.PARAMS, plan.overrides)
        if not is_same_kind(reference, params):
            read_seeds(copy / plan.studies, identity)  # if missing, better before the climb
        climb(copy, plan.overrides)
        climbed = results_of(copy, plan, target, quick=False)
        differences = compare(reference, climbed, copy / plan.studies, identity)
        return differences, reference.runtime == climbed.runtime


def run(plan: recipes.Plan | None, *, update: bool) -> None:
    """Climbs again in a clean copy and names what differs from what is committed; fails then.

    Without a plan it climbs the quick form, which `update` makes the reference.
    """
    experiments.check_repository()
    if update:
        update_quick()
        return
    differences, same_kind = check(plan) if plan else check_quick()
    if differences:
        sys.exit("\n".join(["ladder: not reproduced", *differences]))
    print(f"ladder: reproduced, {'bit for bit' if same_kind else 'on another kind of machine'}")
