"""What counts as reproduced, on results written by hand; tests/test_quick.py climbs."""

import dataclasses
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ladder import artifacts, errors, paths, provenance, rungs, settings
from ladder.climbs import recipes, reproduction
from ladder.networks import runtime
from ladder.pictures import archives, sources

ROOT = Path(__file__).parents[2]

LADDER = pd.DataFrame({"rung": rungs.RUNGS, "test_accuracy": [0.9] * 5})
PAIRED = pd.DataFrame({"rung": rungs.RUNGS[1:], "p_value": [0.5] * 4})
CALIBRATION = pd.DataFrame({"rung": rungs.RUNGS, "brier": [0.1] * 5})
RUNTIME = {"scratch": {"policy": "float32", "threads": "2"}}
PARAMS: dict[str, Any] = {"seed": 0, "fine_tune": {"epochs": 8}}
IDENTITY = provenance.Identity(PARAMS, "1a2b", "float32", "2.21.0", "3.15.1")


def predictions(shift: float = 0.0) -> pd.DataFrame:
    """Returns 100 pictures a subset, 90 right with probability 0.9 and 10 wrong with 0.6."""
    label = np.arange(200) % 2
    sure = np.where(np.arange(200) % 100 < 90, 0.9, 0.4) - shift
    subset = ["validation"] * 100 + ["test"] * 100
    return pd.DataFrame(
        {
            "id": [f"picture.{i}" for i in range(200)],
            "label": label,
            "probability": np.where(label == 1, sure, 1 - sure),
            "subset": subset,
        }
    )


def results(**changes: Any) -> reproduction.Results:
    whole = reproduction.Results(
        {"manifest.csv": "aa", "images/train.npy": "bb"},
        {rung: predictions() for rung in rungs.RUNGS},
        {"ladder.csv": LADDER, "paired.csv": PAIRED, "calibration.csv": CALIBRATION},
        dict.fromkeys(rungs.RUNGS, "cc"),
        RUNTIME,
        np.linspace(-1, 10, 24, dtype=np.float32).reshape(2, 12),
    )
    return dataclasses.replace(whole, **changes)


def with_rung(rung: rungs.Rung, frame: pd.DataFrame) -> reproduction.Results:
    return results(predictions={**results().predictions, rung: frame})


OTHER_MACHINE = {"scratch": {"policy": "float32", "threads": "8"}}


def test_the_same_results_are_reproduced(tmp_path: Path) -> None:
    elsewhere = results(runtime=OTHER_MACHINE)
    assert reproduction.compare(results(), results(), tmp_path, None) == []
    assert reproduction.compare(results(), results(), tmp_path, IDENTITY) == []  # without seeds
    assert reproduction.compare(results(), elsewhere, tmp_path, None) == []


def test_on_the_same_kind_of_machine_one_bit_is_red(tmp_path: Path) -> None:
    probability = predictions()["probability"].to_numpy(copy=True)
    probability[7] = np.nextafter(probability[7], 1)
    changed = predictions().assign(probability=probability)
    differences = reproduction.compare(results(), with_rung("features", changed), tmp_path, None)
    assert len(differences) == 1
    assert differences[0].startswith("predictions of features: up to ")
    assert differences[0].endswith("apart, 0 of 200 on the other side")
    hashes = {"manifest.csv": "aa", "images/train.npy": "cc"}
    for identity in (None, IDENTITY):
        differences = reproduction.compare(results(), results(hashes=hashes), tmp_path, identity)
        assert differences == ["images/train.npy: md5 cc, committed bb"]


def test_a_missing_file_is_red() -> None:
    assert reproduction.exact(results(), results(hashes={"manifest.csv": "aa"})) == [
        "images/train.npy: md5 None, committed bb"
    ]


def test_other_weights_are_red_although_every_answer_is_the_same() -> None:
    weights = {**results().weights, "features": "dd"}
    differences = reproduction.exact(results(), results(weights=weights))
    assert differences == ["weights of features: sha256 dd, committed cc"]


@pytest.mark.parametrize("compare", [reproduction.exact, reproduction.within_kernels])
def test_the_same_answers_measured_otherwise_are_red(compare: Any) -> None:
    ladder = LADDER.assign(test_accuracy=0.8, more=1)
    measured = results(tables={**results().tables, "ladder.csv": ladder})
    assert compare(results(), measured) == ["ladder.csv: test_accuracy, more"]


