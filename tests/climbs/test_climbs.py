import dataclasses
import sys
import zlib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from dvc.utils import resolve_output

from conftest import drawn_pictures
from ladder import artifacts, errors, paths, provenance, rungs
from ladder.climbs import climbs, experiments, recipes
from ladder.networks import probe, runtime
from ladder.page import report, serving
from ladder.pictures import sources

ROOT = Path(__file__).parents[2]
PARAMS = """
seed: 0
runtime:
  precision: float32
interpretation:
  steps: 2
fine_tune:
  epochs: 2
"""
QUICK = provenance.QUICK / "stored"


@pytest.fixture
def project(at_root: Path) -> Path:
    """A project with params, a stage and the results of a form of the quick climb."""
    (at_root / "params.yaml").write_text(PARAMS)
    artifacts.write_text(at_root / "stages/train.py", "print('train')\n")
    artifacts.write_json(at_root / QUICK / "weights.json", {"scratch": "aa"})
    artifacts.write_csv(
        at_root / QUICK / "predictions/scratch.csv", pd.DataFrame({"probability": [0.5]})
    )
    return at_root


@pytest.mark.usefixtures("project")
def test_a_planned_climb_is_of_this_code_and_this_machine() -> None:
    planned = climbs.planned(["fine_tune.epochs=3"])
    assert planned == provenance.Identity(
        {
            "seed": 0,
            "runtime": {"precision": "float32"},
            "interpretation": {"steps": 2},
            "fine_tune": {"epochs": 3},
        },
        provenance.fingerprint(Path()),
        "float32",
        **runtime.versions(),
    )
    assert climbs.planned(["runtime.precision=bfloat16"]).policy == "mixed_bfloat16"
    with pytest.raises(errors.InputError, match=r"keys of params\.yaml\. Received: more"):
        climbs.planned(["more=1"])


@pytest.mark.parametrize(
    ("path", "right", "wrong", "reason"),
    [
        ("params.yaml", "seed: 0", "seed: 7", None),
        ("params.yaml", "steps: 2", "steps: 3", None),
        ("stages/train.py", "train", "train as before", None),
        ("params.yaml", "epochs: 2", "epochs: 3", r"fine_tune\.epochs: 2, 3"),
        ("params.yaml", "float32", "bfloat16", r"policy: float32, mixed_bfloat16; runtime\.prec"),
        (f"{QUICK}/weights.json", "aa", "bb", "fingerprint: "),
        (f"{QUICK}/predictions/scratch.csv", "0.5", "0.6", "fingerprint: "),
    ],
)
def test_a_study_ends_where_what_predictions_come_from_was_changed(
    project: Path, path: str, right: str, wrong: str, reason: str | None
) -> None:
    before = climbs.planned([])
    text = (project / path).read_text()
    assert right in text
    (project / path).write_text(text.replace(right, wrong))
    if reason is None:
        climbs.check_unchanged([], before)
        return
    message = (
        "study: expected the same code and params for every climb. "
        rf"Received: a change since the first: {reason}"
    )
    with pytest.raises(errors.InputError, match=message):
        climbs.check_unchanged([], before)


@pytest.mark.usefixtures("project")
def test_an_override_is_a_change_of_the_params() -> None:
    before = climbs.planned([])
    climbs.check_unchanged(["fine_tune.epochs=2", "seed=9"], before)
    with pytest.raises(errors.InputError, match=r"fine_tune\.epochs: 2, 3"):
        climbs.check_unchanged(["fine_tune.epochs=3"], before)


IDENTITY = provenance.Identity(
    {"seed": 0, "runtime": {"precision": "auto"}}, "1a2b", "float32", "2.21.0", "3.15.1"
)


