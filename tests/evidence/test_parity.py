import numpy as np
import pytest
from numpy.typing import NDArray

from ladder.evidence import parity

NAMES, CLASSES = ["a.jpg", "b.jpg", "c.jpg"], ["cat", "dog"]
OURS = np.array([[0.9, 0.1], [0.5, 0.5], [0.25, 0.75]], np.float32)


def off(row: int, by: float) -> NDArray[np.float32]:
    """Returns the probabilities with a row's first one larger, and its second one smaller."""
    theirs = OURS.copy()
    theirs[row] += [by, -by]
    return theirs


def test_a_row_has_both_labels_and_the_largest_difference() -> None:
    theirs = OURS + np.array([[0, 0], [0, 0.25], [0.125, -0.5]], np.float32)
    table = parity.table(NAMES, CLASSES, OURS, theirs)
    assert table.to_dict("list") == {
        "path": NAMES,
        "label": ["cat", "cat", "dog"],  # of two equally probable, the first
        "exported_label": ["cat", "dog", "cat"],
        "difference": [0.0, 0.25, 0.5],
    }
    assert parity.other_labels(table) == 2


@pytest.mark.parametrize(
    ("theirs", "holds"),
    [
        (OURS, True),
        (off(0, 0.0009), True),
        (off(0, 0.0011), False),
        (off(1, -0.0001), False),  # another label
        (off(2, np.nan), False),
    ],
)
def test_answers_are_alike_if_labels_are_and_no_probability_is_far_off(
    theirs: NDArray[np.float32], holds: bool
) -> None:
    assert parity.holds(parity.table(NAMES, CLASSES, OURS, theirs)) == holds


def test_sentences_say_the_largest_difference_and_how_many_labels_differ() -> None:
    same, other = (parity.table(NAMES, CLASSES, OURS, off(1, by)) for by in (0.125, -0.125))
    assert parity.sentence(same) == (
        "On all 3 test pictures, from the bytes of their files on, probabilities differ from those "
        "of Ladder in float32 by at most 1.2e-01, and all labels are equal."
    )
    assert parity.from_results(other, "mixed_bfloat16") == (
        "The results above were computed with the Keras policy mixed_bfloat16: from these, "
        "probabilities differ by at most 1.2e-01, and 1 label differs."
    )
    missing = parity.table(NAMES, CLASSES, OURS, off(0, np.nan))
    assert "at most nan" in parity.sentence(missing)
