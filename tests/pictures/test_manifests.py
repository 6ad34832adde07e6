from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladder import artifacts
from ladder.pictures import manifests


def members(*rows: tuple[str, int, str], sha256: str = "") -> pd.DataFrame:
    """Returns pictures (class_name, number, subset), each with a hash that `sha256` spells."""
    frame = pd.DataFrame(list(rows), columns=["class_name", "number", "subset"])
    frame.insert(0, "path", [f"train/{name}.{number}.jpg" for name, number, _ in rows])
    return frame.assign(sha256=list(sha256 or "abcdefghij"[: len(rows)]))


PICTURES = (
    ("cat", 0, "train"),
    ("dog", 0, "train"),
    ("dog", 1, "train"),
    ("cat", 2, "validation"),
    ("dog", 2, "validation"),
    ("cat", 3, "test"),
    ("dog", 3, "test"),
)


def test_the_manifest_keeps_the_order_of_its_members() -> None:
    manifest = manifests.build(members(*PICTURES))
    assert list(zip(manifest["subset"], manifest["id"], strict=True)) == [
        ("train", "cat.0"),
        ("train", "dog.0"),
        ("train", "dog.1"),
        ("validation", "cat.2"),
        ("validation", "dog.2"),
        ("test", "cat.3"),
        ("test", "dog.3"),
    ]


def test_a_row_says_all_of_its_picture() -> None:
    manifest = manifests.build(members(*PICTURES, sha256="abcadef").drop(index=0))
    assert list(manifest) == [
        "id", "path", "class_name", "label", "subset", "sha256", "duplicate_group",
    ]  # fmt: skip
    assert manifest.to_dict("records")[2] == {
        "id": "cat.2",
        "path": "train/cat.2.jpg",
        "class_name": "cat",
        "label": 0,
        "subset": "validation",
        "sha256": "a",
        "duplicate_group": 2,
    }


def test_labels_count_the_classes_in_alphabetical_order() -> None:
    backwards = members(*[(name, 0, "train") for name in ("fox", "dog", "ape", "dog")])[::-1]
    manifest = manifests.build(backwards)
    labels = dict(zip(manifest["class_name"], manifest["label"], strict=True))
    assert labels == {"ape": 0, "dog": 1, "fox": 2}


def test_equal_bytes_have_equal_group_numbers_in_order_of_first() -> None:
    rows = members(*[("cat", number, "train") for number in range(5)], sha256="babca")
    rows.index = pd.Index([9, 8, 7, 6, 5])  # as after a quarantine: groups follow the rows
    groups = manifests.build(rows)["duplicate_group"]
    assert groups.to_dict() == {9: 0, 8: 1, 7: 0, 6: 2, 5: 1}


@pytest.mark.parametrize(
    ("sha256", "shared"),
    [
        ("abcdefg", 0),
        ("abbdefg", 0),  # twice in train
        ("abcbefg", 1),
        ("abcabag", 2),  # one stands in all three subsets, the other in two
    ],
)
def test_pictures_that_stand_in_more_than_one_subset_are_counted(sha256: str, shared: int) -> None:
    assert manifests.shared_groups(manifests.build(members(*PICTURES, sha256=sha256))) == shared


def test_labels_are_those_of_the_subset_in_order() -> None:
    manifest = pd.DataFrame({"subset": ["train", "test", "train", "test"], "label": [1, 0, 0, 1]})
    labels = manifests.labels(manifest, "train")
    assert labels.tolist() == [1, 0]
    assert labels.dtype == np.int64
    assert manifests.labels(manifest, "test").tolist() == [0, 1]


def test_class_names_are_in_order_of_their_labels() -> None:
    manifest = pd.DataFrame({"class_name": ["dog", "ape", "dog", "cat"], "label": [2, 0, 2, 1]})
    assert manifests.class_names(manifest) == ["ape", "cat", "dog"]