@pytest.mark.parametrize(
    ("name", "column"), [("paired.csv", "p_value"), ("calibration.csv", "brier")]
)
def test_another_verdict_on_the_same_answers_is_red(name: str, column: str) -> None:
    tables = {**results().tables, name: results().tables[name].assign(**{column: 0.2})}
    assert reproduction.exact(results(), results(tables=tables)) == [f"{name}: {column}"]


def test_another_machine_may_round_otherwise_but_no_more() -> None:
    features = results().features
    assert features is not None
    rounded = results(features=features + 9e-4)  # the largest is 10
    assert reproduction.within_kernels(results(), rounded) == []
    (line,) = reproduction.within_kernels(results(), results(features=features + 2e-3))
    assert line.startswith("features: 0.0002 of the largest apart")
    (line,) = reproduction.within_kernels(results(), results(features=features[:1]))
    assert line == "features: (1, 12), committed (2, 12)"


def test_a_picture_on_the_other_side_or_another_label_is_red() -> None:
    probability = predictions()["probability"].to_numpy(copy=True)
    probability[3] = 1 - probability[3]
    flipped = predictions().assign(probability=probability)
    (line,) = reproduction.within_kernels(results(), with_rung("scratch", flipped))
    assert line == "predictions of scratch: up to 0.8 apart, 1 of 200 on the other side"
    relabelled = predictions()
    relabelled.loc[3, "label"] = 0
    (line,) = reproduction.within_kernels(results(), with_rung("scratch", relabelled))
    assert line == "predictions of scratch: other pictures or labels"


def test_a_loss_apart_is_red_although_every_class_is_the_same() -> None:
    differences = reproduction.within_kernels(results(), with_rung("fine_tuned", predictions(0.03)))
    # -0.9 ln 0.9 - 0.1 ln 0.4 = 0.1865, and with 0.87 and 0.37 instead 0.2248
    assert differences == [
        "test loss of fine_tuned: 0.2248, committed 0.1865",
        "validation loss of fine_tuned: 0.2248, committed 0.1865",
    ]
    assert not reproduction.within_kernels(results(), with_rung("fine_tuned", predictions(1e-4)))


def seeds(values: list[float]) -> pd.DataFrame:
    rows = [(seed, rung, v) for rung in rungs.RUNGS for seed, v in enumerate(values)]
    return pd.DataFrame(rows, columns=["seed", "rung", "accuracy"])


@pytest.mark.parametrize(("mean", "green"), [(0.9, True), (0.85, False), (0.95, False)])
def test_an_accuracy_outside_the_seeds_is_red_above_as_well(mean: float, green: bool) -> None:
    values = [mean - 0.002, mean - 0.001, mean, mean + 0.001, mean + 0.002]
    study = seeds(values)
    # Student's t with 4 degrees of freedom at 0.999 is 7.173; of sqrt(1 + 1/5) and a spread of
    # at least a tenth of sqrt(0.25 / 100): 0.0393 on both sides
    differences = reproduction.within_noise(study, results())
    assert (differences == []) is green
    if not green:
        assert len(differences) == len(rungs.RUNGS)
        low, high = mean - 0.0393, mean + 0.0393
        assert differences[0] == f"test accuracy of scratch: 0.900, expected {low:.3f} – {high:.3f}"


@pytest.mark.parametrize("identity", [None, IDENTITY])
def test_other_pictures_are_red_on_every_machine(
    tmp_path: Path, identity: provenance.Identity | None
) -> None:
    moved = with_rung("scratch", predictions().assign(subset="test"))
    for reference in (results(), results(features=None)):
        other = dataclasses.replace(moved, runtime=OTHER_MACHINE)
        differences = reproduction.compare(reference, other, tmp_path, identity)
        assert differences == ["predictions of scratch: other pictures or labels"]
        other = results(runtime=OTHER_MACHINE, hashes={"manifest.csv": "ff"})
        differences = reproduction.compare(reference, other, tmp_path, identity)
        assert differences == ["manifest.csv: md5 ff, committed aa"]