def write_climb(
    reports: Path,
    identity: provenance.Identity = IDENTITY,
    *,
    pictures: str = "5e6f",
    probability: float = 0.8,
    **params: Any,
) -> None:
    """Writes the reports of a climb whose rungs all have these params, but the first.

    Its probabilities depend a little on the params, as those of networks do.
    """
    stages: dict[str, Any] = {}
    for rung in rungs.RUNGS:
        of_rung = {} if rung == "scratch" else params
        stages[f"predict@{rung}"] = {
            "params": {"params.yaml": {"seed": 0, **of_rung}},
            "outs": [{"path": f"{rung}.csv", "md5": "3"}],
        }
        shift = zlib.crc32(repr((identity, of_rung)).encode()) % 97 / 1000
        answers = pd.DataFrame({"id": ["a", "b"], "label": 1, "probability": probability + shift})
        artifacts.write_csv(reports / f"predictions/{rung}.csv", answers.assign(subset="test"))
    artifacts.write_json(reports / "climb.lock", {"stages": stages})  # JSON is YAML
    of_climb = dataclasses.replace(identity, params={**identity.params, **params})
    provenance.write(reports / "climb.json", of_climb, pictures=pictures)


def test_a_recipe_is_compared_on_the_rungs_that_it_changes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_climb(tmp_path, image_size=64)
    assert climbs.compare(tmp_path).empty
    assert not (tmp_path / "studies").exists()
    write_climb(tmp_path / "larger", image_size=96, probability=0.1)
    write_climb(tmp_path / "same", image_size=64, dataset={"sha256": "6"})
    table = climbs.compare(tmp_path)
    assert table["recipe"].unique().tolist() == ["larger"]
    assert table["rung"].tolist() == list(rungs.RUNGS[1:])
    assert table["accuracy"].tolist() == [0.0] * 4
    assert capsys.readouterr().err == ""
    written = pd.read_csv(tmp_path / "studies/recipes.csv")
    assert written["rung"].tolist() == list(rungs.RUNGS[1:])
    of_default = provenance.read(tmp_path / "climb.json")
    assert provenance.read(tmp_path / "studies/recipes.json") == of_default
    for recipe in ("larger", "same"):
        (tmp_path / recipe / "climb.json").unlink()
    assert climbs.compare(tmp_path).empty
    assert [*(tmp_path / "studies").iterdir()] == []
    write_climb(tmp_path / "larger", image_size=96)
    (tmp_path / "climb.json").unlink()  # of a project whose only ladder is one's own
    assert climbs.compare(tmp_path).empty


@pytest.mark.parametrize(
    ("identity", "pictures", "reason"),
    [
        (IDENTITY, "7a8b", "pictures: 5e6f, 7a8b"),
        (dataclasses.replace(IDENTITY, fingerprint="3c4d"), "5e6f", "fingerprint: 1a2b, 3c4d"),
        (dataclasses.replace(IDENTITY, tensorflow="2"), "5e6f", "tensorflow: 2.21.0, 2"),
        (dataclasses.replace(IDENTITY, keras="3"), "5e6f", "keras: 3.15.1, 3"),
        (
            dataclasses.replace(IDENTITY, policy="mixed_bfloat16"),
            "5e6f",
            "policy: float32, mixed_bfloat16",
        ),
        (
            dataclasses.replace(IDENTITY, fingerprint="3c4d"),
            "7a8b",
            "pictures: 5e6f, 7a8b; fingerprint: 1a2b, 3c4d",
        ),
    ],
)
def test_why_a_recipe_is_not_compared_is_named(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    identity: provenance.Identity,
    pictures: str,
    reason: str,
) -> None:
    write_climb(tmp_path, image_size=64)
    write_climb(tmp_path / "larger", image_size=96)
    write_climb(tmp_path / "of_another", identity, pictures=pictures, image_size=96)
    table = climbs.compare(tmp_path)
    assert table["recipe"].unique().tolist() == ["larger"]
    assert capsys.readouterr().err == f"ladder: of_another is not compared; {reason}\n"


def test_a_recipe_that_asks_for_another_precision_is_compared(tmp_path: Path) -> None:
    write_climb(tmp_path, runtime={"precision": "auto"})
    bfloat16 = dataclasses.replace(IDENTITY, policy="mixed_bfloat16")
    write_climb(tmp_path / "bfloat16", bfloat16, runtime={"precision": "bfloat16"})
    assert climbs.compare(tmp_path)["rung"].tolist() == list(rungs.RUNGS[1:])


