import functools
import operator
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from ruamel.yaml import YAML

from conftest import drawn_pictures, write_zip
from ladder import artifacts, errors, paths, provenance, rungs, settings
from ladder.climbs import climbs
from ladder.pictures import archives, sources

ROOT = Path(__file__).parents[2]
STAGES = """
stages:
  train:
    deps: [stages/train.py, src/ladder/models.py, data/images.npy]
  predict:
    foreach: [scratch]
    do:
      deps: [stages/predict.py, src/ladder/models.py]
  render:
    deps: [stages/render.py, src/ladder/figures.py]
"""
FILES = ("stages/train.py", "stages/predict.py", "stages/render.py", "src/ladder/models.py")
PARAMS = "seed: 0\ninterpretation:\n  steps: 2\nfine_tune:\n  epochs: 2\n"


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv(sources.ARCHIVE_VARIABLE, raising=False)


def test_a_recipe_is_its_lines_without_comments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.txt").write_text("# why\n\nseed=3  # as well\nfine_tune.epochs=2\n")
    monkeypatch.setattr(climbs, "RECIPES", tmp_path)
    assert climbs.read_recipe("mine") == ["seed=3", "fine_tune.epochs=2"]
    with pytest.raises(errors.InputError, match=r"RECIPE: expected one of mine\. .*: other\."):
        climbs.read_recipe("other")


def test_without_archive_or_recipe_the_climb_is_that_of_the_params() -> None:
    plan = climbs.plan("", "")
    assert (plan.source, plan.overrides, plan.name) == ("cifar10", (), "cifar10")
    assert plan.reports == Path("reports/cifar10")


def test_an_archive_alone_means_the_books_photographs(tmp_path: Path) -> None:
    archive = write_zip(drawn_pictures(count=1), tmp_path / "pictures.zip")
    plan = climbs.plan(str(archive), "")
    assert plan.overrides[:-1] == tuple(climbs.read_recipe("dogs_vs_cats"))
    assert plan.overrides[-1] == f"dataset.archive_sha256={archives.sha256(archive)}"
    assert plan.reports == Path("reports/dogs_vs_cats")
    assert str(tmp_path) not in "".join(plan.overrides)
    assert os.environ[sources.ARCHIVE_VARIABLE] == str(archive)


def test_a_recipe_stands_on_the_books_and_has_its_own_reports() -> None:
    plan = climbs.plan("", "end_to_end")
    book, own = climbs.read_recipe("dogs_vs_cats"), climbs.read_recipe("end_to_end")
    expected = climbs.values(book) | climbs.values(own)  # where both have a key, its own counts
    assert climbs.values(plan.overrides) == expected
    assert plan.reports == Path("reports/dogs_vs_cats/end_to_end")
    assert plan.studies == Path("reports/dogs_vs_cats/studies/end_to_end")


@pytest.mark.parametrize("path", sorted(climbs.RECIPES.glob("*.txt")), ids=lambda path: path.stem)
def test_a_committed_recipe_changes_keys_that_exist_to_values_that_are_allowed(
    path: Path, tmp_path: Path
) -> None:
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    overrides = climbs.plan("", path.stem).overrides
    climbs.override(tmp_path / "params.yaml", climbs.values(overrides))
    after = settings.read(tmp_path / "params.yaml").model_dump()
    for line in overrides:
        keys = line.partition("=")[0].split(".")
        received = functools.reduce(operator.getitem, keys, after)
        assert str(received) == str(YAML(typ="safe", pure=True).load(line.partition("=")[2]))


def test_a_recipe_may_be_of_another_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dogs_vs_cats.txt").write_text("dataset.source=dogs_vs_cats\n")
    (tmp_path / "small.txt").write_text("dataset.source=cifar10\nseed=3\n")
    monkeypatch.setattr(climbs, "RECIPES", tmp_path)
    plan = climbs.plan("", "small")
    assert (plan.source, plan.reports) == ("cifar10", Path("reports/cifar10/small"))


def test_overrides_change_the_values_and_leave_the_rest(tmp_path: Path) -> None:
    params = tmp_path / "params.yaml"
    params.write_text("seed: 0   # kept\nfit:\n  rate: 1.0e-4\n  sha256: null\n")
    sha256 = "1" * 32 + "e" + "2" * 31  # reads like a number, if it is not quoted
    climbs.override(params, {"fit.rate": 2e-4, "fit.sha256": sha256})
    assert "# kept" in params.read_text()
    content = YAML(typ="safe", pure=True).load(params)
    assert content == {"seed": 0, "fit": {"rate": 2e-4, "sha256": sha256}}
    for key in ("fit.rat", "fits.rate", "seed.rate"):
        with pytest.raises(errors.InputError, match=rf"keys of params.yaml\. Received: {key}"):
            climbs.override(params, {key: 1})


def test_a_line_of_a_recipe_that_is_no_override_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.txt").write_text("# mine\nseed=3\nsplit.train_per_class: 200\n")
    monkeypatch.setattr(climbs, "RECIPES", tmp_path)
    with pytest.raises(
        errors.InputError, match=r"`key=value`\. Received: split\.train_per_class: "
    ):
        climbs.read_recipe("mine")