def write_study(folder: Path, count: int, identity: provenance.Identity) -> None:
    """Writes a study of seeds whose test accuracies are near 0.9, and validation's far from it."""
    both = (
        seeds([0.9] * count).assign(subset="test"),
        seeds([0.1] * count).assign(subset="validation"),
    )
    artifacts.write_csv(folder / "seeds.csv", pd.concat(both))
    provenance.write(folder / "seeds.json", identity)


def test_without_enough_seeds_another_machine_cannot_be_compared(tmp_path: Path) -> None:
    reference, climbed = results(features=None), results(runtime=OTHER_MACHINE)

    def compare() -> list[str]:
        return reproduction.compare(reference, climbed, tmp_path, IDENTITY)

    with pytest.raises(errors.InputError, match=r"expected at least 5 seeds .*Received: 0 seeds"):
        compare()
    write_study(tmp_path, 4, IDENTITY)
    with pytest.raises(errors.InputError, match=r"Received: 4 seeds\. Run make seeds N=5"):
        compare()
    write_study(tmp_path, 5, IDENTITY)
    assert compare() == []
    write_study(tmp_path, 5, dataclasses.replace(IDENTITY, params={**PARAMS, "seed": 3}))
    assert compare() == []


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (dataclasses.replace(IDENTITY, fingerprint="3c4d"), "fingerprint: 3c4d, 1a2b"),
        (dataclasses.replace(IDENTITY, policy="mixed_bfloat16"), "policy: mixed_bfloat16, float32"),
        (
            dataclasses.replace(IDENTITY, params={"seed": 0, "fine_tune": {"epochs": 4}}),
            r"fine_tune\.epochs: 4, 8",
        ),
    ],
)
def test_seeds_of_another_climb_are_no_measure_and_the_reason_is_named(
    tmp_path: Path, other: provenance.Identity, reason: str
) -> None:
    write_study(tmp_path, 5, other)
    message = rf"Received: seeds of another climb \({reason}\)\. Run make seeds N=5"
    with pytest.raises(errors.InputError, match=message):
        reproduction.compare(
            results(features=None), results(runtime=OTHER_MACHINE), tmp_path, IDENTITY
        )


