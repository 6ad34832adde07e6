import hashlib
import random
from collections import Counter
from typing import Any

import hypothesis
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladder import errors, settings
from ladder.pictures import split


def split_of(
    train: float, validation: float, test: float, used: int | None = None, distance: int | None = 30
) -> settings.Split:
    """Returns counts, or shares, of the subsets."""
    return settings.Split(
        train=train,
        validation=validation,
        test=test,
        group=None,
        hash_distance=distance,
        unreadable_share=0.01,
        train_used_per_class=used,
        shuffle_train_labels=False,
        corrections=None,
    )


BOOK = split_of(1000, 500, 500)
SMALL = split_of(2, 1, 1)
SHARES = split_of(0.6, 0.2, 0.2)


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
        r"Lower split\.train or split\.validation\."
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


def test_a_split_by_number_needs_counts() -> None:
    message = (
        r"split: expected numbers of pictures.*\. Received: the shares 0\.6, 0\.2 and 0\.2\. "
        r"Set split\.train, split\.validation and split\.test to whole numbers\."
    )
    with pytest.raises(errors.InputError, match=message):
        split.by_number(members({"cat": 9, "dog": 9}), SHARES, None)


def pool(counts: dict[str, int], size: int = 1, subset: str = "") -> pd.DataFrame:
    """Returns pictures by class, of which `size` at a time are a group."""
    rows = [
        (f"{name}/{subset}{i}.jpg", name, f"{name}{subset}{i // size}", subset)
        for name, count in counts.items()
        for i in range(count)
    ]
    pictures = pd.DataFrame(rows, columns=["path", "class_name", "group", "subset"])
    hashes = [hashlib.sha256(path.encode()).hexdigest() for path in pictures["path"]]
    return pictures.assign(sha256=pd.Series(hashes, dtype=str))


def place(group: str) -> float:
    """Returns where a group lies between 0 and 1, by 256 bits instead of 64."""
    return int(hashlib.sha256(group.encode()).hexdigest(), 16) / 16**64


def sizes(divided: pd.DataFrame) -> Counter[tuple[str, str]]:
    return Counter(zip(divided["class_name"], divided["subset"], strict=True))


def are_whole(divided: pd.DataFrame) -> bool:
    """Returns whether every group has one subset."""
    return not divided[["group", "subset"]].drop_duplicates()["group"].duplicated().any()


def subsets(divided: pd.DataFrame) -> dict[str, str]:
    return dict(zip(divided["path"], divided["subset"], strict=True))


def test_the_position_of_a_group_is_the_same_for_ever() -> None:
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180: abc
    assert split.position("abc") == int(known[:16], 16) / 2**64
    assert split.position("čaj") == place("čaj")


def test_shares_are_bounds_between_which_groups_lie() -> None:
    pictures = pool({"oak": 900, "elm": 700}, size=2)
    divided = split.by_hash(pictures, split_of(0.5, 0.3, 0.2))
    for group, subset in zip(divided["group"], divided["subset"], strict=True):
        u = place(group)
        assert subset == ("test" if u < 0.2 else "validation" if u < 0.5 else "train")
    pd.testing.assert_frame_equal(divided.drop(columns="subset"), pictures.drop(columns="subset"))
    assert list(divided.columns) == list(pictures.columns)
    for name, count in (("oak", 900), ("elm", 700)):
        for subset, share in (("train", 0.5), ("validation", 0.3), ("test", 0.2)):
            spread = (2 * count * share * (1 - share)) ** 0.5  # of pairs of pictures
            assert abs(sizes(divided)[name, subset] - count * share) < 4 * spread


def test_pictures_keep_their_subsets_when_others_are_added_and_whatever_the_order() -> None:
    few, many = pool({"oak": 100, "elm": 100}), pool({"yew": 30, "oak": 140, "elm": 300})
    before = subsets(split.by_hash(few, SHARES))
    after = subsets(split.by_hash(many.sample(frac=1, random_state=3), SHARES))
    assert {path: after[path] for path in before} == before


