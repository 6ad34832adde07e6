"""Answers of many climbs, as they are kept in a study's file."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from ladder import errors
from ladder.evidence import answers

COLUMNS = ["subset", "id", "rung", "seed", "right"]
RUNGS = ("features", "scratch")  # in another order than the alphabet's, and than the ladder's


def climbs(right: NDArray[np.bool_], seeds: list[int]) -> pd.DataFrame:
    """Returns the answers (seed, rung, picture) of climbs, seed after seed in this order."""
    pictures = right.shape[2]
    subsets = ["validation" if i < pictures // 2 else "test" for i in range(pictures)]
    ids = [f"cat.{i}" for i in range(pictures)]
    frames = [
        pd.DataFrame({"subset": subsets, "id": ids, "rung": rung, "seed": seed, "right": by_rung})
        for seed, by_seed in zip(seeds, right, strict=True)
        for rung, by_rung in zip(RUNGS, by_seed, strict=True)
    ]
    return pd.concat(frames, ignore_index=True)


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values(COLUMNS[:-1], ignore_index=True)


def test_an_answer_is_right_where_the_predicted_label_is_the_true_one() -> None:
    predictions = pd.DataFrame(
        {
            "id": ["cat.1", "dog.1", "cat.1"],
            "label": [0, 1, 0],
            "probability": [0.2, 0.4, 0.9],
            "subset": ["validation", "test", "test"],
        }
    )
    frame = answers.of_predictions(predictions, "scratch", 7)
    assert list(frame) == COLUMNS
    assert frame.to_numpy().tolist() == [
        ["validation", "cat.1", "scratch", 7, True],
        ["test", "dog.1", "scratch", 7, False],
        ["test", "cat.1", "scratch", 7, False],
    ]


def test_answers_of_three_classes_are_of_the_most_probable_one() -> None:
    predictions = pd.DataFrame(
        [("a", 2, 0.1, 0.3, 0.6, "test"), ("b", 0, 0.3, 0.5, 0.2, "test")],
        columns=["id", "label", "probability_0", "probability_1", "probability_2", "subset"],
    )
    assert answers.of_predictions(predictions, "features", 0)["right"].tolist() == [True, False]


SHAPES = st.tuples(st.integers(1, 6), st.just(2), st.integers(1, 9))  # seeds, rungs, pictures


@hypothesis_settings(max_examples=25)
@given(right=hnp.arrays(bool, SHAPES))
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, right: NDArray[np.bool_]
) -> None:
    path = tmp_path_factory.mktemp("study") / "seeds_answers.csv"
    seeds = [3, 11, 2, 5, 7, 0][: len(right)]  # in the order in which they were climbed
    frame = climbs(right, seeds)
    answers.write(path, frame)
    again = answers.read(path, seeds)
    pd.testing.assert_frame_equal(in_order(again[COLUMNS]), in_order(frame), check_dtype=False)
    assert again["right"].dtype == bool


def test_a_file_has_a_row_per_picture_and_a_digit_per_seed_in_rising_order(tmp_path: Path) -> None:
    right = np.array([[[1, 0], [1, 1]], [[0, 0], [0, 1]]], bool)
    answers.write(tmp_path / "a.csv", climbs(right, [9, 2]))
    assert (tmp_path / "a.csv").read_text() == (
        "subset,id,features,scratch\nvalidation,cat.0,01,01\ntest,cat.1,00,11\n"
    )


def test_answers_come_back_by_seed_and_rung_with_the_pictures_in_their_order(
    tmp_path: Path,
) -> None:
    right = np.zeros((2, 2, 12), bool)  # `cat.10` before `cat.2` would be another order
    answers.write(tmp_path / "a.csv", climbs(right, [1, 0]))
    again = answers.read(tmp_path / "a.csv", [1, 0])
    pd.testing.assert_frame_equal(again[COLUMNS], climbs(right, [0, 1]), check_dtype=False)


def test_ids_are_texts_whatever_they_look_like(tmp_path: Path) -> None:
    ids = ["007", "NA", "1e3", "a,b"]
    frame = pd.DataFrame(
        {"subset": "test", "id": ids, "rung": "scratch", "seed": 0, "right": [True] * 4}
    )
    answers.write(tmp_path / "a.csv", frame)
    assert answers.read(tmp_path / "a.csv", [0])["id"].tolist() == ids


@pytest.mark.parametrize("seeds", [[0], [0, 1, 2]])
def test_a_file_of_another_number_of_seeds_is_refused(tmp_path: Path, seeds: list[int]) -> None:
    answers.write(tmp_path / "a.csv", climbs(np.ones((2, 2, 4), bool), [0, 1]))
    with pytest.raises(errors.InputError, match=f"a digit for each of {len(seeds)} seeds"):
        answers.read(tmp_path / "a.csv", seeds)


def test_a_rung_that_lacks_pictures_is_refused(tmp_path: Path) -> None:
    frame = climbs(np.ones((2, 2, 4), bool), [0, 1])
    partial = frame[(frame["rung"] == "features") | (frame["id"] != "cat.3")]
    answers.write(tmp_path / "a.csv", partial)
    with pytest.raises(errors.InputError, match="Received: 0, 2 digits"):
        answers.read(tmp_path / "a.csv", [0, 1])


def test_a_picture_takes_some_sixty_bytes_of_ten_seeds_and_five_rungs(tmp_path: Path) -> None:
    right = np.random.default_rng(0).random((10, 2, 400)) < 0.9
    answers.write(tmp_path / "a.csv", climbs(right, list(range(10))))
    assert (tmp_path / "a.csv").stat().st_size / 400 < 60
