import numpy as np
import pandas as pd
import pytest

from ladder import paths, rungs
from ladder.evidence import suspects, tables


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
    told = tables.tables(predictions, ladder, pd.DataFrame(), none, none)["suspects"]
    assert list(told) == suspects.COLUMNS
    assert len(told) == 0