def test_the_kind_of_machine_is_known_before_the_climb(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[settings.Runtime] = []  # in earnest only once in a process
    monkeypatch.setattr(runtime, "start", lambda of_climb, seed: started.append(of_climb))
    here = runtime.describe()
    params = {"runtime": {"precision": "float32", "threads": 2}}
    same = results(runtime=dict.fromkeys(rungs.RUNGS, here))
    assert reproduction.is_same_kind(same, params)
    one_rung = results(runtime={"scratch": here, "features": {**here, "threads": "64"}})
    assert not reproduction.is_same_kind(one_rung, params)
    assert started == [settings.Runtime(precision="float32", threads=2)] * 2


def test_results_are_read_from_a_folder_of_reports(tmp_path: Path) -> None:
    lock = {
        name: {"outs": [{"path": f"data/d/{name}.npy", "md5": name * 2}]}
        for name in (*reproduction.STAGES, "fine_tune")
    }
    lock["decode"]["outs"].append({"path": "data/d/seconds/decode.json", "md5": "time"})
    of_climb = tmp_path / "elsewhere/dvc.lock"
    artifacts.write_json(of_climb, {"stages": lock})  # JSON is YAML
    artifacts.write_json(tmp_path / "runtime.json", RUNTIME)
    with pytest.raises(errors.InputError, match=r"Received: no weights\.json, no ladder\.csv, no"):
        reproduction.read(tmp_path, of_climb)
    artifacts.write_json(tmp_path / "weights.json", {"scratch": "cc"})
    seconds = {"seconds": [1.5] * 5, "seconds_alone": [2.5] * 5}
    artifacts.write_csv(tmp_path / "ladder.csv", LADDER.assign(**seconds))
    artifacts.write_csv(tmp_path / "paired.csv", PAIRED)
    artifacts.write_csv(tmp_path / "calibration.csv", CALIBRATION)
    for rung in rungs.RUNGS:
        artifacts.write_csv(tmp_path / f"predictions/{rung}.csv", predictions())
    read_results = reproduction.read(tmp_path, of_climb)
    assert read_results.hashes == {
        f"data/d/{name}.npy": name * 2
        for name in ("split", "decode", "extract_features", "extract_views", "audit")
    }
    assert reproduction.exact(read_results, read_results) == []
    assert read_results.features is None
    assert read_results.weights == {"scratch": "cc"}
    assert read_results.tables["ladder.csv"].columns.tolist() == ["rung", "test_accuracy"]
    artifacts.write_npy(tmp_path / "features.npy", np.ones((2, 3), np.float32))
    features = reproduction.read(tmp_path, of_climb).features
    assert features is not None
    assert features.shape == (2, 3)


@pytest.fixture
def without_climbs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves out all that takes long: the copy and the climb in it."""
    for name in ("check_committed", "clone", "climb"):
        monkeypatch.setattr(reproduction, name, lambda *_: None)


def quick_plan(folder: Path) -> Callable[..., recipes.Plan]:
    """Returns a function that plans a form whose results are committed in a folder of its name."""

    def plan(form: str, _: Path) -> recipes.Plan:
        return recipes.Plan("d", (), folder / form, folder / "studies", form, ())

    return plan


@pytest.mark.usefixtures("without_climbs")
def test_what_differs_is_the_last_word_of_a_command_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The climbs are left out: the command, what it compares and how it ends are not."""
    elsewhere = results(runtime=OTHER_MACHINE)
    changed = with_rung("features", predictions(shift=0.2))
    every = [results(), results(), results(), elsewhere, elsewhere, results(), results(), changed]
    climbed = iter(every)
    monkeypatch.setattr(reproduction, "quick_plan", quick_plan(tmp_path))
    monkeypatch.setattr(reproduction, "read", lambda *_: results())
    monkeypatch.setattr(reproduction, "results_of", lambda *_, **__: next(climbed))
    for kind in ("bit for bit", "on another kind of machine", "on another kind of machine"):
        reproduction.run(None, update=False)
        assert capsys.readouterr().out == f"ladder: reproduced, {kind}\n"
    with pytest.raises(SystemExit) as ended:
        reproduction.run(None, update=False)
    first, line = str(ended.value.code).splitlines()
    assert first == "ladder: not reproduced"
    assert line.startswith(f"{[*reproduction.QUICK][1]}: predictions of features: up to ")


@pytest.mark.usefixtures("without_climbs")
def test_an_update_makes_what_is_climbed_the_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    artifacts.write_text(tmp_path / "stored/predictions/of_a_rung_that_was.csv", "id\n")

    def results_of(_: Path, plan: recipes.Plan, target: Path, *, quick: bool) -> Any:
        assert quick
        artifacts.write_json(target / "weights.json", {"form": plan.name})
        return results()

    monkeypatch.setattr(reproduction, "quick_plan", quick_plan(tmp_path))
    monkeypatch.setattr(reproduction, "results_of", results_of)
    reproduction.run(None, update=True)
    assert capsys.readouterr().out.count("is new; commit it") == len(reproduction.QUICK)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.relative_to(tmp_path).as_posix() for path in files} == {
        f"{form}/weights.json" for form in reproduction.QUICK
    }
    assert artifacts.read_json(tmp_path / "fresh/weights.json") == {"form": "fresh"}