def of_folder(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    """Returns pictures (class_name, path, subset, group), as `split.by_hash` gives them."""
    frame = pd.DataFrame(rows, columns=["class_name", "path", "subset", "group"], dtype=str)
    return frame.assign(sha256=[f"{number:064x}" for number in range(len(rows))])


def test_a_folders_pictures_are_in_order_of_subset_class_and_path() -> None:
    pictures = of_folder(
        ("oak", "oak/2.jpg", "test", "b"),
        ("oak", "oak/10.jpg", "train", "a"),
        ("elm", "elm/b/1.jpg", "validation", "d"),
        ("oak", "oak/1.jpg", "test", "b"),
        ("Zelkova", "Zelkova/ü.jpg", "train", "c"),
        ("elm", "elm/1.jpg", "train", "a"),
        ("10", "10/1.jpg", "train", "e"),
        ("9", "9/1.jpg", "train", "f"),
    ).sample(frac=1, random_state=1)
    manifest = manifests.of_folder(pictures)
    columns = ["id", "path", "class_name", "label", "subset", "duplicate_group"]
    assert manifest[columns].to_numpy().tolist() == [
        ["10/1.jpg", "10/1.jpg", "10", 0, "train", 0],
        ["9/1.jpg", "9/1.jpg", "9", 1, "train", 1],
        ["Zelkova/ü.jpg", "Zelkova/ü.jpg", "Zelkova", 2, "train", 2],
        ["elm/1.jpg", "elm/1.jpg", "elm", 3, "train", 3],
        ["oak/10.jpg", "oak/10.jpg", "oak", 4, "train", 3],
        ["elm/b/1.jpg", "elm/b/1.jpg", "elm", 3, "validation", 4],
        ["oak/1.jpg", "oak/1.jpg", "oak", 4, "test", 5],
        ["oak/2.jpg", "oak/2.jpg", "oak", 4, "test", 5],
    ]
    assert list(manifest) == list(manifests.build(members(*PICTURES)))
    of_path = dict(zip(pictures["path"], pictures["sha256"], strict=True))
    assert manifest["sha256"].tolist() == [of_path[path] for path in manifest["path"]]
    assert manifests.class_names(manifest) == ["10", "9", "Zelkova", "elm", "oak"]


ODD = [
    "7",
    "007",
    "nan",
    "NA",
    "",
    "null",
    "1e5",
    "True",
    " x",
    "x ",
    "-",
    "#1",
    "1,5",
    "2024-01-01",
]
ODD += [
    '"',
    '"a", b',
    "a\nb",
    "a\rb",
    "a\r\nb",
    "\r",
    "a\\",
    "'",
    "\ufeff",
    "\u2028",
    "猫",
    "<b>",
    "ÿ",
]
NAMES = st.sampled_from(ODD) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8
)


@given(rows=st.lists(st.tuples(NAMES, NAMES, st.sampled_from(["train", "validation", "test"]))))
def test_a_manifest_is_read_as_it_was_written(
    rows: list[tuple[str, str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("data") / "manifest.csv"
    pictures = of_folder(*[(name, file, subset, file) for name, file, subset in rows])
    manifest = manifests.of_folder(pictures)
    artifacts.write_csv(path, manifest)
    read = artifacts.read_csv(path)
    pd.testing.assert_frame_equal(read, manifest, check_dtype=bool(rows))
    assert manifests.class_names(read) == sorted({name for name, _, _ in rows})


def test_the_books_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    manifest = manifests.build(members(*PICTURES))
    artifacts.write_csv(tmp_path / "manifest.csv", manifest)
    read = artifacts.read_csv(tmp_path / "manifest.csv")
    pd.testing.assert_frame_equal(read, manifest)
    pd.testing.assert_frame_equal(read, pd.read_csv(tmp_path / "manifest.csv"))


@given(st.lists(NAMES, min_size=1, unique=True))
def test_class_names_are_in_order_of_labels_whatever_they_look_like(names: list[str]) -> None:
    rows = [(name, f"{name}/1.jpg", "train", name) for name in names]
    manifest = manifests.of_folder(of_folder(*rows))
    by_label = manifest.sort_values("label")["class_name"].tolist()
    assert manifests.class_names(manifest) == by_label
    assert manifest["label"].nunique() == len(names)
