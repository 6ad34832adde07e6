import hashlib
import itertools
import random

import hypothesis
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladder import errors
from ladder.pictures import groups

HALF = int("55" * 32, 16)  # every other bit


def bits(number: int) -> str:
    """Returns a hash whose first bits differ from those of `bits(0)`."""
    return f"{HALF ^ ((1 << 256) - (1 << (256 - number))):064x}"


def random_hash(name: str) -> str:
    return hashlib.sha256(f"hash {name}".encode()).hexdigest()  # near to no other


def picture(path: str, class_name: str = "oak", **columns: str) -> dict[str, str]:
    """Returns a picture that is like no other."""
    digest = hashlib.sha256(path.encode()).hexdigest()
    return {
        "path": path,
        "class_name": class_name,
        "sha256": digest,
        "pixels_sha256": digest[::-1],
        "hash": random_hash(path),
        "mirrored_hash": random_hash(path[::-1] + "mirrored"),
        **columns,
    }


def partition(keys: pd.Series) -> list[list[int]]:
    return sorted(sorted(map(int, rows)) for rows in keys.groupby(keys).groups.values())


def grouped(
    *pictures: dict[str, str], group: str | None = None, hash_distance: int | None = 30
) -> list[list[int]]:
    return partition(groups.of_pictures(pd.DataFrame(pictures), group, hash_distance))


def test_pictures_that_nothing_links_are_alone_under_their_sha256() -> None:
    pictures = pd.DataFrame([picture(f"oak/{i}.jpg") for i in range(9)], index=range(20, 29))
    keys = groups.of_pictures(pictures, None, 30)
    pd.testing.assert_series_equal(keys, pictures["sha256"].rename("group"))


@pytest.mark.parametrize("column", ["sha256", "pixels_sha256"])
@pytest.mark.parametrize("class_name", ["oak", "elm"])
@pytest.mark.parametrize("hash_distance", [30, None])
def test_equal_bytes_and_equal_pixels_link_across_classes(
    column: str, class_name: str, hash_distance: int | None
) -> None:
    pictures = (
        picture("a"),
        picture("b"),
        picture("c", class_name, **{column: picture("a")[column]}),
    )
    assert grouped(*pictures, hash_distance=hash_distance) == [[0, 2], [1]]


@pytest.mark.parametrize(
    ("difference", "class_name", "hash_distance", "linked"),
    [
        (0, "oak", 0, True),
        (30, "oak", 30, True),
        (31, "oak", 30, False),
        (0, "elm", 30, False),
        (0, "oak", None, False),
    ],
)
@pytest.mark.parametrize("mirrored", [False, True])
def test_near_duplicates_link_within_a_class(
    difference: int, class_name: str, hash_distance: int | None, linked: bool, mirrored: bool
) -> None:
    column = "mirrored_hash" if mirrored else "hash"
    one, other = picture("a"), picture("b", class_name)
    first, second = sorted((one, other), key=lambda picture: picture["sha256"])
    first["hash"], second[column] = bits(0), bits(difference)
    expected = [[0, 1]] if linked else [[0], [1]]
    assert grouped(one, other, hash_distance=hash_distance) == expected


@pytest.mark.parametrize(("count", "linked"), [(0, False), (47, False), (48, True), (128, True)])
def test_pictures_whose_hash_tells_nothing_are_no_near_duplicates(count: int, linked: bool) -> None:
    alike = f"{(1 << count) - 1:064x}"
    pictures = [picture(name, hash=alike) for name in "ab"]
    assert grouped(*pictures) == ([[0, 1]] if linked else [[0], [1]])


def test_links_of_all_kinds_lead_on() -> None:
    pictures = (
        picture("oak/tree 1/a.jpg"),
        picture("oak/tree 1/b.jpg", sha256="0" * 64),
        picture("elm/c.jpg", "elm", sha256="0" * 64, hash=bits(3)),
        picture("elm/d.jpg", "elm", hash=bits(9)),
        picture("elm/e.jpg", "elm"),
    )
    assert grouped(*pictures, group=r"tree \d+") == [[0, 1, 2, 3], [4]]
    assert grouped(*pictures) == [[0], [1, 2, 3], [4]]
    assert grouped(*pictures, hash_distance=None) == [[0], [1, 2], [3], [4]]


@pytest.mark.parametrize(
    ("expression", "keys"),
    [
        (r"tree (\d+)", ["7", "7", "8", None, None]),  # the first pair of parentheses
        (r"(?:tree )(\d)\w*/(\w)", ["7", "7", "8", None, None]),
        (r"tree \d+", ["tree 7", "tree 7", "tree 8", None, None]),  # or the whole match
        (r"tree (\d*)", ["7", "7", "8", None, None]),  # an empty value is none
        (r"tree (\d+)|rest", ["7", "7", "8", None, None]),  # nor are parentheses without a part
        (r"^\w+", ["oak", "elm", "elm", "elm", "elm"]),
    ],
)
def test_the_expression_gives_the_key(expression: str, keys: list[str | None]) -> None:
    names = ["oak/tree 7/1.jpg", "elm/tree 7/1.jpg", "elm/tree 8/1.jpg", "elm/tree /2", "elm/rest"]
    pictures = pd.DataFrame([picture(name) for name in names])
    expected = [key or sha256 for key, sha256 in zip(keys, pictures["sha256"], strict=True)]
    assert groups.of_pictures(pictures, expression, None).tolist() == expected


