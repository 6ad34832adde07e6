import subprocess
import sys

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ladder.evidence import prediction_tables

THREE = ["probability_0", "probability_1", "probability_2"]


def binary(labels: list[int], probability: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"label": labels, "probability": probability})


def rows() -> pd.DataFrame:
    return pd.DataFrame({"id": ["cat.7", "dog.7"], "path": "", "label": [0, 1]}, index=[30, 31])


def test_predictions_of_two_classes_have_one_probability() -> None:
    outputs = np.array([[0.25], [0.75]], np.float32)
    frame = prediction_tables.new(rows(), outputs, "test")
    assert list(frame) == ["id", "label", "probability", "subset"]
    assert frame.to_dict("records") == [
        {"id": "cat.7", "label": 0, "probability": 0.25, "subset": "test"},
        {"id": "dog.7", "label": 1, "probability": 0.75, "subset": "test"},
    ]


def test_predictions_of_three_classes_have_a_probability_each() -> None:
    outputs = np.array([[0.5, 0.25, 0.25], [0.125, 0.75, 0.125]], np.float32)
    frame = prediction_tables.new(rows(), outputs, "validation")
    assert list(frame) == ["id", "label", *THREE, "subset"]
    np.testing.assert_array_equal(frame[THREE], outputs)
    np.testing.assert_array_equal(prediction_tables.probabilities(frame), outputs)


def test_eleven_classes_keep_their_order() -> None:
    outputs: NDArray[np.float32] = np.eye(11, dtype=np.float32)[[10, 2]]
    frame = prediction_tables.new(rows(), outputs, "test")
    assert prediction_tables.predicted(frame).tolist() == [10, 2]


def test_the_probabilities_of_two_classes_are_the_first_and_the_second() -> None:
    frame = binary([0, 1], [0.25, 1.0])
    assert prediction_tables.probabilities(frame).tolist() == [[0.75, 0.25], [0.0, 1.0]]


def test_a_tie_is_the_first_class() -> None:
    assert prediction_tables.predicted(binary([0, 1], [0.5, 0.5000001])).tolist() == [0, 1]


def test_it_needs_no_statistics() -> None:
    """Stages that predict start without them, which takes a second each."""
    code = "import sys, ladder.evidence.prediction_tables; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"sklearn", "statsmodels", "scipy"} & {*done.stdout.split()}
