"""Which figures a climb, its studies and its networks have."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ladder import provenance, rungs
from ladder.evidence import calibration
from ladder.page import charts, gallery, page, png, report

NAMES = ["cat", "dog"]
HISTORY = pd.DataFrame(
    {
        "epoch": [1, 2],
        "loss": [2.0, 1.0],
        "accuracy": [0.5, 0.7],
        "val_loss": [2.0, 1.5],
        "val_accuracy": [0.4, 0.6],
    }
)
PREDICTIONS = pd.DataFrame(
    {
        "id": range(8),
        "label": [0, 1, 0, 1] * 2,
        "probability": [0.1, 0.9, 0.2, 0.4, 0.3, 0.2, 0.6, 0.9],
        "subset": ["validation"] * 4 + ["test"] * 4,
    }
)


def ladder(book: bool) -> pd.DataFrame:
    columns = {
        f"{subset}_{name}": value
        for subset in ("validation", "test")
        for name, value in (("accuracy", 0.9), ("ci_low", 0.85), ("ci_high", 0.95))
    }
    figures = [0.71, 0.82, 0.90, 0.96, 0.97] if book else [np.nan] * 5
    return pd.DataFrame({"rung": rungs.RUNGS, "book": figures}).assign(**columns)


@pytest.fixture
def reports() -> report.Reports:
    none = pd.DataFrame()
    by_rung: dict[rungs.Rung, pd.DataFrame] = dict.fromkeys(rungs.RUNGS, PREDICTIONS)
    return report.Reports(
        name="dogs_vs_cats",
        source="dogs_vs_cats",
        identity=provenance.Identity({}, "abc", "float32", "2.21", "3.15"),
        ladder=ladder(book=True),
        paired=none,
        book=none,
        calibration=calibration.table(by_rung),
        duplicates=none,
        suspects=none,
        planted=none,
        predictions=by_rung,
        runtimes={},
        studies=report.Studies(),
    )


def test_a_climbs_charts_are_of_its_test_pictures(reports: report.Reports) -> None:
    histories: dict[rungs.Rung, pd.DataFrame] = dict.fromkeys(rungs.RUNGS, HISTORY)
    drawn = charts.of_climb(reports, histories, NAMES)
    names = ["staircase", "curves", "confusion", "reliability", "roc", "precision_recall"]
    assert list(drawn) == names
    assert set(names) <= set(page.CAPTIONS)
    assert drawn["staircase"].axes[0].get_title() == "photographs of cats and dogs"
    counts = [text.get_text() for text in drawn["confusion"].axes[0].texts]
    assert counts == ["1", "1", "1", "1"]  # of test; validation has one mistake alone
    legend = drawn["roc"].axes[0].get_legend()
    assert legend is not None
    assert legend.get_texts()[0].get_text() == "scratch, area 0.500"
    assert len(drawn["curves"].axes) == 2 * len(rungs.RUNGS)


def of_classes(count: int) -> pd.DataFrame:
    """Returns a validation and a test picture of every class but the last, all of them right."""
    answers = pd.DataFrame(np.eye(count)[:-1], columns=[f"probability_{i}" for i in range(count)])
    answers = answers.assign(label=range(count - 1), id=[f"p.{i}" for i in range(count - 1)])
    return pd.concat([answers.assign(subset=subset) for subset in ("validation", "test")])


@pytest.mark.parametrize("classes", [3, 21])
def test_the_charts_of_many_classes_are_drawn_though_test_lacks_one(
    reports: report.Reports, classes: int, tmp_path: Path
) -> None:
    by_rung: dict[rungs.Rung, pd.DataFrame] = dict.fromkeys(rungs.RUNGS, of_classes(classes))
    names = ["$y$", "<b>x</b> & $y$", "\U0001d800", *(f"class {i}" for i in range(3, classes))]
    several = dataclasses.replace(
        reports, predictions=by_rung, calibration=calibration.table(by_rung)
    )
    histories: dict[rungs.Rung, pd.DataFrame] = dict.fromkeys(rungs.RUNGS, HISTORY)
    drawn = charts.of_climb(several, histories, names)
    few = "pictures of $y$, <b>x</b> & $y$ and class 2"
    title = few if classes == 3 else "pictures of 21 classes"
    assert drawn["staircase"].axes[0].get_title() == title
    for name in ("staircase", "roc", "precision_recall"):
        png.write(tmp_path / f"{name}.png", drawn[name])
    legend = drawn["roc"].axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [
        f"{rung}, area 1.000" for rung in rungs.RUNGS
    ]


def test_a_persons_own_ladder_is_called_by_the_datasets_name(reports: report.Reports) -> None:
    own = dataclasses.replace(reports, name="pets", source="folder")
    drawn = charts.of_climb(own, dict.fromkeys(rungs.RUNGS, HISTORY), NAMES)
    assert drawn["staircase"].axes[0].get_title() == "pets (cat and dog)"


MEANS = pd.DataFrame({"rung": ["features"], "mean": [0.9], "ci_low": [0.8], "ci_high": [0.95]})


@pytest.mark.parametrize("book", [True, False])
def test_only_studies_that_there_are_have_a_figure(book: bool) -> None:
    assert charts.of_studies(report.Studies(), ladder(book)) == {}
    values = pd.DataFrame({"rung": ["features"] * 2, "accuracy": [0.88, 0.92]})
    seeds = report.Studies(seeds=values, seeds_summary=MEANS)
    drawn = charts.of_studies(seeds, ladder(book))
    assert list(drawn) == ["seeds"]
    legend = drawn["seeds"].axes[0].get_legend()
    assert legend is not None
    assert ("the book" in [text.get_text() for text in legend.get_texts()]) == book
    curve = report.Studies(learning_curve=MEANS.assign(train_pictures=100))
    assert list(charts.of_studies(curve, ladder(book))) == ["learning_curve"]


def seen() -> gallery.Seen:
    random = np.random.default_rng(0)
    return {
        "gallery": np.array(["example", "worst_mistakes"]),
        "id": np.array(["cat.1", "dog.1"]),
        "label": np.array([0, 1]),
        "probabilities": np.array([[0.9, 0.1], [0.8, 0.2]]),
        "images": random.integers(0, 256, (2, 48, 48, 3), np.uint8),
        "grad_cam": random.random((2, 2, 6, 6)).astype(np.float16),
        "grad_cam_plus_plus": random.random((2, 2, 6, 6)).astype(np.float16),
        "layers": np.array(["conv1", "pool1"]),
        "blank_share": np.array([0.0, 0.25]),
        "activations/conv1": random.integers(0, 256, (12, 12, 8), np.uint8),
        "activations/pool1": random.integers(0, 256, (6, 6, 8), np.uint8),
        "kernels": random.normal(0, 1, (8, 3, 3, 3)).astype(np.float32),
    }


def test_networks_have_figures_of_what_they_see() -> None:
    by_rung: dict[rungs.Rung, gallery.Seen] = {rung: seen() for rung in rungs.RUNGS}
    patterns = {"block1_conv1": np.zeros((3, 16, 16, 3), np.uint8)}
    drawn = charts.of_networks(by_rung, patterns)
    assert set(drawn) == {"operations", "filters", "activations_scratch", "activations_base"}
    blank_shares = charts.blank_shares(by_rung)
    assert [axes.get_title() for axes in blank_shares.axes] == ["scratch", "base"]
    assert [text.get_text() for text in drawn["activations_base"].texts] == [
        "conv1: 8 of 12 × 12, 0 % blank",
        "pool1: 8 of 6 × 6, 25 % blank",
    ]


def test_heatmaps_are_of_one_picture_on_all_rungs_and_of_every_rungs_mistakes() -> None:
    by_rung: dict[rungs.Rung, gallery.Seen] = {rung: seen() for rung in rungs.RUNGS}
    drawn = charts.of_heatmaps(by_rung, NAMES)
    assert list(drawn) == ["heatmaps", *(f"heatmaps_{rung}" for rung in rungs.RUNGS)]
    columns = 2 * len(NAMES)
    example = [text.get_text() for text in drawn["heatmaps"].texts][columns:]
    assert example == [f"{rung}\ncat.1: cat,\ntaken for cat: 90.0 %" for rung in rungs.RUNGS]
    each = [text.get_text() for text in drawn["heatmaps_features"].texts][columns:]
    assert each == ["cat.1: cat,\ntaken for cat: 90.0 %", "dog.1: dog,\ntaken for cat: 80.0 %"]


def test_a_run_has_its_history_and_a_confusion_per_subset() -> None:
    drawn = charts.of_run(HISTORY, PREDICTIONS, NAMES)
    assert set(drawn) == {"history.png", "confusion_validation.png", "confusion_test.png"}
    counts = [text.get_text() for text in drawn["confusion_validation.png"].axes[0].texts]
    assert counts == ["2", "0", "1", "1"]