def test_of_several_values_the_first_in_order_is_the_key() -> None:
    pictures = pd.DataFrame([picture("b/1", sha256="0"), picture("a/2", sha256="0"), picture("c")])
    assert groups.of_pictures(pictures, r"\w(?=/)", None).tolist()[:2] == ["a", "a"]


def test_an_expression_that_matches_nowhere_is_refused() -> None:
    message = (
        r"split\.group: expected a regular expression that matches a part of the pictures' paths\. "
        r"Received: tree_\(\.\), which matches in none of them, such as oak/0\.jpg\. "
    )
    with pytest.raises(errors.InputError, match=message):
        grouped(picture("oak/0.jpg"), picture("oak/1.jpg"), group="tree_(.)")


def test_no_pictures_have_no_groups() -> None:
    pictures = pd.DataFrame([picture("a")])[:0]
    assert groups.of_pictures(pictures, "a", 30).tolist() == []
    assert groups.two_labels(pictures).columns.tolist() == ["path", "reason", "class_name"]


@hypothesis.settings(max_examples=40)
@given(
    rows=st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 5), st.integers(0, 5), st.integers(0, 90)),
        min_size=1,
        max_size=12,
    ),
    order=st.randoms(use_true_random=False),
    hash_distance=st.sampled_from([None, 0, 3]),
)
def test_groups_are_the_transitive_links_in_any_order(
    rows: list[tuple[str, int, int, int]], order: random.Random, hash_distance: int | None
) -> None:
    pictures = pd.DataFrame(
        [
            picture(f"{i}", name, sha256=f"s{s}", pixels_sha256=f"p{p}", hash=bits(2 * bit))
            for i, (name, s, p, bit) in enumerate(rows)
        ]
    )
    sets = [{i} for i in range(len(rows))]
    for i, j in itertools.combinations(range(len(rows)), 2):
        (name, s, p, bit), (other_name, other_s, other_p, other_bit) = rows[i], rows[j]
        near = hash_distance is not None and 2 * abs(bit - other_bit) <= hash_distance
        if s == other_s or p == other_p or (near and name == other_name):
            merged = sets[i] | sets[j]
            for member in merged:
                sets[member] = merged
    keys = groups.of_pictures(pictures, None, hash_distance)
    assert partition(keys) == sorted({tuple(sorted(s)): sorted(s) for s in sets}.values())
    assert keys.tolist() == [min(f"s{rows[j][1]}" for j in members) for members in sets]
    shuffled = list(range(len(rows)))
    order.shuffle(shuffled)
    again = groups.of_pictures(pictures.iloc[shuffled], None, hash_distance)
    pd.testing.assert_series_equal(again.sort_index(), keys)


def test_pictures_under_two_labels_name_each_other() -> None:
    pictures = pd.DataFrame(
        [
            picture("oak/0.jpg", sha256="a", pixels_sha256="p"),
            picture("oak/1.jpg"),
            picture("oak/2.jpg", sha256="b", pixels_sha256="p"),
            picture("elm/0.jpg", "elm", sha256="a", pixels_sha256="p"),
            picture("ash/5.png", "ash", sha256="c", pixels_sha256="q"),
            picture("elm/5.jpg", "elm", sha256="d", pixels_sha256="q"),
            picture("elm/6.jpg", "elm", sha256="e", pixels_sha256="r"),
            picture("elm/7.jpg", "elm", sha256="e", pixels_sha256="r"),  # twice in one class
        ],
        index=range(3, 11),
    )
    assert groups.two_labels(pictures).to_dict("split", index=False)["data"] == [
        ["oak/0.jpg", "the same bytes as elm/0.jpg, of class elm", "oak"],
        ["oak/2.jpg", "the same pixels as elm/0.jpg, of class elm", "oak"],
        [
            "elm/0.jpg",
            "the same bytes as oak/0.jpg, of class oak, and 1 more of other classes",
            "elm",
        ],
        ["ash/5.png", "the same pixels as elm/5.jpg, of class elm", "ash"],
        ["elm/5.jpg", "the same pixels as ash/5.png, of class ash", "elm"],
    ]


def test_without_a_picture_under_two_labels_the_table_is_empty() -> None:
    assert len(groups.two_labels(pd.DataFrame([picture("a"), picture("b", "elm")]))) == 0
