import numpy as np
import pandas as pd
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from ladder.claims import chapter_figures


def test_shifts_are_two_curves_in_percent() -> None:
    table = pd.DataFrame({"pixels": [0, 1], "convnet": [0.99, 0.95], "dense": [0.98, 0.7]})
    (axes,) = chapter_figures.shifts(table).axes
    curves = {str(line.get_label()): np.asarray(line.get_ydata(), float) for line in axes.lines}
    assert {*curves} == {"convnet", "dense network"}
    np.testing.assert_allclose(curves["convnet"], [99, 95])
    np.testing.assert_allclose(curves["dense network"], [98, 70])


def test_every_way_of_pooling_has_its_interval() -> None:
    table = pd.DataFrame(
        {
            "pooling": ["max", "none"],
            "mean": [0.97, 0.96],
            "ci_low": [0.96, 0.95],
            "ci_high": [0.98, 0.97],
        }
    )
    (axes,) = chapter_figures.pooling(table).axes
    (container,) = axes.containers
    assert isinstance(container, ErrorbarContainer)
    middle = np.asarray(container.lines[0].get_ydata(), float)
    np.testing.assert_allclose(middle, [97, 96])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["max", "none"]


def lines(figure: Figure) -> dict[str, list[float]]:
    """Returns the lines of a figure, by label."""
    (axes,) = figure.axes
    return {
        str(line.get_label()): np.asarray(line.get_ydata(), float).tolist() for line in axes.lines
    }


def test_depth_is_a_curve_for_each_of_what_is_read() -> None:
    columns = {name: [0.5, 0.25] for name in chapter_figures.READ}
    table = pd.DataFrame({"block": ["block1_pool", "block2_pool"], **columns})
    figure = chapter_figures.depth(table)
    assert lines(figure) == {key: [50.0, 25.0] for key in chapter_figures.READ.values()}
    labels = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert labels == ["block 1", "block 2"]


def test_heads_are_curves_of_loss() -> None:
    losses = {name: [0.5, 0.4] for name in chapter_figures.HEADS}
    curves = lines(chapter_figures.heads(pd.DataFrame({"epoch": [1, 2], **losses})))
    assert curves == {key: [0.5, 0.4] for key in chapter_figures.HEADS.values()}


def test_what_is_unfrozen_has_its_interval() -> None:
    table = pd.DataFrame(
        {"unfrozen": ["head", "blocks4_5"], "mean": [0.8, 0.9], "ci_low": [0.7, 0.8], "ci_high": 1}
    )
    (axes,) = chapter_figures.unfreezing(table).axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["head", "blocks4–5"]
    assert len(axes.containers) == 1


def test_amounts_are_curves_over_the_number_of_pictures() -> None:
    ways = {name: [0.6, 0.7] for name in chapter_figures.AMOUNTS}
    spread = {f"{name}_deviation": [0.01, 0.01] for name in ways}
    table = pd.DataFrame({"train_pictures": [500, 4000], **ways, **spread})
    (axes,) = chapter_figures.amounts(table).axes
    assert [container.get_label() for container in axes.containers] == [
        *chapter_figures.AMOUNTS.values()
    ]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["500", "4,000"]
