from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from ladder import artifacts, figures, paths

LADDER = pd.DataFrame(
    {
        "rung": list(paths.RUNGS),
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


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_the_staircase_stands_at_the_test_accuracies() -> None:
    figure = figures.staircase(LADDER, "drawn")
    (stairs,) = figure.axes[0].patches
    np.testing.assert_allclose(stairs.get_data().values, [70, 81, 91, 95, 100])  # type: ignore[attr-defined]
    assert texts(figure) == ["70.0 %", "81.0 %", "91.0 %", "95.0 %", "100.0 %"]
    legend = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]  # type: ignore[union-attr]
    assert any("book" in entry for entry in legend)


def test_no_book_marks_where_the_pictures_are_not_its() -> None:
    figure = figures.staircase(LADDER.assign(book=np.nan), "drawn")
    legend = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]  # type: ignore[union-attr]
    assert not any("book" in entry for entry in legend)


def test_curves_show_both_subsets_and_the_epoch_kept() -> None:
    loss = figures.history(HISTORY).axes[0]
    training, validation, kept = loss.lines
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


@pytest.mark.parametrize(
    "figure",
    [
        figures.staircase(LADDER, "a $name$ with <signs>".replace("$", r"\$")),
        figures.histories({"scratch": HISTORY, "fine_tuned": HISTORY}),
        figures.confusions({"scratch": COUNTS, "features": COUNTS}, ["cat", "dog"]),
    ],
)
def test_figures_are_drawn_the_same_every_time(figure: Figure, tmp_path: Path) -> None:
    for i in range(2):
        artifacts.write_png(tmp_path / f"{i}.png", figure)
    assert (tmp_path / "0.png").read_bytes() == (tmp_path / "1.png").read_bytes()
    with Image.open(tmp_path / "0.png") as picture:
        assert min(picture.size) > 200
