import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladder import errors, settings
from ladder.pictures import split


def split_of(train: int, validation: int, test: int, used: int | None = None) -> settings.Split:
    return settings.Split(
        train_per_class=train,
        validation_per_class=validation,
        test_per_class=test,
        train_used_per_class=used,
        shuffle_train_labels=False,
    )


BOOK = split_of(1000, 500, 500)
SMALL = split_of(2, 1, 1)


def members(counts: dict[str, int]) -> pd.DataFrame:
    """Returns pictures numbered from 0, by class and number, as `archives.members` gives them."""
    rows = [
        (f"train/{name}.{i}.jpg", name, i) for name in sorted(counts) for i in range(counts[name])
    ]
    return pd.DataFrame(rows, columns=["path", "class_name", "number"])


def numbers(picked: pd.DataFrame, subset: str, class_name: str) -> list[int]:
    rows = picked[(picked["subset"] == subset) & (picked["class_name"] == class_name)]
    return [int(number) for number in rows["number"]]


@pytest.mark.parametrize("class_name", ["cat", "dog"])
@pytest.mark.parametrize(
    ("subset", "first", "last"),
    [("train", 0, 999), ("validation", 1000, 1499), ("test", 1500, 1999)],
)
def test_the_books_numbers_are_taken(subset: str, class_name: str, first: int, last: int) -> None:
    picked = split.by_number(members({"cat": 2100, "dog": 2000}), BOOK, None)
    assert numbers(picked, subset, class_name) == list(range(first, last + 1))
    assert len(picked) == 4000


def test_a_test_batch_is_taken_from_where_it_starts() -> None:
    picked = split.by_number(members({"cat": 60, "dog": 60}), SMALL, 50)
    assert numbers(picked, "validation", "cat") == [2]
    assert numbers(picked, "test", "cat") == numbers(picked, "test", "dog") == [50]


def test_validation_may_reach_up_to_the_test_batch() -> None:
    picked = split.by_number(members({"cat": 4, "dog": 4}), SMALL, 3)
    assert numbers(picked, "test", "dog") == [3]


def test_validation_may_not_reach_into_the_test_batch() -> None:
    message = (
        r"split: expected train and validation to take at most 2 of a class\. Received: 3\. "
        r"Lower split\.train_per_class or split\.validation_per_class\."
    )
    with pytest.raises(errors.InputError, match=message):
        split.by_number(members({"cat": 9, "dog": 9}), SMALL, 2)


@pytest.mark.parametrize(
    ("counts", "starts_at", "subset", "expected", "received"),
    [
        ({"cat": 4, "dog": 3}, None, "test", "1 pictures of dog, numbered 3 to 3", 0),
        ({"cat": 4, "dog": 2}, None, "validation", "1 pictures of dog, numbered 2 to 2", 0),
        ({"cat": 1, "dog": 4}, None, "train", "2 pictures of cat, numbered 0 to 1", 1),
        ({"cat": 5, "dog": 6}, 5, "test", "1 pictures of cat, numbered 5 to 5", 0),
    ],
)
def test_too_few_pictures_are_refused(
    counts: dict[str, int], starts_at: int | None, subset: str, expected: str, received: int
) -> None:
    message = (
        rf"split, subset {subset}: expected {expected}\. Received: {received}\. "
        r"Give an archive with more pictures, or lower the counts in `split`\."
    )
    with pytest.raises(errors.InputError, match=message):
        split.by_number(members(counts), SMALL, starts_at)


def test_a_missing_number_is_not_made_up_for_by_a_later_one() -> None:
    rows = members({"cat": 9, "dog": 9})
    rows = rows[rows["path"] != "train/cat.1.jpg"]
    with pytest.raises(errors.InputError, match=r"2 pictures of cat, numbered 0 to 1\. .*: 1\."):
        split.by_number(rows, SMALL, None)


@given(
    train=st.integers(1, 5),
    validation=st.integers(1, 5),
    test=st.integers(1, 5),
    gap=st.none() | st.integers(0, 4),
    classes=st.sets(st.sampled_from(["ape", "bee", "cat", "dog", "eel"]), min_size=2),
)
def test_subsets_are_disjoint_and_balanced(
    train: int, validation: int, test: int, gap: int | None, classes: set[str]
) -> None:
    counts = split_of(train, validation, test)
    starts_at = None if gap is None else train + validation + gap
    pool = members(dict.fromkeys(classes, train + validation + (gap or 0) + test))
    picked = split.by_number(pool, counts, starts_at)
    assert picked["path"].is_unique
    assert set(picked["path"]) <= set(pool["path"])
    sizes = picked.groupby(["subset", "class_name"]).size().to_dict()
    assert sizes == {
        (subset, name): size
        for subset, size in (("train", train), ("validation", validation), ("test", test))
        for name in classes
    }


def test_using_fewer_pictures_leaves_validation_and_test_alone() -> None:
    pool = members({"cat": 8, "dog": 8})
    whole = split.by_number(pool, split_of(4, 2, 2), None)
    fewer = split.by_number(pool, split_of(4, 2, 2, used=1), None)
    for subset in ("validation", "test"):
        rows = whole[whole["subset"] == subset]
        assert fewer[fewer["subset"] == subset]["path"].tolist() == rows["path"].tolist()
    used = fewer.loc[fewer["subset"] == "train", "path"]
    assert used.tolist() == ["train/cat.0.jpg", "train/dog.0.jpg"]


def test_shuffled_labels_are_dealt_out_anew_in_train_alone() -> None:
    subsets = ["train"] * 200 + ["validation"] * 20 + ["test"] * 20
    frame = pd.DataFrame({"id": range(240), "label": [0, 1] * 120, "subset": subsets})
    shuffled = split.shuffle_train_labels(frame, 1)
    train = frame["subset"] == "train"
    pd.testing.assert_frame_equal(shuffled[~train], frame[~train])
    assert shuffled["label"][train].sum() == 100  # as many of each class as before
    kept = (shuffled["label"] == frame["label"])[train].sum()
    assert 70 <= kept <= 130  # chance: 100, standard deviation 7
    pd.testing.assert_frame_equal(split.shuffle_train_labels(frame, 1), shuffled)
    assert not split.shuffle_train_labels(frame, 2).equals(shuffled)
    assert frame["label"].tolist() == [0, 1] * 120


@pytest.mark.parametrize("picture", [5, -1, "cat.1", "5"])
def test_a_picture_that_test_lacks_is_refused(picture: int | str) -> None:
    message = (
        r"interpretation\.picture: expected a place in test from 0 to 4, or an id such as cat\.7\. "
        rf"Received: {picture}\."
    )
    with pytest.raises(errors.InputError, match=message):
        split.example(pd.DataFrame({"id": [f"cat.{n}" for n in range(7, 12)]}), picture)


def test_a_deal_is_the_same_for_ever() -> None:
    """Studies of shuffled labels are of these deals; the quick form does not take them."""
    frame = pd.DataFrame({"label": [0, 1] * 6, "subset": "train"})
    dealt = split.shuffle_train_labels(frame, 1)["label"].tolist()
    assert dealt == [1, 0, 1, 0, 1, 1, 0, 1, 0, 0, 0, 1]
