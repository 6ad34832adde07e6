import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from numpy.typing import NDArray
from PIL import Image

from ladder import rungs
from ladder.page import figures, png

LADDER = pd.DataFrame(
    {
        "rung": list(rungs.RUNGS),
        "book": [0.71, 0.82, 0.90, 0.96, 0.97],
        "test_accuracy": [0.70, 0.81, 0.91, 0.95, 1.0],
        "test_ci_low": [0.67, 0.78, 0.89, 0.93, 0.996],
        "test_ci_high": [0.73, 0.83, 0.93, 0.96, 1.0],
        "validation_accuracy": [0.72, 0.82, 0.90, 0.96, 0.97],
        "validation_ci_low": [0.69, 0.79, 0.88, 0.94, 0.96],
        "validation_ci_high": [0.75, 0.84, 0.92, 0.97, 0.98],
    }
)
HISTORY = pd.DataFrame(
    {
        "epoch": [1, 2, 3],
        "loss": [3.0, 2.0, 1.0],
        "accuracy": [0.5, 0.6, 0.7],
        "val_loss": [3.0, 1.5, 2.0],
        "val_accuracy": [0.4, 0.6, 0.5],
    }
)
COUNTS = np.array([[9, 1], [0, 0]])  # a class that the subset does not have
BINS = pd.DataFrame(
    {
        "low": [0.6, 0.8],
        "pictures": [13, 39],
        "confidence": [0.65, 0.9],
        "accuracy": [1 / 3, 8 / 9],
        "ci_low": [0.06, 0.57],
        "ci_high": [0.79, 0.98],
    }
)
ROC = pd.DataFrame({"false_positive_rate": [0, 0.5, 1], "true_positive_rate": [0, 1, 1]})
RECALL = pd.DataFrame({"recall": [1, 0.5, 0], "precision": [0.5, 1, 1]})
SEEDS = pd.DataFrame({"rung": ["scratch"] * 2 + ["features"] * 2, "accuracy": [0.7, 0.8, 0.9, 1]})
MEANS = pd.DataFrame(
    {
        "rung": ["scratch", "features"],
        "mean": [0.75, 0.95],
        "ci_low": [0.6, 0.9],
        "ci_high": [0.9, 1],
    }
)
POINTS = pd.DataFrame(
    {
        "rung": ["features", "fine_tuned", "features", "fine_tuned"],
        "train_pictures": [100, 100, 2000, 2000],
        "mean": [0.8, 0.85, 0.9, 0.95],
        "ci_low": [0.7, 0.75, 0.8, 0.9],
        "ci_high": [0.9, 0.95, 0.95, 0.99],
    }
)


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_the_staircase_stands_at_the_test_accuracies() -> None:
    figure = figures.staircase(LADDER, "drawn")
    (stairs,) = figure.axes[0].patches
    np.testing.assert_allclose(stairs.get_data().values, [70, 81, 91, 95, 100])  # type: ignore[attr-defined]
    assert texts(figure) == ["70.0 %", "81.0 %", "91.0 %", "95.0 %", "100.0 %"]
    legend = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]  # type: ignore[union-attr]
    assert any("book" in entry for entry in legend)


def test_an_interval_that_rounding_puts_past_its_value_is_drawn() -> None:
    above = LADDER.assign(test_accuracy=1.0, test_ci_high=np.nextafter(1.0, 0))
    assert texts(figures.staircase(above, "drawn")) == ["100.0 %"] * 5
    bins = BINS.assign(accuracy=1.0, ci_high=np.nextafter(1.0, 0))
    figures.reliability({"scratch": bins}, {"scratch": 0.1}, {"scratch": 0.1})


def test_no_book_marks_where_the_pictures_are_not_its() -> None:
    figure = figures.staircase(LADDER.assign(book=np.nan), "drawn")
    legend = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]  # type: ignore[union-attr]
    assert not any("book" in entry for entry in legend)


def test_the_legend_covers_no_rung_of_a_ladder_that_falls() -> None:
    falling = np.array([0.542, 0.501, 0.474, 0.432, 0.437])
    measured = {"accuracy": falling, "ci_low": falling - 0.03, "ci_high": falling + 0.03}
    columns = {f"{s}_{name}": v for s in ("test", "validation") for name, v in measured.items()}
    figure = figures.staircase(pd.DataFrame(columns).assign(rung=rungs.RUNGS, book=None), "drawn")
    figure.draw_without_rendering()
    legend = figure.axes[0].get_legend()
    assert legend is not None
    covered = legend.get_window_extent()
    assert not any(covered.overlaps(text.get_window_extent()) for text in figure.axes[0].texts)


def test_curves_show_both_subsets_and_the_epoch_kept() -> None:
    training, validation, kept = figures.history(HISTORY).axes[0].lines
    np.testing.assert_array_equal(training.get_ydata(), [3, 2, 1])
    np.testing.assert_array_equal(validation.get_ydata(), [3, 1.5, 2])
    assert set(np.ravel(kept.get_xdata())) == {2}


