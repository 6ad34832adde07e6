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

from ladder import (
    artifacts,
    climbs,
    drawing,
    errors,
    evaluation,
    paths,
    processes,
    provenance,
    settings,
    sources,
)

QUICK = "quick"  # the recipe, and the folder of reports
STAGES = ("split", "decode", "extract_features", "extract_views", "audit")  # that train nothing
TABLES = ("ladder.csv", "paired.csv", "calibration.csv")
FILES = ("climb.lock", "runtime.json", "weights.json", *TABLES)
RELATIVE = 1e-4  # of the largest activation: kernels of other processors add in another order
LOSS = 0.01  # relative: what such differences become after a training of a few epochs
SEEDS = 5  # fewer tell next to nothing of what one more may give
CONFIDENCE = 0.999  # one-sided, per rung: an alarm that cries wolf is switched off


@dataclasses.dataclass(frozen=True)
class Results:
    """What a climb left in its folder of reports."""

    hashes: Mapping[str, str]  # path → md5, of what `STAGES` write
    predictions: Mapping[paths.Rung, pd.DataFrame]
    tables: Mapping[str, pd.DataFrame]  # `TABLES`, without the seconds
    weights: Mapping[str, str]  # rung → sha256 of the arrays
    runtime: Mapping[str, Mapping[str, str]]  # of each rung: what the last bits depend on
    features: NDArray[np.float32] | None  # of validation, (n, …); the quick form's alone
    digest: str  # of params and code


