from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from ladder import artifacts, rungs
from ladder.evidence import evaluation, suspects, tables


def climbed(classes: int) -> dict[rungs.Rung, pd.DataFrame]:
    """Returns every rung's predictions: 30 pictures a class, the first of each subset mistaken."""
    random = np.random.default_rng(0)
    frames: dict[rungs.Rung, pd.DataFrame] = {}
    for rung in rungs.RUNGS:
        parts = []
        for subset in ("validation", "test"):
            labels = np.repeat(np.arange(classes), 30)
            answers = labels.copy()
            answers[0] = 1
            noise = random.uniform(0, 0.05, (len(labels), classes))
            probability = 0.9 * np.eye(classes)[answers] + noise
            probability /= probability.sum(axis=1, keepdims=True)
            columns = {f"probability_{i}": probability[:, i] for i in range(classes)}
            if classes == 2:
                columns = {"probability": probability[:, 1]}
            ids = [f"{subset}.{i}" for i in range(len(labels))]
            parts.append(pd.DataFrame({"id": ids, "label": labels, **columns, "subset": subset}))
        frames[rung] = pd.concat(parts)
    return frames


@pytest.mark.parametrize("classes", [2, 3])
def test_a_climb_of_any_number_of_classes_gives_all_tables(classes: int) -> None:
    predictions = climbed(classes)
    duplicates = pd.DataFrame({"id": ["train.3"], "other_id": ["test.1"]})
    known = pd.DataFrame([["train.1", "train", 0, 1, 0.1]], columns=suspects.COLUMNS)
    costs = {rung: {"seconds": 1.0, "trainable_parameters": 2} for rung in rungs.RUNGS}
    results = tables.results(predictions, costs, duplicates)
    assert results["features"]["seconds"] == 1.0
    assert results["features"]["test"]["pictures_without_duplicates"] == 30 * classes - 1
    ladder = pd.DataFrame({"rung": rungs.RUNGS, "book": None})
    by_name = tables.tables(predictions, ladder, duplicates, known, pd.DataFrame())
    folders = {f"predictions/{rung}" for rung in rungs.RUNGS}
    names = {"ladder", "paired", "book", "calibration", "duplicates", "suspects", "planted"}
    assert set(by_name) == folders | names
    assert by_name["paired"]["p_value"].eq(1).all()
    assert by_name["calibration"]["accuracy"].eq(1 - 1 / (30 * classes)).all()
    assert by_name["suspects"][["id", "subset"]].to_numpy().tolist() == [
        ["train.1", "train"],
        ["test.0", "test"],  # all rungs' one mistake
    ]


def test_without_suspects_the_table_keeps_its_columns() -> None:
    predictions = {rung: f[f["id"] != "test.0"] for rung, f in climbed(2).items()}
    none = pd.DataFrame(columns=suspects.COLUMNS)
    ladder = pd.DataFrame({"rung": rungs.RUNGS, "book": None})
    suspected = tables.tables(predictions, ladder, pd.DataFrame(), none, none)["suspects"]
    assert list(suspected) == suspects.COLUMNS
    assert len(suspected) == 0


def results(classes: int) -> dict[rungs.Rung, dict[str, Any]]:
    duplicates = pd.DataFrame({"id": ["train.3"], "other_id": ["test.1"]})
    costs = {rung: {"seconds": 1.0, "seconds_alone": 2.5} for rung in rungs.RUNGS}
    costs["features"] = {"seconds": 12.345678, "seconds_alone": 40.0}
    for cost in costs.values():
        cost["trainable_parameters"] = 2
    return tables.results(climbed(classes), costs, duplicates)


@pytest.mark.parametrize("is_book", [True, False])
def test_the_headline_has_few_figures_of_every_rung(tmp_path: Path, is_book: bool) -> None:
    ladder = evaluation.ladder(results(2), is_book)
    headline = tables.headline(ladder)
    assert tuple(headline) == rungs.RUNGS
    low, high = proportion_confint(59, 60, method="wilson")
    figures = {"validation": 0.9833, "validation_low": round(low, 4)}
    figures |= {"validation_high": round(high, 4), "test": 0.9833, "test_low": round(low, 4)}
    figures |= {"test_high": round(high, 4), "seconds": 12.3}
    assert headline["features"] == figures
    assert headline["scratch"] == {**figures, "seconds": 1.0}
    artifacts.write_json(tmp_path / "metrics.json", headline)  # numbers that JSON has
    assert artifacts.read_json(tmp_path / "metrics.json") == headline


def test_a_headline_is_the_same_of_a_ladder_that_was_read_again(tmp_path: Path) -> None:
    ladder = evaluation.ladder(results(3), is_book=False)
    artifacts.write_csv(tmp_path / "ladder.csv", ladder)
    again = pd.read_csv(tmp_path / "ladder.csv")
    assert tables.headline(again) == tables.headline(ladder)


@pytest.mark.parametrize("classes", [2, 3])
def test_flat_measures_are_numbers_of_validation_and_test_by_name(classes: int) -> None:
    result = results(classes)["features"]
    flat = tables.flat(result)
    names = {"accuracy", "accuracy_ci_low", "accuracy_ci_high", "loss", "auc", "pictures"}
    names |= {"pictures_without_duplicates", "accuracy_without_duplicates"}
    assert set(flat) == {f"{subset}_{name}" for subset in ("validation", "test") for name in names}
    assert all(isinstance(value, int | float) for value in flat.values())
    assert flat["test_accuracy"] == result["test"]["accuracy"]
    assert flat["test_pictures_without_duplicates"] == 30 * classes - 1
    assert flat["validation_pictures_without_duplicates"] == 30 * classes