def test_an_epoch_that_was_not_validated_leaves_no_gap_in_the_curve() -> None:
    history = HISTORY.assign(val_loss=[3.0, np.nan, 2.0], val_accuracy=[0.4, np.nan, 0.5])
    _, validation, kept = figures.history(history).axes[0].lines
    np.testing.assert_array_equal(validation.get_xdata(), [1, 3])
    assert set(np.ravel(kept.get_xdata())) == {3}


def test_confusion_shows_every_count() -> None:
    assert texts(figures.confusion(COUNTS, ["cat", "dog"])) == ["9", "1", "0", "0"]


def confused(classes: int, each: int = 50) -> NDArray[np.int64]:
    """Returns counts of which four fifths are right and the rest are of the next class."""
    right = each * 4 // 5
    diagonal = np.eye(classes, dtype=np.int64)
    return right * diagonal + (each - right) * np.roll(diagonal, 1, axis=1)


NAMES = {
    2: ["cat", "dog"],
    3: ["European beech", "Norway maple", "oak"],  # case: ordinary names that covered each other
    5: [
        "$y$",
        "<b>x</b> & $y$",
        "\U0001d800",
        "العربية",
        "a name that goes on and on and on and on",
    ],
    10: [f"subspecies number {i}" for i in range(10)],
    20: [f"{i} of a genus of twenty" for i in range(20)],
    25: [f"species {i}" for i in range(25)],
    60: [f"c{i:03d}" for i in range(60)],
    100: [f"a long name of class {i} of a hundred classes" for i in range(100)],
}


def overlapping(boxes: list[Bbox]) -> bool:
    return any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def check_places_of_texts(figure: Figure) -> None:
    """Fails if a name or a number covers another, or reaches out of the figure."""
    figure.draw_without_rendering()
    edge = figure.bbox.padded(2)
    for axes in figure.axes:
        for texts in (axes.get_xticklabels(), axes.get_yticklabels(), axes.texts):
            boxes = [text.get_window_extent() for text in texts if text.get_text()]
            assert not overlapping(boxes)
            assert all(edge.x0 <= box.x0 and edge.y0 <= box.y0 for box in boxes)
            assert all(box.x1 <= edge.x1 and box.y1 <= edge.y1 for box in boxes)


@pytest.mark.parametrize("classes", NAMES)
def test_no_name_along_a_confusion_matrix_covers_another(classes: int) -> None:
    check_places_of_texts(figures.confusion(confused(classes), NAMES[classes]))


@pytest.mark.parametrize("classes", [3, 10, 100])
def test_no_name_covers_another_where_rungs_stand_side_by_side(classes: int) -> None:
    counts: dict[rungs.Rung, NDArray[np.int64]] = dict.fromkeys(rungs.RUNGS, confused(classes))
    check_places_of_texts(figures.confusions(counts, NAMES[classes]))