def read(folder: Path) -> Results:
    """Returns the results in a folder of reports.

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
    stages = YAML(typ="safe", pure=True).load(folder / "climb.lock")["stages"]
    outputs = (output for name in STAGES for output in stages[name]["outs"])
    features = folder / "features.npy"
    return Results(
        {o["path"]: o["md5"] for o in outputs if "/seconds/" not in o["path"]},
        climbs.predictions(folder),
        tables | {"ladder.csv": tables["ladder.csv"].drop(columns=["seconds", "seconds_alone"])},
        artifacts.read_json(folder / "weights.json"),
        artifacts.read_json(folder / "runtime.json"),
        np.asarray(artifacts.read_npy(features)) if features.exists() else None,
        provenance.digest(*provenance.of_lock(folder / "climb.lock")),
    )


def exact(reference: Results, climbed: Results) -> list[str]:
    """Returns what is not bit for bit the same; for the same kind of machine and threads."""
    found = [
        f"{path}: md5 {climbed.hashes.get(path)}, committed {md5}"
        for path, md5 in reference.hashes.items()
        if climbed.hashes.get(path) != md5
    ]
    for rung, frame in reference.predictions.items():
        other = climbed.predictions[rung]
        if not frame.equals(other):
            found.append(f"predictions of {rung}: {_apart(frame, other)}")
    found += [
        f"weights of {rung}: sha256 {climbed.weights.get(rung)}, committed {sha256}"
        for rung, sha256 in reference.weights.items()
        if climbed.weights.get(rung) != sha256
    ]
    return found + [told for name in TABLES for told in _table(name, reference, climbed)]


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
    difference = np.abs(evaluation.probabilities(frame) - evaluation.probabilities(other)).max()
    flipped = int((evaluation.predicted(frame) != evaluation.predicted(other)).sum())
    return f"up to {difference:.2g} apart, {flipped} of {len(frame)} on the other side"


def within_kernels(reference: Results, climbed: Results) -> list[str]:
    """Returns what differs by more than another processor's order of additions explains.

    For the quick form in float32: features, the predicted class of every picture, the loss, and
    what is counted from the classes.
    """
    found = []
    if reference.features is None or climbed.features is None:
        raise ValueError("expected the features of the quick form")
    scale = np.abs(reference.features).max()
    if reference.features.shape != climbed.features.shape:
        found.append(f"features: {climbed.features.shape}, committed {reference.features.shape}")
    elif (apart := np.abs(reference.features - climbed.features).max() / scale) > RELATIVE:
        found.append(f"features: {apart:.2g} of the largest apart, allowed {RELATIVE:g}")
    for rung, frame in reference.predictions.items():
        other = climbed.predictions[rung]
        if (
            not _same_pictures(frame, other)
            or (evaluation.predicted(frame) != evaluation.predicted(other)).any()
        ):
            found.append(f"predictions of {rung}: {_apart(frame, other)}")
            continue
        for subset, part in frame.groupby("subset"):
            old = evaluation.measure(part)["loss"]
            new = evaluation.measure(other[other["subset"] == subset])["loss"]
            if abs(new - old) > LOSS * old:
                found.append(f"{subset} loss of {rung}: {new:.4f}, committed {old:.4f}")
    return found or _table("ladder.csv", reference, climbed)


def read_seeds(made: Path, digest: str) -> pd.DataFrame:
    """Returns the test accuracies of a folder's study of seeds, a row per rung and seed.

    Those of these params and this code alone.

    Raises:
        InputError: there are too few to tell what one more seed may give.
    """
    found = pd.DataFrame(columns=["seed", "subset"])
    if (made / "seeds.csv").is_file():
        climbed = pd.read_csv(made / "seeds_climbs.csv")
        found = pd.read_csv(made / "seeds.csv")
        found = found[found["seed"].isin(climbed.loc[climbed["digest"] == digest, "seed"])]
    if (count := found["seed"].nunique()) < SEEDS:
        raise errors.InputError(
            "studies/seeds.csv",
            expected=f"at least {SEEDS} seeds of the code and params that the reports are of, to "
            "compare with another kind of machine's climb",
            received=f"{count}",
            advice=f"Run make seeds N={SEEDS} and commit what it writes.",
        )
    return found[found["subset"] == "test"]


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
    found = []
    for rung, frame in climbed.predictions.items():
        test = frame[frame["subset"] == "test"]
        accuracy = evaluation.measure(test)["accuracy"]
        low, high = allowed(seeds.loc[seeds["rung"] == rung, "accuracy"], len(test))
        told = f"test accuracy of {rung}: {accuracy:.3f}, expected {low:.3f} – {high:.3f}"
        print(f"ladder: {told}")
        if not low <= accuracy <= high:
            found.append(told)
    return found


def climb(copy: Path, overrides: Sequence[str]) -> None:
    """Climbs in a clone of the project, with its code, from nothing but the archive."""
    climbs.override(copy / settings.PARAMS, climbs.values(overrides))
    command = [sys.executable, "-m", "dvc", "repro"]
    if status := processes.run(command, copy, climbs.environment_of_copy()):
        sys.exit(status)


def clone(target: Path) -> None:
    """Makes a clean copy of what is committed; downloads, checked by their hash, are shared."""
    subprocess.run(["git", "clone", "--quiet", "--local", ".", str(target)], check=True)
    if sources.DOWNLOADS.is_dir():
        shutil.copytree(sources.DOWNLOADS, target / sources.DOWNLOADS.relative_to(paths.root()))


def check_committed(project: Path, recipe: str) -> None:
    """Checks that a copy of what is committed has the code, params and recipe that lie here.

    Raises:
        InputError: it has not, and would say nothing of them.
    """
    command = [
        "git",
        "status",
        "--porcelain",
        "--",
        str(settings.PARAMS),
        "dvc.yaml",
        "stages",
        "src",
        *(str(climbs.RECIPES / f"{name}.txt") for name in (climbs.BOOK, recipe)),
    ]
    done = subprocess.run(command, cwd=project, check=True, capture_output=True, text=True)
    if done.stdout:
        raise errors.InputError(
            "the reproduction check",
            expected="code, params and recipe as committed, because it climbs in a clean copy",
            received=", ".join(line[3:] for line in done.stdout.splitlines()),
            advice="Commit the changes first, or take them back.",
        )


def compare(reference: Results, climbed: Results, made: Path) -> list[str]:
    """Returns what differs: bit for bit where the machines are of one kind, else as explained.

    `made` is the folder of studies; that of seeds tells what another kind of machine may give.

    Raises:
        InputError: another kind of machine, and no such study, or one of too few seeds.
    """
    if reference.runtime == climbed.runtime:
        return exact(reference, climbed)
    if others := _other_pictures(reference, climbed):
        return others
    if reference.features is not None:
        return within_kernels(reference, climbed)
    return within_noise(read_seeds(made, reference.digest), climbed)


def is_same_kind(reference: Results, params: Mapping[str, Any]) -> bool:
    """Returns whether a climb here would be on the kind of machine that the reference is of."""
    from ladder import runtime  # TensorFlow

    runtime.start(settings.Runtime(**params["runtime"]), seed=None)
    return all(runtime.describe() == told for told in reference.runtime.values())


def quick(folder: Path) -> climbs.Plan:
    """Returns the plan of the quick form, its pictures drawn into a folder."""
    archive = folder / "drawn.zip"
    drawing.archive(archive, ("cat", "dog"), count=64, size=64)
    return dataclasses.replace(climbs.plan(str(archive), QUICK), reports=Path("reports") / QUICK)


def results_of(copy: Path, plan: climbs.Plan, target: Path, *, features: bool) -> Results:
    """Gathers in `target` what a climb in a copy is compared by, and reads it."""
    files = paths.DatasetPaths(plan.source)
    shutil.copytree(copy / files.reports / "predictions", target / "predictions")
    for name in FILES:
        shutil.copy(copy / files.reports / name, target)
    if features:
        shutil.copyfile(copy / files.features("validation"), target / "features.npy")
    return read(target)


def main() -> None:
    """Climbs again in a clean copy and names what differs from what is committed; fails then."""
    parser = climbs.arguments("Climbs again in a clean copy and compares with what is committed.")
    parser.add_argument("--quick", action="store_true", help="drawn pictures, a few minutes")
    parser.add_argument("--update", action="store_true", help="make the reference of --quick")
    given = parser.parse_args()
    given.quick |= given.update
    check_committed(Path.cwd(), QUICK if given.quick else given.recipe)
    with tempfile.TemporaryDirectory() as folder:
        copy, target = Path(folder) / "ladder", Path(folder) / "results"
        clone(copy)
        plan = quick(Path(folder)) if given.quick else climbs.plan(given.archive, given.recipe)
        reference = None if given.update else read(copy / plan.reports)
        made = copy / plan.studies
        params = climbs.params(copy / settings.PARAMS, plan.overrides)
        if not (reference is None or given.quick or is_same_kind(reference, params)):
            read_seeds(made, reference.digest)  # lest it be missed after the climb
        climb(copy, plan.overrides)
        climbed = results_of(copy, plan, target, features=given.quick)
        if reference is None:
            shutil.rmtree(plan.reports, ignore_errors=True)
            shutil.copytree(target, plan.reports)
            return
        found = compare(reference, climbed, made)
    if found:
        sys.exit("\n".join(["ladder: not reproduced", *found]))
    same = "bit for bit" if reference.runtime == climbed.runtime else "on another kind of machine"
    print(f"ladder: reproduced, {same}")


if __name__ == "__main__":
    errors.run(main)