@hypothesis.settings(max_examples=40)
@given(
    counts=st.lists(st.integers(3, 7), min_size=1, max_size=4),
    shares=st.sampled_from([(0.6, 0.2, 0.2), (0.9, 0.05, 0.05), (0.02, 0.96, 0.02)]),
    size=st.integers(1, 3),
    salt=st.integers(0, 10**6),
    order=st.randoms(use_true_random=False),
)
def test_small_classes_have_every_subset_by_the_fewest_moves(
    counts: list[int],
    shares: tuple[float, float, float],
    size: int,
    salt: int,
    order: random.Random,
) -> None:
    pictures = pool({f"c{salt}{i}": size * count for i, count in enumerate(counts)}, size)
    divided = split.by_hash(pictures, split_of(*shares))
    assert len(sizes(divided)) == 3 * len(counts)
    assert are_whole(divided)
    train, validation, test = shares
    for _, rows in divided.drop_duplicates("group").groupby("class_name"):
        bounds = {
            "test": (0.0, test),
            "validation": (test, test + validation),
            "train": (1 - train, 1),
        }
        at = {group: place(group) for group in rows["group"]}
        natural = {
            group: next(s for s, (_, high) in bounds.items() if u < high or s == "train")
            for group, u in at.items()
        }
        moved = [g for g, s in zip(rows["group"], rows["subset"], strict=True) if s != natural[g]]
        assert len(moved) == 3 - len(set(natural.values()))
        if len(moved) == 1:
            (subset,) = set(bounds) - set(natural.values())
            low, high = bounds[subset]
            numbers = Counter(natural.values())
            spare = [group for group in at if numbers[natural[group]] > 1]
            assert moved == [min(spare, key=lambda group: max(low - at[group], at[group] - high))]
    shuffled = list(range(len(pictures)))
    order.shuffle(shuffled)
    assert subsets(split.by_hash(pictures.iloc[shuffled], split_of(*shares))) == subsets(divided)


def test_a_group_that_spans_classes_has_one_subset_and_leaves_no_class_without() -> None:
    for salt in range(20):
        pictures = pool({"oak": 4, "elm": 4, "ash": 3})
        pictures["group"] = [f"{salt} {i}" for i in (0, 1, 2, 3, 3, 4, 5, 6, 0, 5, 7)]
        divided = split.by_hash(pictures, SHARES)
        assert len(sizes(divided)) == 9
        assert are_whole(divided)


@pytest.mark.parametrize(
    ("counts", "size", "distance", "received", "advice"),
    [
        ({"oak": 9, "elm": 2}, 1, 30, "2 pictures in 2 groups", "out."),
        ({"oak": 9, "elm": 1}, 1, 30, "1 picture in 1 group", "out."),
        (
            {"oak": 18, "elm": 4},
            2,
            30,
            "4 pictures in 2 groups",
            "out. Or lower split.hash_distance: near duplicates are one group.",
        ),
        ({"oak": 18, "elm": 4}, 2, None, "4 pictures in 2 groups", "out."),
    ],
)
def test_a_class_of_too_few_groups_is_refused(
    counts: dict[str, int], size: int, distance: int | None, received: str, advice: str
) -> None:
    with pytest.raises(errors.InputError) as error:
        split.by_hash(pool(counts, size), split_of(0.6, 0.2, 0.2, distance=distance))
    assert str(error.value) == (
        "class elm: expected at least 3 groups of pictures, one for each subset. "
        f"Received: {received}. Add pictures of elm, or leave the class {advice}"
    )


def test_all_classes_of_too_few_groups_are_counted() -> None:
    pictures = pool({"oak": 9, "elm": 4, "ash": 2, "yew": 1}, size=2)
    parameters = SHARES.model_copy(update={"group": "x", "hash_distance": None})
    with pytest.raises(errors.InputError) as error:
        split.by_hash(pictures, parameters)
    assert str(error.value) == (
        "class ash: expected at least 3 groups of pictures, one for each subset. Received: "
        "2 pictures in 1 group. Add pictures of ash, or leave the class out. Or choose a "
        "split.group that makes more groups. It is so with 2 other classes, too."
    )


def test_groups_that_other_classes_need_are_named_as_the_reason() -> None:
    pictures = pool({"oak": 3, "elm": 4})
    pictures["group"] = list("abcabcc")
    divided = split.by_hash(pictures, SHARES)  # all three groups are of both: that works
    assert len(sizes(divided)) == 6
    with pytest.raises(errors.InputError, match=r"4 pictures in 1 group\."):
        split.by_hash(pictures.assign(group=list("abcdddd")), SHARES)


def put_aside(*rows: tuple[str, str, str], **columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["path", "reason", "class_name"]).assign(**columns)


def test_pictures_that_were_put_aside_are_named() -> None:
    aside = put_aside(
        ("elm/8.jpg", "empty file", "elm"),
        ("oak/9.jpg", "cut off", "oak"),
        *[(f"elm/{i}.jpg", "cut off", "elm") for i in range(3)],
        ("film.mov", "not a picture", ""),
    )
    with pytest.raises(errors.InputError) as error:
        split.by_hash(pool({"oak": 9, "elm": 2}), SHARES, aside)
    assert (
        "Received: 2 pictures in 2 groups; put aside: elm/8.jpg (empty file), elm/0.jpg (cut off), "
        "elm/1.jpg (cut off) and 1 more. Add"
    ) in str(error.value)


