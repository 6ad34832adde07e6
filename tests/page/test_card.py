import re
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import pytest

from ladder import artifacts, base_names, rungs
from ladder.page import card, report

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "reports/cifar10"


@pytest.fixture(scope="module")
def reports() -> report.Reports:
    return report.read(FOLDER)


def export(rung: rungs.Rung = "features", **changes: Any) -> card.Export:
    base = None if rung.startswith("scratch") else {"name": "vgg16", "weights": "torchvision"}
    content = {
        "rung": rung,
        "format_name": "onnx",
        "description": {"class_names": ["cat", "dog"], "image_size": 96, "base": base},
        "runtime": {"tensorflow": "2.1", "keras": "3.1", "policy": "mixed_bfloat16"},
        "pictures": "0f1e",
        "parity": ["All is alike.", "So it is."],
    }
    return card.Export(**{**content, **changes})


def manifest() -> pd.DataFrame:
    """A manifest with 3 dogs more in train than in the others, two of which are one group."""
    subsets = [*("train",) * 5, "validation", "test"]
    rows = [("dog", 1, subset) for subset in subsets]
    rows += [("cat", 0, subset) for subset in ("train", "train", "validation", "test")]
    frame = pd.DataFrame(rows, columns=["class_name", "label", "subset"])
    return frame.assign(duplicate_group=[0, *range(len(frame) - 1)])


@pytest.mark.parametrize("rung", rungs.RUNGS)
def test_a_card_has_the_figures_of_its_rung(rung: rungs.Rung, reports: report.Reports) -> None:
    text = card.text(export(rung), reports, manifest())
    row = artifacts.read_csv(FOLDER / "ladder.csv").set_index("rung").loc[rung].to_dict()
    low, high = (f"{100 * row[f'test_ci_{end}']:.1f}" for end in ("low", "high"))
    accuracy = f"{100 * row['test_accuracy']:.1f} % (95 % interval {low} – {high} %)"
    assert f"Accuracy on 1,000 test pictures: {accuracy}." in text
    assert "Always answering cat is right on 50.0 % of test" in text
    classes = artifacts.read_csv(FOLDER / "classes.csv")
    for each in classes[classes["rung"] == rung].to_dict("records"):
        numbers = (f"{100 * each[name]:.1f}" for name in ("recall", "recall_low", "recall_high"))
        recall, low, high = numbers
        assert f"| {each['class_name']} | 500 | {recall} | {low} – {high} |" in text
    table = artifacts.read_csv(FOLDER / "calibration.csv")
    of_test = table[(table["rung"] == rung) & (table["subset"] == "test")]
    error = float(of_test["expected_calibration_error"].iloc[0])
    assert f"calibration error is {100 * error:.1f} points" in text
    assert ("vgg16" in text) == (not rung.startswith("scratch"))
    assert ("chosen on the test pictures" in text) == (rung == reports.advised)


def test_a_card_counts_pictures_and_says_how_to_use_the_file(reports: report.Reports) -> None:
    text = card.text(export(), reports, manifest())
    assert "| class | train | validation | test |" in text
    assert "| cat | 2 | 1 | 1 |\n| dog | 5 | 1 | 1 |" in text
    assert "2 pictures are in 1 group" in text
    assert "Fewer than 20 test pictures: cat (1), dog (1)." in text
    for words in ("(n, 96, 96, 3)", "(n, 2)", "`0f1e`", "All is alike. So it is."):
        assert words in text
    assert re.search(r"pip install numpy==\S+ pillow==\S+ onnxruntime==\S+\n", text)
    assert "tensorflow==2.1 and keras==3.1, Keras policy mixed_bfloat16" in text
    assert "BSD 3-Clause" in text
    assert len(text.splitlines()) < 80


def test_without_a_manifest_a_card_counts_what_was_predicted(reports: report.Reports) -> None:
    text = card.text(export(), reports, None)
    assert "| class | validation | test |" in text
    assert "| dog | 500 | 500 |" in text
    assert "group" not in text


@pytest.mark.parametrize("weights", get_args(base_names.Weights))
def test_every_kind_of_weights_has_its_terms(weights: str, reports: report.Reports) -> None:
    base = {"name": "vgg16", "weights": weights}
    description = {"class_names": ["cat", "dog"], "image_size": 96, "base": base}
    text = card.text(export(description=description), reports, None)
    assert f"The weights of vgg16 {card.TERMS[weights]}" in text


def test_reports_of_older_climbs_have_a_card_without_a_baseline() -> None:
    text = card.text(export(), report.read(ROOT / "reports/dogs_vs_cats/book"), None)
    assert "Always answering" not in text
    assert "balanced accuracy" in text
