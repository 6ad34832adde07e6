import numpy as np
import pandas as pd
import pytest

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