@pytest.mark.parametrize("parameters", [SHARES, SMALL])
def test_a_class_that_was_put_aside_altogether_is_missed(parameters: settings.Split) -> None:
    aside = put_aside(("elm/0.jpg", "empty file", "elm"))
    message = r"class elm.* Received: 0.*put aside: elm/0\.jpg \(empty file\)\."
    with pytest.raises(errors.InputError, match=message):
        split.by_hash(pool({"oak": 9}), parameters, aside)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_counts_fill_test_then_validation_then_train_in_order_of_positions(size: int) -> None:
    pictures = pool({"oak": 30, "elm": 60}, size)
    divided = split.by_hash(pictures, split_of(12, 6, 6))
    assert set(sizes(divided).values()) == {12, 6}
    for _, rows in pictures.groupby("class_name"):
        ordered = sorted(rows["group"].unique(), key=place)
        of_group = dict(zip(divided["group"], divided["subset"], strict=True))
        got = [of_group.get(group) for group in ordered]
        counts = {"test": 6, "validation": 6, "train": 12}
        expected: list[str | None] = []
        for subset, count in counts.items():
            expected += [subset] * (count // size)
        assert got == expected + [None] * (len(got) - len(expected))


def test_groups_that_do_not_fit_go_on_to_the_next_subset_or_are_cut() -> None:
    pictures = pool({"oak": 12}, size=4)  # three groups of four
    divided = split.by_hash(pictures, split_of(4, 3, 2))
    assert sizes(divided) == {("oak", "train"): 4, ("oak", "validation"): 3, ("oak", "test"): 2}
    assert are_whole(divided)
    ordered = sorted(pictures["group"].unique(), key=place)
    pictures = pool({"oak": 12}, size=4)
    alone = pictures["group"] == ordered[0]
    pictures.loc[alone, "group"] = [f"alone {i}" for i in range(4)]
    divided = split.by_hash(pictures, split_of(8, 2, 2))  # the large ones fit in train alone
    assert set(divided.loc[alone, "subset"]) == {"test", "validation"}


@pytest.mark.parametrize(
    ("train", "validation", "test", "subset", "expected", "received"),
    [
        (5, 2, 3, "train", "5 pictures", "4, of 9 pictures in 9 groups"),
        (1, 7, 3, "train", "1 picture", "0, of 9 pictures in 9 groups"),
        (1, 8, 3, "train", "1 picture", "0, of 9 pictures in 9 groups"),
        (1, 1, 10, "train", "1 picture", "0, of 9 pictures in 9 groups"),
    ],
)
def test_too_few_pictures_for_the_counts_are_refused(
    train: int, validation: int, test: int, subset: str, expected: str, received: str
) -> None:
    with pytest.raises(errors.InputError) as error:
        split.by_hash(pool({"oak": 20, "elm": 9}), split_of(train, validation, test))
    assert str(error.value) == (
        f"class elm, subset {subset}: expected {expected}. Received: {received}. "
        "Add pictures of elm, or lower the counts in `split`."
    )


def given_subsets(**counts: dict[str, int]) -> pd.DataFrame:
    parts = [pool(of_classes, subset=subset) for subset, of_classes in counts.items()]
    return pd.concat(parts, ignore_index=True)


def test_given_subsets_are_kept() -> None:
    pictures = given_subsets(
        test={"oak": 1, "elm": 20}, train={"oak": 5, "elm": 1}, validation={"elm": 2, "oak": 2}
    )
    pd.testing.assert_frame_equal(split.by_hash(pictures, SHARES), pictures)
    one_group = pictures.assign(group="one")  # a leak that was given: the audit tells it
    pd.testing.assert_frame_equal(split.by_hash(one_group, SHARES), one_group)


@pytest.mark.parametrize(
    ("missing", "bound"), [("validation", 0.3 / 0.8), ("test", 0.2 / 0.7), ("both", None)]
)
def test_a_missing_subset_is_taken_out_of_train(missing: str, bound: float | None) -> None:
    counts: dict[str, Any] = {
        subset: {"oak": 150, "elm": 100} for subset in ("train", "validation", "test")
    }
    for subset in ("validation", "test") if missing == "both" else (missing,):
        del counts[subset]
    pictures = given_subsets(**counts)
    divided = split.by_hash(pictures, split_of(0.5, 0.3, 0.2))
    kept = pictures["subset"] != "train"
    pd.testing.assert_frame_equal(divided[kept], pictures[kept])
    for group, subset in zip(divided["group"][~kept], divided["subset"][~kept], strict=True):
        u = place(group)
        if bound is None:
            assert subset == ("test" if u < 0.2 else "validation" if u < 0.5 else "train")
        else:
            assert subset == (missing if u < bound else "train")


def test_counts_hold_for_given_subsets_too() -> None:
    pictures = given_subsets(train={"oak": 9, "elm": 9}, test={"oak": 3, "elm": 2})
    divided = split.by_hash(pictures, split_of(4, 3, 2))
    assert sizes(divided) == {
        (name, subset): count
        for name in ("oak", "elm")
        for subset, count in (("train", 4), ("validation", 3), ("test", 2))
    }
    came_from = dict(zip(pictures["path"], pictures["subset"], strict=True))
    for path, subset in subsets(divided).items():
        assert came_from[path] == ("test" if subset == "test" else "train")


@pytest.mark.parametrize(
    ("counts", "subset", "expected", "received"),
    [
        (
            {"train": (9, 3), "validation": (2, 2), "test": (2, 0)},
            "test",
            "at least 1 picture",
            "0 pictures in 0 groups",
        ),
        (
            {"train": (9, 0), "validation": (2, 2), "test": (2, 2)},
            "train",
            "at least 1 picture",
            "0 pictures in 0 groups",
        ),
        (
            {"validation": (2, 2), "test": (2, 2)},
            "train",
            "at least 1 picture",
            "0 pictures in 0 groups",
        ),
        (
            {"train": (9, 1), "test": (2, 2)},
            "train",
            "at least 2 groups of pictures, from which validation can be taken, too",
            "1 picture in 1 group",
        ),
        (
            {"train": (9, 2)},
            "train",
            "at least 3 groups of pictures, from which validation and test can be taken, too",
            "2 pictures in 2 groups",
        ),
        ({"train": (9, 3), "test": (2, 0)}, "test", "at least 1 picture", "0 pictures in 0 groups"),
    ],
)
def test_a_class_that_lacks_a_given_subset_is_refused(
    counts: dict[str, tuple[int, int]], subset: str, expected: str, received: str
) -> None:
    pictures = given_subsets(**{s: {"elm": elm, "oak": oak} for s, (oak, elm) in counts.items()})
    aside = put_aside(
        ("a.jpg", "empty file", "elm"), ("b.jpg", "cut off", "elm"), subset=[subset, "other"]
    )
    with pytest.raises(errors.InputError) as error:
        split.by_hash(pictures, SHARES, aside)
    also = "" if "train" in counts else " It is so with 1 other class, too."
    assert str(error.value) == (
        f"class elm, subset {subset}: expected {expected}. Received: {received}; put aside: a.jpg "
        f"(empty file). Add pictures of elm to {subset}, or leave the class out.{also}"
    )


@pytest.mark.parametrize("parameters", [(0.6, 0.2, 0.2), (40, 10, 10)])
def test_the_used_pictures_of_train_are_nested(parameters: tuple[float, float, float]) -> None:
    pictures = pool({"oak": 90, "elm": 90}, size=2)
    whole = split.by_hash(pictures, split_of(*parameters))
    held_out = whole[whole["subset"] != "train"]
    smaller: set[str] = set()
    for count in (1, 2, 5, 30):
        divided = split.by_hash(pictures, split_of(*parameters, used=count))
        train = divided[divided["subset"] == "train"]
        assert train["class_name"].value_counts().to_dict() == {"oak": count, "elm": count}
        assert smaller < set(train["path"]) <= set(whole.loc[whole["subset"] == "train", "path"])
        smaller = set(train["path"])
        others = divided[divided["subset"] != "train"]
        pd.testing.assert_frame_equal(
            others.reset_index(drop=True), held_out.reset_index(drop=True)
        )
    farthest = train.groupby("class_name")["group"].agg(lambda groups: max(map(place, groups)))
    left = whole[(whole["subset"] == "train") & ~whole["path"].isin(train["path"])]
    for name, group in zip(left["class_name"], left["group"], strict=True):
        assert place(group) >= farthest[name]


def test_more_used_pictures_than_train_has_are_refused() -> None:
    with pytest.raises(errors.InputError) as error:
        split.by_hash(pool({"oak": 90, "elm": 9}), split_of(0.6, 0.2, 0.2, used=40))
    assert str(error.value).startswith("class elm, subset train: expected 40 pictures. Received: ")
    assert str(error.value).endswith("Lower split.train_used_per_class, or set it to null for all.")


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


def test_an_example_is_found_by_its_place_or_its_path() -> None:
    test = pd.DataFrame({"id": ["elm/1.jpg", "elm/ü 2.jpg", "7"]})
    assert split.example(test, "elm/ü 2.jpg") == [1]
    assert split.example(test, "7") == [2]
    assert split.example(test, 2) == [2]