@pytest.mark.parametrize("classes", NAMES)
def test_up_to_twenty_classes_are_counted_in_numbers(classes: int) -> None:
    figure = figures.confusion(confused(classes), NAMES[classes])
    expected = [] if classes > 20 else ["40"] * classes + ["10"] * classes
    assert sorted(texts(figure), reverse=True) == expected
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert len(labels) == (classes if classes <= 20 else -(-classes // -(-classes // 12)))


def test_names_are_written_as_they_are_or_by_number() -> None:
    figure = figures.confusion(confused(5), NAMES[5])
    labels = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert labels[:4] == ["$y$", "<b>x</b> & $y$", "class 2", "العربية"]
    start, end = labels[4].split("…")
    assert NAMES[5][4].startswith(start)
    assert NAMES[5][4].endswith(end)
    told = figures.names_in_confusions(NAMES[5])
    assert "“class 2” is “\U0001d800”" in told
    assert f"“{labels[4]}” is “{NAMES[5][4]}”" in told


def test_what_is_named_of_many_classes_is_told() -> None:
    assert figures.names_in_confusions(["cat", "dog"]) == ""
    assert figures.names_in_confusions(NAMES[10]) == ""
    sentence = "Of 60 classes, in alphabetical order, one in 5 is named."
    assert figures.names_in_confusions(NAMES[60]) == sentence
    told = figures.names_in_confusions(NAMES[100])
    assert told.count("a long name of class") == 12
    assert "a long name of class 9 of a hundred classes" in told


def test_many_counts_of_many_digits_stay_in_their_cells() -> None:
    figure = figures.confusion(confused(20, 50_000), NAMES[20])
    figure.draw_without_rendering()
    assert not overlapping([text.get_window_extent() for text in figure.axes[0].texts])


def test_reliability_stands_at_the_bins() -> None:
    errors: dict[rungs.Rung, float] = {"scratch": 0.1, "features": 0.2}
    figure = figures.reliability({"scratch": BINS, "features": BINS}, errors, errors)
    for axes, error in zip(figure.axes, ("10.0", "20.0"), strict=True):
        (points,) = [c for c in axes.collections if isinstance(c, PathCollection)]
        stands = np.asarray(points.get_offsets())
        np.testing.assert_allclose(stands, BINS[["confidence", "accuracy"]])
        few, many = points.get_sizes()
        assert many == pytest.approx(3 * few)
        assert points.get_alpha() == pytest.approx([0.25, 1])  # thirteen say little
        expected = f"ECE {error} %\nby chance ≤ {error} %"
        assert [text.get_text() for text in axes.texts] == [expected]


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]  # type: ignore[union-attr]


def test_curves_of_rungs_are_named_once_with_their_area() -> None:
    areas = {"scratch": 0.75, "features": 0.5}
    figure = figures.roc({"scratch": [ROC], "features": [ROC, ROC, ROC]}, areas)
    assert legend(figure) == ["scratch, area 0.750", "features, area 0.500"]
    drawn = [line for line in figure.axes[0].lines if len(np.ravel(line.get_xdata())) == 3]
    assert len(drawn) == 4
    np.testing.assert_array_equal(drawn[0].get_ydata(), ROC["true_positive_rate"])
    assert figure.axes[0].get_xlabel() == "false positive rate"


def test_every_seed_is_shown_with_its_mean_and_the_book() -> None:
    figure = figures.seeds(SEEDS, MEANS, {"features": 0.9})
    drawn = [np.ravel(line.get_ydata()).tolist() for line in figure.axes[0].lines]
    assert [70, 80] in [[round(y) for y in ys] for ys in drawn]
    assert [90, 100] in [[round(y) for y in ys] for ys in drawn]
    assert [90] in [[round(y) for y in ys] for ys in drawn]
    assert texts(figure) == ["75.0 %", "95.0 %"]
    assert len(legend(figure)) == 3
    assert len(legend(figures.seeds(SEEDS, MEANS, {}))) == 2


def test_a_learning_curve_is_a_line_per_rung() -> None:
    figure = figures.learning_curve(POINTS)
    assert legend(figure) == ["features", "fine_tuned"]
    lines = [line for line in figure.axes[0].lines if line.get_linestyle() == "-"]
    assert [np.ravel(line.get_ydata()).tolist() for line in lines] == [[80, 90], [85, 95]]
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["100", "2,000"]


def test_many_classes_have_one_curve_a_rung() -> None:
    line = ROC.assign(true_positive_rate=[0.0, 0.5, 1.0])
    figure = figures.roc({"scratch": [ROC, line] * 20}, {"scratch": 0.625})
    _, curve = figure.axes[0].lines
    assert legend(figure) == ["scratch, area 0.625"]
    area = np.trapezoid(np.asarray(curve.get_ydata()), np.asarray(curve.get_xdata()))
    assert area == pytest.approx((0.75 + 0.5) / 2)


def test_a_rung_whose_pictures_are_all_of_one_class_has_no_curve() -> None:
    figure = figures.roc({"scratch": [], "features": [ROC]}, {"scratch": np.nan, "features": 0.75})
    assert legend(figure) == ["scratch, area not defined", "features, area 0.750"]
    figure = figures.precision_recall({"scratch": []}, {"scratch": np.nan})
    assert figure.axes[0].get_xlabel() == "recall"


SHARES = {"conv1": 0.0, "pool1": 0.25}


def test_blank_shares_are_bars_by_layer() -> None:
    figure = figures.blank_shares({"scratch": SHARES, "base": {"block1_conv1": 0.5}})
    heights = [[bar.get_height() for bar in axes.patches] for axes in figure.axes]  # type: ignore[attr-defined]
    assert heights == [[0, 25], [50]]
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["conv1", "pool1"]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: figures.staircase(LADDER, "a name with $x_{$ <signs>"),
        lambda: figures.confusion(confused(5), NAMES[5]),
        lambda: figures.confusion(confused(25), NAMES[25]),
        lambda: figures.histories({"scratch": HISTORY, "fine_tuned": HISTORY}),
        lambda: figures.confusions({"scratch": COUNTS, "features": COUNTS}, ["$x_{$", "dog"]),
        lambda: figures.reliability({"scratch": BINS}, {"scratch": 0.1}, {"scratch": 0.2}),
        lambda: figures.roc({"scratch": [ROC]}, {"scratch": 0.75}),
        lambda: figures.precision_recall({"scratch": [RECALL]}, {"scratch": 0.75}),
        lambda: figures.seeds(SEEDS, MEANS, {"features": 0.9}),
        lambda: figures.learning_curve(POINTS),
        lambda: figures.blank_shares({"scratch": SHARES, "<base> $x$": SHARES}),
    ],
)
def test_figures_are_drawn_the_same_every_time(draw: Callable[[], Figure], tmp_path: Path) -> None:
    for i in range(2):
        png.write(tmp_path / f"{i}.png", draw())
    assert (tmp_path / "0.png").read_bytes() == (tmp_path / "1.png").read_bytes()
    with Image.open(tmp_path / "0.png") as picture:
        assert min(picture.size) > 100