@pytest.mark.usefixtures("without_climbs")
@pytest.mark.parametrize("reference", [results(), results(runtime=OTHER_MACHINE)])
def test_an_update_leaves_what_comes_out_the_same(
    reference: reproduction.Results,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Another machine's last bits would make another fingerprint of the same code."""
    for form in reproduction.QUICK:
        artifacts.write_text(tmp_path / form / "climb.lock", "stages: {}\n")
    monkeypatch.setattr(reproduction, "quick_plan", quick_plan(tmp_path))
    monkeypatch.setattr(reproduction, "read", lambda *_: reference)
    monkeypatch.setattr(reproduction, "results_of", lambda *_, **__: results())
    reproduction.run(None, update=True)
    assert capsys.readouterr().out.count("does what it did") == len(reproduction.QUICK)
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {"climb.lock"}


@pytest.mark.parametrize("own_lock", [True, False])
def test_a_ladder_is_compared_with_the_lock_of_its_own_climb(
    at_root: Path, monkeypatch: pytest.MonkeyPatch, own_lock: bool
) -> None:
    """A recipe's lies in its reports, that of params.yaml's dataset is the workspace's."""
    plan = recipes.Plan("d", (), Path("reports/d"), Path("reports/d/studies"), "d", ("mine",))
    locks: list[str] = []
    committed: list[str] = []
    elsewhere: list[bool] = []

    def clone(copy: Path) -> None:
        provenance.write(copy / "reports/d/climb.json", IDENTITY, pictures="5e6f")
        for path in ["dvc.lock", *(["reports/d/climb.lock"] if own_lock else [])]:
            (copy / path).touch()
        (copy / "params.yaml").write_text("seed: 0\n")
        if elsewhere:
            write_study(copy / "reports/d/studies", 5, IDENTITY)

    def read(folder: Path, lock: Path) -> reproduction.Results:
        assert folder.parts[-3:] == ("ladder", "reports", "d")
        locks.append(lock.relative_to(folder.parents[1]).as_posix())
        return results()

    monkeypatch.setattr(reproduction, "check_committed", lambda _, *names: committed.extend(names))
    monkeypatch.setattr(reproduction, "climb", lambda *_: None)
    monkeypatch.setattr(reproduction, "clone", clone)
    monkeypatch.setattr(reproduction, "read", read)
    monkeypatch.setattr(reproduction, "is_same_kind", lambda *_: not elsewhere)
    monkeypatch.setattr(reproduction, "results_of", lambda *_, **__: results())
    assert reproduction.check(plan) == ([], True)
    assert locks == ["reports/d/climb.lock" if own_lock else "dvc.lock"]
    assert committed == ["mine"]  # the recipes that the plan is of
    elsewhere.append(True)
    other = results(runtime=OTHER_MACHINE)
    monkeypatch.setattr(reproduction, "results_of", lambda *_, **__: other)
    assert reproduction.check(plan) == ([], False)


def test_without_seeds_a_climb_on_another_machine_does_not_begin(
    at_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = recipes.Plan("d", (), Path("reports/d"), Path("reports/d/studies"), "d", ("mine",))

    def clone(copy: Path) -> None:
        provenance.write(copy / "reports/d/climb.json", IDENTITY, pictures="5e6f")
        (copy / "params.yaml").write_text("seed: 0\n")

    monkeypatch.setattr(reproduction, "check_committed", lambda *_: None)
    monkeypatch.setattr(reproduction, "climb", lambda *_: pytest.fail("it climbs"))
    monkeypatch.setattr(reproduction, "clone", clone)
    monkeypatch.setattr(reproduction, "read", lambda *_: results())
    monkeypatch.setattr(reproduction, "is_same_kind", lambda *_: False)
    with pytest.raises(errors.InputError, match="at least 5 seeds"):
        reproduction.check(plan)


def test_what_a_climb_left_is_gathered_and_read(tmp_path: Path) -> None:
    copy, target = tmp_path / "copy", tmp_path / "results"
    reports, data = copy / "reports/cifar10", copy / "data/cifar10"
    plan = recipes.Plan("cifar10", (), Path("unused"), Path("unused"), "quick", ())
    for rung in rungs.RUNGS:
        artifacts.write_csv(reports / f"predictions/{rung}.csv", predictions())
    artifacts.write_json(reports / "runtime.json", RUNTIME)
    artifacts.write_json(reports / "weights.json", dict.fromkeys(rungs.RUNGS, "cc"))
    ladder = LADDER.assign(seconds=1.5, seconds_alone=2.5)
    for name, table in (("ladder", ladder), ("paired", PAIRED), ("calibration", CALIBRATION)):
        artifacts.write_csv(reports / f"{name}.csv", table)
    lock = {name: {"outs": [{"path": name, "md5": "aa"}]} for name in reproduction.STAGES}
    artifacts.write_json(copy / "dvc.lock", {"stages": lock})
    artifacts.write_npy(data / "features/validation.npy", np.ones((2, 3), np.float32))
    climbed = reproduction.results_of(copy, plan, target, quick=True)
    assert (target / paths.LOCK_OF_CLIMB).is_file()
    committed = reproduction.read(target, target / paths.LOCK_OF_CLIMB)
    assert reproduction.exact(committed, climbed) == []
    assert reproduction.within_kernels(committed, climbed) == []
    assert climbed.hashes == dict.fromkeys(reproduction.STAGES, "aa")
    bare = reproduction.results_of(copy, plan, tmp_path / "others", quick=False)
    assert bare.features is None
    assert not (tmp_path / "others/features.npy").exists()


@pytest.mark.parametrize("form", reproduction.QUICK)
def test_a_form_of_the_quick_climb_draws_its_classes_and_has_its_recipe(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv(sources.PICTURES_VARIABLE, "")  # put back after the plan
    plan = reproduction.quick_plan(form, tmp_path)
    members = archives.members(Path(os.environ[sources.PICTURES_VARIABLE]))
    assert tuple(sorted({*members["class_name"]})) == reproduction.QUICK[form]
    params = recipes.params(settings.PARAMS, plan.overrides)
    wanted = sum(params["split"][subset] for subset in paths.SUBSETS)
    assert (members.groupby("class_name").size() >= wanted).all()
    assert params["dataset"]["sha256"] == archives.sha256(tmp_path / "drawn.zip")
    assert plan.reports == provenance.QUICK / form
    assert params["base"]["weights"] == "torchvision"  # the real ones
    assert params["runtime"]["precision"] == "float32"  # `within_kernels` asks for it


def test_the_forms_of_the_quick_climb_take_every_path_of_a_study(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    every = [
        recipes.params(
            settings.PARAMS, recipes.plan(recipes.BOOK, recipe=f"quick_{form}").overrides
        )
        for form in reproduction.QUICK
    ]
    assert {len(classes) for classes in reproduction.QUICK.values()} == {2, 3}
    assert {params["augmentation"]["views"] > 0 for params in every} == {True, False}
    assert {params["base"]["preprocessing"] for params in every} == {"imagenet", "book"}
    assert {params["extraction"]["storage"] for params in every} == {"float16", "float32"}
    frozen = {params["train_end_to_end"]["unfreeze_from"] == "flatten" for params in every}
    assert frozen == {True, False}
    assert len({params["fine_tune"]["unfreeze_from"] for params in every}) == 2
    assert {params["train_end_to_end"]["schedule"] for params in every} == {"cosine", "constant"}
    assert {params["split"]["train_used_per_class"] is None for params in every} == {True, False}
    fits = [params[row.stage] for params in every for row in rungs.TABLE.values()]
    assert {fit["validate_every"] > fit["epochs"] for fit in fits} == {True, False}
    assert any(fit["minimum_epochs"] + fit["patience"] < fit["epochs"] for fit in fits)


@pytest.mark.parametrize("form", reproduction.QUICK)
def test_a_form_of_the_quick_climb_has_its_results_committed(form: str) -> None:
    folder = ROOT / provenance.QUICK / form
    committed = reproduction.read(folder, folder / paths.LOCK_OF_CLIMB)
    assert committed.features is not None
    classes = reproduction.QUICK[form]
    for frame in committed.predictions.values():
        assert {*frame["label"]} == {*range(len(classes))}
    assert committed.weights.keys() == committed.runtime.keys() == {*rungs.RUNGS}


def test_changes_that_a_clean_copy_would_lack_are_refused(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init", "--quiet")
    (tmp_path / "params.yaml").write_text("seed: 0\n")
    (tmp_path / "README.md").write_text("words\n")
    (tmp_path / "recipes").mkdir()
    git("add", ".")
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message", "all")
    (tmp_path / "README.md").write_text("other words\n")
    (tmp_path / "recipes/mine.txt").write_text("seed=1\n")
    reproduction.check_committed(tmp_path)  # not a list that it climbs by
    reproduction.check_committed(tmp_path, "other")
    (tmp_path / "params.yaml").write_text("seed: 1\n")
    with pytest.raises(errors.InputError, match=r"Received: params\.yaml, recipes/"):
        reproduction.check_committed(tmp_path, "mine")
    (tmp_path / "recipes/dogs_vs_cats.txt").write_text("seed=1\n")  # all others stand on it
    with pytest.raises(errors.InputError, match=r"Received: params\.yaml, recipes/dogs_vs_cats"):
        reproduction.check_committed(tmp_path)