def test_a_base_that_goes_on_training_is_compared_with_frozen_ones_as_well(
    tmp_path: Path, at_root: Path
) -> None:
    write_climb(tmp_path, image_size=64)
    for recipe, image_size in (("book", 96), ("book_preprocessing", 128), ("unfrozen", 128)):
        write_climb(tmp_path / recipe, image_size=image_size)
    table = climbs.compare(tmp_path)
    assert [*dict.fromkeys(zip(table["recipe"], table.iloc[:, 1], strict=True))] == [
        ("book", "default"),
        ("book_preprocessing", "default"),
        ("unfrozen", "default"),
        ("unfrozen", "book"),  # not book_preprocessing: here its params are the same
    ]


def test_what_a_recipe_reached_before_its_other_params_changed_is_not_compared(
    at_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its rungs that do not depend on them are; and one of today, whatever its own params are."""
    reports = at_root / "reports/photos"
    for recipe in ("larger", "of_today"):
        artifacts.write_text(at_root / f"recipes/{recipe}.txt", "image_size=96\n")
    write_climb(reports, image_size=64, fine_tune={"epochs": 4, "batch_size": 2})
    write_climb(reports / "larger", image_size=96, fine_tune={"epochs": 8, "batch_size": 2})
    write_climb(reports / "of_today", image_size=96, fine_tune={"epochs": 4, "batch_size": 2})
    lock = artifacts.read_json(reports / "climb.lock")  # JSON is YAML
    del lock["stages"]["predict@features"]["params"]["params.yaml"]["fine_tune"]
    artifacts.write_json(reports / "climb.lock", lock)
    table = climbs.compare(reports)
    by_recipe = {name: rows["rung"].tolist() for name, rows in table.groupby("recipe")}
    assert by_recipe == {"larger": ["features"], "of_today": list(rungs.RUNGS[1:])}
    assert capsys.readouterr().err.splitlines() == [
        f"ladder: {rung} of larger is not compared; fine_tune.epochs: 4, 8"
        for rung in ("scratch_augmented", "features_augmented", "fine_tuned")
    ]


def test_where_the_default_has_no_lock_of_its_own_it_is_that_of_the_workspace(
    at_root: Path,
) -> None:
    write_climb(at_root / "reports/cifar10", image_size=64)
    lock = artifacts.read_json(at_root / "reports/cifar10/climb.lock")  # JSON is YAML
    lock["stages"]["evaluate"] = {"outs": [{"path": "reports/cifar10/ladder.csv"}]}
    artifacts.write_json(at_root / "dvc.lock", lock)
    (at_root / "reports/cifar10/climb.lock").unlink()
    write_climb(at_root / "reports/cifar10/larger", image_size=96)
    table = climbs.compare(Path("reports/cifar10"))
    assert table["rung"].tolist() == list(rungs.RUNGS[1:])


@pytest.mark.parametrize(
    ("recipe", "expected"),
    [  # but for rungs that were climbed before the default's trainings became shorter
        ("book_preprocessing", ["features"]),
        ("book", list(rungs.RUNGS)),
        ("end_to_end", ["features_augmented"]),
        ("unfrozen", ["features", "features_augmented"]),
        ("float32", ["features"]),
        ("shuffled_labels", ["features"]),
        ("efficientnet_lite0", ["features", "features_augmented", "fine_tuned"]),
    ],
)
def test_committed_recipes_change_the_rungs_that_they_name(
    monkeypatch: pytest.MonkeyPatch, recipe: str, expected: list[str]
) -> None:
    monkeypatch.chdir(ROOT)
    reports = Path("reports/dogs_vs_cats")
    identities = (provenance.read(folder / "climb.json") for folder in (reports, reports / recipe))
    outdated = climbs.outdated(recipe, reports, *identities)
    differing = climbs.rungs_that_differ(reports / recipe, reports)
    changed = climbs.changed(reports, reports / recipe)
    assert [rung for rung in changed if rung in differing and rung not in outdated] == expected


Runs = list[tuple[str, list[str]]]


@pytest.fixture
def climbed(at_root: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    """The climbs that the command asks for, whose reports are written by hand; without models."""
    (at_root / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    (at_root / "recipes").mkdir()
    (at_root / "recipes/dogs_vs_cats.txt").write_text("\n".join(BOOK))
    (at_root / "recipes/larger.txt").write_text("image_size=128\n")
    runs: Runs = []

    def climb(name: str, overrides: list[str]) -> str:
        runs.append((name, [*overrides]))
        return name

    def take(commit: str, dataset: str, target: Path) -> None:
        assert commit.startswith(dataset)
        write_climb(target, image_size=128 if "larger" in commit else 96)
        (target / "ladder.html").touch()

    def fetch(commit: str, path: Path, target: Path) -> None:
        assert path == target
        artifacts.write_text(target / "model.json", commit)

    monkeypatch.setattr(experiments, "climb", climb)
    monkeypatch.setattr(experiments, "take", take)
    monkeypatch.setattr(experiments, "fetch", fetch)
    monkeypatch.setattr(serving, "register", lambda name: runs.append(("register", [name])))
    monkeypatch.setattr(experiments, "check_place", lambda: None)
    monkeypatch.setattr(report, "text", lambda reports: f"the ladder of {reports}")
    monkeypatch.setattr(recipes, "PLACES", at_root / "places")
    monkeypatch.setenv(sources.PICTURES_VARIABLE, "")  # put back after a plan that sets it
    return runs


BOOK = ["dataset.name=dogs_vs_cats", "dataset.source=dogs_vs_cats"]


def test_a_climb_is_taken_over_shown_and_compared(
    climbed: Runs, at_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    climbs.run("dogs_vs_cats", "", "", [], dry_run=False)
    assert climbed == [("dogs_vs_cats", BOOK), ("register", ["dogs_vs_cats"])]
    folder, model = "reports/dogs_vs_cats", at_root / "models/dogs_vs_cats/model.json"
    use = "ladder predict PICTURES --ladder dogs_vs_cats"
    assert capsys.readouterr().out == f"the ladder of {folder}\n\n{folder}/ladder.html\n{use}\n"
    assert model.read_text() == "dogs_vs_cats"
    climbs.run("dogs_vs_cats", "", "larger", ["seed=3"], dry_run=False)
    assert climbed[2:] == [("dogs_vs_cats-larger", [*BOOK, "image_size=128", "seed=3"])]
    first, *sentences, page, last = filter(None, capsys.readouterr().out.splitlines())
    assert (first, page) == (f"the ladder of {folder}/larger", f"{folder}/larger/ladder.html")
    assert last == use
    assert [line.partition(":")[0] for line in sentences] == [
        f"larger, {rung}" for rung in rungs.RUNGS[1:]
    ]
    assert model.read_text() == "dogs_vs_cats"  # the dataset's own, not the recipe's
    assert {path.name for path in (at_root / "recipes").iterdir()} == {
        "dogs_vs_cats.txt",
        "larger.txt",
    }


@pytest.fixture
def oaks(at_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's folder of two classes; the machine is not measured."""
    monkeypatch.setattr(probe, "rates", lambda *_: {"base": 20.0, "scratch": 100.0})
    for name, content in drawn_pictures(("oak", "elm"), count=5).items():
        class_name, number, _ = Path(name).name.split(".")
        path = at_root / "theirs/Oaks" / class_name / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return at_root / "theirs/Oaks"


def test_a_climb_on_a_folder_is_announced_and_leaves_its_recipe(
    climbed: Runs, at_root: Path, oaks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    climbs.run(str(oaks), "", "", ["train_head.epochs=3"], dry_run=False)
    out = capsys.readouterr().out
    assert out.startswith("oaks: 10 pictures of 2 classes\n")
    assert out.endswith("ladder predict PICTURES --ladder oaks\n")
    (name, overrides), registered = climbed
    assert registered == ("register", ["oaks"])
    assert name == "oaks"
    recipe = recipes.read("oaks")
    assert overrides == [
        *(f"{key}={value}" for key, value in recipe.items()),
        "train_head.epochs=3",
        f"dataset.sha256={sources.own(oaks).digest()}",
    ]
    assert (at_root / "reports/oaks/.gitignore").read_text() == "*\n"
    assert recipes.remembered("oaks") == oaks
    climbs.run("oaks", "", "", [], dry_run=False)  # by its name now
    assert climbed[2][1] == [override for override in overrides if "epochs" not in override]


def test_corrections_are_kept_and_climbed_with(
    climbed: Runs,
    at_root: Path,
    oaks: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And what they changed is told once, by the climb that has them first."""
    monkeypatch.setattr(report, "read", lambda folder: folder)
    monkeypatch.setattr(report, "after_corrections", lambda before, after: ["so"])
    climbs.run(str(oaks), "", "", [], dry_run=False)
    first, second = at_root / "first.csv", at_root / "second.csv"
    first.write_text("path,decision,class_name\noak/1.jpg,relabel,elm\noak/2.jpg,keep,\n")
    second.write_text("path,decision\noak/1.jpg,drop\n")
    kept = paths.DatasetPaths("oaks").corrections
    climbs.run("oaks", "", "", [], first, dry_run=True)
    assert not kept.exists()
    for file, counts in (
        (first, "1 keep, 1 relabel, 0 drop"),
        (second, "1 keep, 0 relabel, 1 drop"),
    ):
        capsys.readouterr()
        climbs.run("oaks", "", "", [], file, dry_run=False)
        out = capsys.readouterr().out
        assert f"Corrections of oaks: {counts} (corrections/oaks.csv)\n" in out
        assert "\nso\n" in out
        _, overrides = climbed[-2]
        assert f"split.corrections={artifacts.sha256(kept)}" in overrides
    climbs.run("oaks", "", "", ["split.corrections=null"], dry_run=False)
    assert "split.corrections=null" in climbed[-2][1]
    with pytest.raises(errors.InputError, match=r"no\.csv: expected a file of corrections"):
        climbs.run("oaks", "", "", [], at_root / "no.csv", dry_run=False)
    first.write_text("path,decision\noak/1.jpg,remove\n")
    with pytest.raises(errors.InputError, match=r"first\.csv, line 2: expected a decision"):
        climbs.run("oaks", "", "", [], first, dry_run=False)


def test_a_dry_run_tells_and_does_nothing(
    climbed: Runs, at_root: Path, oaks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(at_root.rglob("*"))
    climbs.run(str(oaks), "", "", [], dry_run=True)
    assert capsys.readouterr().out.startswith("oaks: 10 pictures of 2 classes\n")
    assert climbed == []
    assert sorted(at_root.rglob("*")) == before


def test_a_model_takes_the_place_of_the_one_before(
    at_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DVC itself would write into a folder that is there, and leave the old model."""

    def dvc(*arguments: str) -> None:
        _, path, _, commit, _, out = (
            word for word in arguments[1:] if word[:3] not in ("--q", "--f")
        )
        place = Path(resolve_output(path, out, force=True))
        artifacts.write_text(place / f"{commit}.json", "{}")

    monkeypatch.setattr(experiments, "_dvc", dvc)
    for commit in ("first", "second"):
        experiments.fetch(commit, Path("models/oaks"), Path("models/oaks"))
        files = [path.as_posix() for path in Path("models").rglob("*") if path.is_file()]
        assert files == [f"models/oaks/{commit}.json"]

    def fail(*_: str) -> None:
        sys.exit(255)

    monkeypatch.setattr(experiments, "_dvc", fail)
    with pytest.raises(SystemExit):
        experiments.fetch("third", Path("models/oaks"), Path("models/oaks"))
    assert [*Path("models").rglob("*")] == [Path("models/oaks"), Path("models/oaks/second.json")]
