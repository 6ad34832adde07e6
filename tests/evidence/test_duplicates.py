import pandas as pd

from ladder.evidence import duplicates


def manifest() -> pd.DataFrame:
    subsets = ["train", "train", "validation", "test", "test"]
    return pd.DataFrame(
        {
            "id": ["cat.0", "dog.0", "cat.1", "cat.2", "dog.2"],
            "label": [0, 1, 0, 0, 1],
            "subset": subsets,
            "sha256": ["a", "b", "c", "a", "d"],
        }
    )


def near(*rows: tuple[int, int, int, bool]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["first", "second", "distance", "mirrored"])


def test_pairs_between_subsets_are_listed_and_those_within_are_not() -> None:
    pairs = near((0, 1, 4, False), (0, 3, 0, False), (2, 4, 8, True), (3, 4, 2, False))
    listed = duplicates.between_subsets(manifest(), pairs)
    assert listed.to_dict("records") == [
        {
            "id": "cat.0", "subset": "train", "label": 0,
            "other_id": "cat.2", "other_subset": "test", "other_label": 0,
            "kind": "exact", "distance": 0, "mirrored": False,
        },
        {
            "id": "cat.1", "subset": "validation", "label": 0,
            "other_id": "dog.2", "other_subset": "test", "other_label": 1,
            "kind": "near", "distance": 8, "mirrored": True,
        },
    ]  # fmt: skip


def test_the_earlier_subset_stands_first_in_any_order_of_rows() -> None:
    backwards = manifest().iloc[::-1].reset_index(drop=True)
    (row,) = duplicates.between_subsets(backwards, near((0, 2, 8, False))).to_dict("records")
    assert (row["id"], row["subset"]) == ("cat.1", "validation")
    assert (row["other_id"], row["other_subset"]) == ("dog.2", "test")


def test_no_pairs_are_an_empty_table_with_its_columns() -> None:
    listed = duplicates.between_subsets(manifest(), near().astype({"first": int, "second": int}))
    assert len(listed) == 0
    assert {"id", "other_id", "kind", "distance"} <= set(listed)
