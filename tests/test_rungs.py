"""The one table of rungs, and all that must agree with it."""

import ast
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from ladder import errors, rungs, settings

ROOT = Path(__file__).parent.parent
STAGES: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]


def test_the_rungs_are_those_of_the_type_in_order() -> None:
    assert rungs.RUNGS == tuple(rungs.TABLE) == get_args(rungs.Rung)


def test_the_books_figures_are_those_that_are_reproduced() -> None:
    figures = {rung: (row.book, row.book_subset) for rung, row in rungs.TABLE.items()}
    assert figures == {
        "scratch": (0.71, "validation"),
        "scratch_augmented": (0.82, "validation"),
        "features": (0.90, "validation"),
        "features_augmented": (0.96, "validation"),
        "fine_tuned": (0.97, "test"),
    }


def test_rungs_are_told_apart_by_title_stage_and_colour() -> None:
    for column in ("title", "stage", "colour"):
        values = {getattr(row, column) for row in rungs.TABLE.values()}
        assert len(values) == len(rungs.RUNGS), column
    assert all(row.title.count("\n") == 1 for row in rungs.TABLE.values())


def test_a_rung_starts_from_one_below() -> None:
    for height, (rung, row) in enumerate(rungs.TABLE.items()):
        if row.starts_from is not None:
            assert row.starts_from in rungs.RUNGS[:height], rung


@pytest.mark.parametrize("rung", rungs.RUNGS)
def test_a_rung_is_found_by_its_name(rung: rungs.Rung) -> None:
    assert rungs.named(rung) == rung


@pytest.mark.parametrize("name", ["fine_tune", "Scratch", "scratch ", ""])
def test_a_name_that_no_rung_has_is_refused_with_those_there_are(name: str) -> None:
    message = (
        r"name of a rung: expected one of scratch, scratch_augmented, features, "
        rf"features_augmented, fine_tuned\. Received: {name}\. Correct the name\."
    )
    with pytest.raises(errors.InputError, match=message):
        rungs.named(name)


@pytest.mark.parametrize("stage", ["predict", "interpret"])
def test_every_rung_is_predicted_and_looked_into(stage: str) -> None:
    assert tuple(STAGES[stage]["foreach"]) == rungs.RUNGS


@pytest.mark.parametrize("rung", rungs.RUNGS)
def test_a_rungs_stage_writes_its_model_and_says_in_its_docstring_what_the_book_reached(
    rung: rungs.Rung,
) -> None:
    row, height = rungs.TABLE[rung], rungs.RUNGS.index(rung) + 1
    stage = STAGES[row.stage]
    assert stage["desc"].startswith(f"rung {height}: ")
    assert stage["cmd"] == f"python stages/{row.stage}.py"
    models = "data/${dataset.name}/models"
    endings = ("weights.h5", "json", "history.csv")
    assert stage["outs"] == [f"{models}/{rung}.{ending}" for ending in endings]
    starts = [f"{models}/{row.starts_from}.{ending}" for ending in endings[:2]]
    from_models = [dep for dep in stage["deps"] if dep.startswith(f"{models}/")]
    assert from_models == (starts if row.starts_from else [])
    docstring = ast.get_docstring(ast.parse((ROOT / f"stages/{row.stage}.py").read_text())) or ""
    assert docstring.startswith(f"Rung {height}: ")
    assert f"{100 * row.book:.0f} % on {row.book_subset}" in docstring


@pytest.mark.parametrize("rung", rungs.RUNGS)
def test_a_rungs_stage_opens_the_run_and_makes_the_model_of_its_rung(rung: rungs.Rung) -> None:
    script = ROOT / f"stages/{rungs.TABLE[rung].stage}.py"
    names = {
        n.value for n in ast.walk(ast.parse(script.read_text())) if isinstance(n, ast.Constant)
    }
    own = {rung, rungs.TABLE[rung].starts_from} - {None}
    inputs = {"features"}  # also the name of what is stored
    assert own <= names & {*rungs.RUNGS} <= own | inputs


@pytest.mark.parametrize("rung", rungs.RUNGS)
def test_a_rungs_stage_is_a_section_of_params(rung: rungs.Rung) -> None:
    stage = rungs.TABLE[rung].stage
    assert stage in trainings()
    assert stage in STAGES[stage]["params"]


def trainings() -> set[str]:
    """Returns the sections of params.yaml that are trainings."""
    sections = {name: f.annotation for name, f in settings.Settings.model_fields.items()}
    return {
        name
        for name, section in sections.items()
        if isinstance(section, type) and issubclass(section, settings.Fit)
    }


def test_no_other_section_of_params_is_a_training() -> None:
    assert trainings() == {row.stage for row in rungs.TABLE.values()}