def test_a_later_override_wins() -> None:
    assert climbs.values(["a.b=1", "c=2.0e-5", "a.b=null"]) == {"a.b": None, "c": 2e-5}


def test_the_archive_of_a_climb_is_that_of_its_lock(tmp_path: Path) -> None:
    committed = climbs.archive_of(ROOT / "reports/dogs_vs_cats/climb.lock")
    assert committed == climbs.archive_of(ROOT / "reports/dogs_vs_cats/end_to_end/climb.lock")
    assert committed != climbs.archive_of(ROOT / "reports/cifar10/climb.lock")
    assert climbs.archive_of(tmp_path / "climb.lock") is None


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "dvc.yaml").write_text(STAGES)
    (tmp_path / "params.yaml").write_text(PARAMS)
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("path", "right", "wrong", "same"),
    [
        ("params.yaml", "seed: 0", "seed: 7", True),
        ("params.yaml", "steps: 2", "steps: 3", True),
        ("stages/render.py", "render", "other", True),
        ("params.yaml", "epochs: 2", "epochs: 3", False),
        ("stages/predict.py", "predict", "other", False),
        ("src/ladder/models.py", "models", "other", False),
    ],
)
def test_a_digest_changes_with_what_predictions_come_from_alone(
    project: Path, path: str, right: str, wrong: str, same: bool
) -> None:
    before = climbs.digest([])
    text = (project / path).read_text()
    assert right in text
    (project / path).write_text(text.replace(right, wrong))
    assert (climbs.digest([]) == before) is same
    if same:
        climbs.check_unchanged([], before)
    else:
        with pytest.raises(errors.InputError, match="the same code and params for every climb"):
            climbs.check_unchanged([], before)


@pytest.mark.usefixtures("project")
def test_an_override_is_a_change_of_the_params() -> None:
    before = climbs.digest([])
    assert climbs.digest(["fine_tune.epochs=3"]) != before
    assert climbs.digest(["fine_tune.epochs=2", "seed=9"]) == before


def write_climb(reports: Path, *, md5: str = "1", archive: str = "2", **params: Any) -> None:
    """Writes the reports of a climb whose rungs all come from one script, but the first."""
    download = {"outs": [{"path": "images.zip", "md5": archive}]}
    stages: dict[str, Any] = {"download": download}
    for rung in rungs.RUNGS:
        chosen = {} if rung == "scratch" else params
        stages[f"predict@{rung}"] = {
            "deps": [{"path": "stages/predict.py", "md5": md5}],
            "params": {"params.yaml": {"seed": 0, **chosen}},
            "outs": [{"path": f"{rung}.csv", "md5": "3"}],
        }
        answers = pd.DataFrame({"id": ["a", "b"], "label": 1, "probability": 0.9})
        artifacts.write_csv(reports / f"predictions/{rung}.csv", answers.assign(subset="test"))
    artifacts.write_json(reports / "climb.lock", {"stages": stages})  # JSON is YAML


def test_a_recipe_is_compared_on_the_rungs_that_it_changes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_climb(tmp_path, image_size=64)
    assert climbs.compare(tmp_path).empty
    assert not (tmp_path / "studies").exists()
    write_climb(tmp_path / "larger", image_size=96)
    write_climb(tmp_path / "same", image_size=64, dataset={"archive_sha256": "6"})
    write_climb(tmp_path / "of_other_code", image_size=96, md5="4")
    write_climb(tmp_path / "of_other_pictures", image_size=96, archive="5")
    beside = climbs.compare(tmp_path)
    assert beside["recipe"].unique().tolist() == ["larger"]
    assert beside["rung"].tolist() == list(rungs.RUNGS[1:])
    assert "of_other_code is of other code than the default" in capsys.readouterr().out
    written = pd.read_csv(tmp_path / "studies/recipes.csv")
    params, code = {"seed": 0, "image_size": 64}, {"stages/predict.py": "1"}
    assert {*written["digest"]} == {provenance.digest(params, code)}
    for recipe in ("larger", "same"):
        (tmp_path / recipe / "climb.lock").unlink()
    assert climbs.compare(tmp_path).empty
    assert not (tmp_path / "studies/recipes.csv").exists()
    write_climb(tmp_path / "larger", image_size=96)
    (tmp_path / "climb.lock").unlink()  # of a project whose only ladder is one's own
    assert climbs.compare(tmp_path).empty


def test_a_base_that_goes_on_training_stands_beside_frozen_ones(tmp_path: Path) -> None:
    write_climb(tmp_path, image_size=64)
    for recipe, image_size in (("book", 96), ("book_preprocessing", 128), ("unfrozen", 128)):
        write_climb(tmp_path / recipe, image_size=image_size)
    pairs = climbs.compare(tmp_path)[["recipe", "beside"]].drop_duplicates()
    assert [*pairs.itertuples(index=False, name=None)] == [
        ("book", "default"),
        ("book_preprocessing", "default"),
        ("unfrozen", "default"),
        ("unfrozen", "book"),  # not book_preprocessing: here its params are the same
    ]
