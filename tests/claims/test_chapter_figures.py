import numpy as np
import pandas as pd
from matplotlib.container import ErrorbarContainer

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
