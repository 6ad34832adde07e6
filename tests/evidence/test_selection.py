import pandas as pd
import pytest

from ladder import rungs
from ladder.evidence import selection

IDS = ["cat.7", "cat.8", "dog.7", "dog.8", "dog.9"]
LABELS = [0, 0, 1, 1, 1]


def frame(*probability: float) -> pd.DataFrame:
    """Returns predictions of the five test pictures, after a validation picture that is wrong."""
    rows = {
        "id": ["cat.1", *IDS],
        "label": [0, *LABELS],
        "probability": [1.0, *probability],
        "subset": ["validation", *["test"] * len(IDS)],
    }
    return pd.DataFrame(rows)


# wrong: cat.8 (0.9), dog.7 (0.8), dog.9 (0.7) | cat.8 (0.6), dog.9 (0.95) | all but cat.7
FRAMES: dict[rungs.Rung, pd.DataFrame] = {
    "scratch": frame(0.1, 0.9, 0.2, 0.8, 0.3),
    "features": frame(0.2, 0.6, 0.7, 0.9, 0.05),
    "fine_tuned": frame(0.0, 0.9, 0.1, 0.4, 0.2),
}


def ids(rung: rungs.Rung, name: str, picture: int | str = 0, count: int = 2) -> list[str]:
    pictures = selection.gallery(FRAMES[rung], picture, count)
    assert (pictures["id"] == [IDS[row] for row in pictures["row"]]).all()
    ids: list[str] = pictures.loc[pictures["gallery"] == name, "id"].tolist()
    return ids


def test_the_worst_mistakes_are_the_most_confident_of_test_alone() -> None:
    assert ids("scratch", "worst_mistakes") == ["cat.8", "dog.7"]
    assert ids("features", "worst_mistakes") == ["dog.9", "cat.8"]
    assert ids("scratch", "worst_mistakes", count=9) == ["cat.8", "dog.7", "dog.9"]


def test_what_every_rung_gets_wrong_stands_in_order_of_mean_confidence() -> None:
    # cat.8: 0.9, 0.6, 0.9; dog.9: 0.7, 0.95, 0.8
    tests = {rung: selection.of_test(predictions) for rung, predictions in FRAMES.items()}
    assert [IDS[row] for row in selection.wrong_everywhere(tests, 2)] == ["dog.9", "cat.8"]
    assert [IDS[row] for row in selection.wrong_everywhere(tests, 1)] == ["dog.9"]


@pytest.mark.parametrize("picture", [3, "dog.8"])
def test_the_example_is_given_by_place_or_by_id(picture: int | str) -> None:
    assert ids("features", "example", picture) == ["dog.8"]


def test_the_rows_hold_the_rungs_own_prediction() -> None:
    pictures = selection.gallery(FRAMES["features"], "dog.9", 1)
    assert pictures["gallery"].tolist() == ["example", "worst_mistakes"]
    assert pictures["probability"].tolist() == [0.05, 0.05]
    assert pictures["label"].tolist() == [1, 1]


def test_equally_confident_mistakes_stand_in_test_order() -> None:
    test = pd.DataFrame({"label": [1, 0, 1], "probability": [0.25, 0.75, 0.25]})
    assert selection.worst_mistakes(test, 3).tolist() == [0, 1, 2]


def test_no_mistake_leaves_the_example() -> None:
    pictures = selection.gallery(frame(0.1, 0.1, 0.9, 0.9, 0.9), 4, 2)
    assert pictures[["gallery", "row", "id"]].to_numpy().tolist() == [["example", 4, "dog.9"]]


def test_of_more_classes_the_wrong_ones_probability_counts() -> None:
    columns = {
        "probability_0": [0.4, 0.1, 0.2],
        "probability_1": [0.3, 0.1, 0.7],
        "probability_2": [0.3, 0.8, 0.1],
    }
    test = pd.DataFrame({"label": [1, 2, 0], **columns})
    assert selection.worst_mistakes(test, 3).tolist() == [2, 0]


def test_fewer_pictures_than_asked_for_are_shown_all() -> None:
    one = pd.DataFrame({"id": ["a.0"], "label": [0], "probability": [0.9], "subset": ["test"]})
    pictures = selection.gallery(one, 0, 50)
    assert pictures["gallery"].tolist() == ["example", "worst_mistakes"]
    assert pictures["row"].tolist() == [0, 0]
    tests = {rung: selection.of_test(one.assign(probability=0.1)) for rung in FRAMES}
    assert selection.wrong_everywhere(tests, 8).tolist() == []
