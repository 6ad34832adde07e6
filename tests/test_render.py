"""Which studies belong on a climb's page."""

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ladder import artifacts, paths

STAGE = Path(__file__).parent.parent / "stages/render.py"
LADDER = pd.DataFrame(
    {
        "rung": paths.RUNGS,
        "book": [0.7, 0.8, 0.9, 0.96, 0.97],
        "book_subset": ["validation"] * 4 + ["test"],
        "test_accuracy": [0.5, 0.6, 0.7, 0.8, 0.9],
    }
)


@pytest.fixture(scope="module")
def made_studies() -> Callable[..., dict[str, pd.DataFrame]]:
    found: Callable[..., dict[str, pd.DataFrame]] = runpy.run_path(str(STAGE))["made_studies"]
    return found


@pytest.fixture
def files(at_root: Path) -> paths.DatasetPaths:
    """A climb's reports with studies of seeds and recipes, made of that climb."""
    files = paths.DatasetPaths("dogs_vs_cats")
    reports = files.reports
    lock = {"stages": {"split": {"params": {"params.yaml": {"seed": 0, "split": {"test": 9}}}}}}
    artifacts.write_json(reports / "climb.lock", lock)  # JSON is YAML
    rows = [(rung, subset, 0.5) for rung in paths.RUNGS for subset in ("validation", "test")]
    for name, column in (("seeds", "accuracy"), ("seeds_summary", "mean")):
        frame = pd.DataFrame(rows, columns=["rung", "subset", column])
        artifacts.write_csv(reports / f"studies/{name}.csv", frame)
    artifacts.write_json(reports / "studies/seeds_params.yaml", {"seed": 4, "split": {"test": 9}})
    recipes = pd.DataFrame({"rung": ["features"], "default_accuracy": [0.7]})
    artifacts.write_csv(reports / "studies/recipes.csv", recipes)
    return files


def test_seeds_are_shown_on_the_subset_of_the_books_figures(
    files: paths.DatasetPaths, made_studies: Callable[..., Any]
) -> None:
    made = made_studies(files, LADDER)
    assert set(made) == {"seeds", "seeds_summary", "recipes"}
    assert made["seeds"]["subset"].tolist() == ["validation"] * 4 + ["test"]
    other = made_studies(files, LADDER.assign(book=None, book_subset=None))
    assert other["seeds"]["subset"].tolist() == ["test"] * 5


def test_studies_of_another_climb_are_not_shown(
    files: paths.DatasetPaths, made_studies: Callable[..., Any]
) -> None:
    params = {"seed": 0, "split": {"test": 8}}
    artifacts.write_json(files.reports / "studies/seeds_params.yaml", params)
    assert set(made_studies(files, LADDER.assign(test_accuracy=0.6))) == set()
