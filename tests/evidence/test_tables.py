from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from ladder import artifacts, paths, rungs
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


def manifest(classes: int) -> pd.DataFrame:
    """Returns the manifest of `climbed`, with one picture more of the second class in train."""
    rows = [
        (subset, f"kind {label}", label)
        for subset in paths.SUBSETS
        for label in range(classes)
        for _ in range(30)
    ]
    rows.append(("train", "kind 1", 1))
    return pd.DataFrame(rows, columns=["subset", "class_name", "label"])


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
    by_name = tables.tables(
        predictions, ladder, duplicates, known, pd.DataFrame(), manifest(classes)
    )
    folders = {f"predictions/{rung}" for rung in rungs.RUNGS}
    names = {"ladder", "paired", "book", "calibration", "duplicates", "suspects", "planted"}
    names |= {"classes", "baseline"}
    assert set(by_name) == folders | names
    assert by_name["paired"]["p_value"].eq(1).all()
    assert by_name["calibration"]["accuracy"].eq(1 - 1 / (30 * classes)).all()
    assert by_name["suspects"][["id", "subset"]].to_numpy().tolist() == [
        ["train.1", "train"],
        ["test.0", "test"],  # all rungs' one mistake
    ]
    assert by_name["baseline"]["class_name"].eq("kind 1").all()
    assert by_name["baseline"]["accuracy"].iloc[-1] == 1 / classes
    by_class = by_name["classes"]
    assert by_class["rung"].tolist() == [rung for rung in rungs.RUNGS for _ in range(classes)]
    assert by_class["class_name"].tolist() == [f"kind {i}" for i in range(classes)] * 5
    assert by_class["right"].tolist() == ([29] + [30] * (classes - 1)) * 5
    assert by_class["most_confused_with"].fillna("").tolist() == (
        ["kind 1"] + [""] * (classes - 1)
    ) * len(rungs.RUNGS)


def test_the_tables_of_classes_and_of_the_baseline_are_read_as_they_were_written(
    tmp_path: Path,
) -> None:
    names = ["007", "nan", 'a, "b"\r']  # as people name folders
    named = manifest(3).assign(class_name=lambda frame: [names[i] for i in frame["label"]])
    classes = tables.classes(climbed(3), names)
    for name, table in {"classes": classes, "baseline": evaluation.baseline(named)}.items():
        artifacts.write_csv(tmp_path / f"{name}.csv", table)
        again = artifacts.read_csv(tmp_path / f"{name}.csv")
        expected = table.fillna({"most_confused_with": ""}) if name == "classes" else table
        pd.testing.assert_frame_equal(again, expected, check_dtype=False)


def test_without_suspects_the_table_keeps_its_columns() -> None:
    predictions = {rung: f[f["id"] != "test.0"] for rung, f in climbed(2).items()}
    none = pd.DataFrame(columns=suspects.COLUMNS)
    ladder = pd.DataFrame({"rung": rungs.RUNGS, "book": None})
    by_name = tables.tables(predictions, ladder, pd.DataFrame(), none, none, manifest(2))
    assert list(by_name["suspects"]) == suspects.COLUMNS
    assert len(by_name["suspects"]) == 0


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


@pytest.mark.parametrize(
    ("validation", "test"),
    [([0, 1, 2], [0, 1]), ([0, 1], [0, 1, 2]), ([1], [1]), ([0, 1, 2], [2, 2])],
)
def test_a_class_that_a_subset_lacks_is_no_error(
    validation: list[int], test: list[int], tmp_path: Path
) -> None:
    random, parts = np.random.default_rng(0), []
    for subset, labels in (("validation", validation), ("test", test)):
        drawn = random.dirichlet(np.ones(3), len(labels))
        columns = {f"probability_{i}": drawn[:, i] for i in range(3)}
        ids = [f"{subset}.{i}" for i in range(len(labels))]
        parts.append(pd.DataFrame({"id": ids, "label": labels, **columns, "subset": subset}))
    predictions: dict[rungs.Rung, pd.DataFrame] = dict.fromkeys(rungs.RUNGS, pd.concat(parts))
    cost = {"seconds": 1.0, "seconds_alone": 1.0, "trainable_parameters": 2}
    costs = dict.fromkeys(rungs.RUNGS, cost)
    duplicates = pd.DataFrame({"id": ["train.3"], "other_id": ["test.0"]})
    none = pd.DataFrame(columns=suspects.COLUMNS)
    measured = tables.results(predictions, costs, duplicates)
    ladder = evaluation.ladder(measured, is_book=False)
    frames = tables.tables(predictions, ladder, duplicates, none, none, manifest(3))
    for name, frame in frames.items():
        artifacts.write_csv(tmp_path / f"{name}.csv", frame)
    flat = tables.flat(measured["features"])
    assert ("test_auc" in flat) == (len(set(test)) > 1)
    artifacts.write_json(tmp_path / "flat.json", flat)  # which has no NaN
    artifacts.write_json(tmp_path / "metrics.json", tables.headline(ladder))
