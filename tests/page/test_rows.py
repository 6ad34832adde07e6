"""What stands in the page's tables."""

import numpy as np
import pandas as pd

from ladder import paths
from ladder.evidence import evaluation
from ladder.page import rows


def manifest_of(names: list[str]) -> pd.DataFrame:
    """Returns a manifest of one picture a class and subset, but for the last class in test."""
    every = [(s, name, label) for s in paths.SUBSETS for label, name in enumerate(names)]
    return pd.DataFrame(every[:-1], columns=["subset", "class_name", "label"])


def test_a_class_that_test_lacks_is_counted_as_none() -> None:
    assert rows.counts(manifest_of(["ash", "elm"])) == [
        ["subset", "ash", "elm"],
        ["train", "1", "1"],
        ["validation", "1", "1"],
        ["test", "1", "0"],
    ]


def test_many_classes_stand_below_each_other() -> None:
    names = [f"c{i:02d}" for i in range(30)]
    head, *each = rows.counts(manifest_of(names))
    assert head == ["class", "train", "validation", "test"]
    assert [row[0] for row in each] == names
    assert each[0] == ["c00", "1", "1", "1"]
    assert each[-1] == ["c29", "1", "1", "0"]


def test_a_class_without_pictures_or_mistakes_has_dashes() -> None:
    frame = pd.DataFrame({"label": [0, 0], "probability": [0.1, 0.2]})
    shown, folded = rows.classes(evaluation.by_class(frame, ["ash", "elm"]))
    assert [list(row.values()) for row in shown] == [
        ["ash", "2", "2", "100.0", "34.2 – 100.0", "100.0", "–"],
        ["elm", "0", "0", "–", "–", "–", "–"],
    ]
    assert folded == []


def test_of_many_classes_the_lowest_recalls_come_first() -> None:
    names, labels = [f"c{i:02d}" for i in range(21)], np.repeat(range(20), 3)  # none of the last
    answers = labels.copy()
    answers[[12, 27, 28]] = 20
    columns = {f"probability_{i}": np.eye(21)[answers][:, i] for i in range(21)}
    table = evaluation.by_class(pd.DataFrame({"label": labels, **columns}), names)
    shown, folded = rows.classes(table)
    assert [row["class_name"] for row in shown] == ["c09", "c04", *names[:4], *names[5:9]]
    assert [row["class_name"] for row in folded] == names[10:]
    assert shown[0]["recall"] == "33.3"
    assert shown[0]["most_confused_with"] == "c20"
    few, rest = rows.classes(table.iloc[:20])
    assert ([row["class_name"] for row in few], rest) == (names[:20], [])


def test_bases_stand_with_what_they_reach_and_cost() -> None:
    best = {
        "base": "resnet50",
        "image_size": 224,
        "weights": "keras",
        "features": 2048,
        "validation_accuracy": 0.981,
        "test_accuracy": 0.9725,
        "test_ci_low": 0.9604,
        "test_ci_high": 0.981,
        "difference": 0.0,
        "ci_low": 0.0,
        "ci_high": 0.0,
        "pictures_per_second": 23.6,
        "megabytes": 94.37,
        "seconds": 176.5,
    }
    other = best | {"base": "vgg16", "difference": -0.0113, "ci_low": -0.021, "ci_high": 0.0004}
    shown = rows.bases(pd.DataFrame([best, other | {"pictures_per_second": 7.25}]))
    assert [*shown[0].values()] == [
        *("resnet50", "224", "keras", "2,048", "98.1", "97.2", "96.0 – 98.1", "best", "24", "94"),
        "176",
    ]
    assert shown[1]["difference"] == "-1.1 (-2.1 to +0.0)"
    assert shown[1]["pictures_per_second"] == "7.2"
