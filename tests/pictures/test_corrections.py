"""Decisions on labels: what a file may look like, and what becomes of the pictures."""

import hashlib
from pathlib import Path

import pandas as pd
import pytest

from ladder import errors
from ladder.pictures import corrections

PICTURES = pd.DataFrame(
    [
        ("elm/1.jpg", "a", "elm"),
        ("elm/2.jpg", "b", "elm"),
        ("elm/copy.jpg", "a", "elm"),
        ("oak/1.jpg", "a", "oak"),
        ("oak/2.jpg", "c", "oak"),
    ],
    columns=["path", "sha256", "class_name"],
    index=[3, 5, 7, 9, 11],
)


def decided(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=corrections.COLUMNS)


@pytest.mark.parametrize(
    "text",
    [
        "path,sha256,decision,class_name\nelm/1.jpg,a,relabel,oak\nelm/2.jpg,,drop,\n",
        '"path","sha256","decision","class_name"\n"elm/1.jpg","a","relabel","oak"\n'
        '"elm/2.jpg","","drop",""\n',
        "\ufeffPath;Decision;class_name;sha256;note\r\nelm/1.jpg;Relabel;oak;a;x\r\n\r\n"
        "elm/2.jpg;drop;;;\r\n",
        "path\tsha256\tdecision\tclass_name\nelm/1.jpg\ta\trelabel\toak\nelm/2.jpg\t\tdrop\n",
    ],
    ids=["plain", "page", "spreadsheet", "tabs"],
)
def test_a_file_is_read_as_pages_and_spreadsheets_save_it(text: str) -> None:
    table = corrections.read(text.encode(), "c.csv")
    expected = decided(("elm/1.jpg", "a", "relabel", "oak"), ("elm/2.jpg", "", "drop", ""))
    pd.testing.assert_frame_equal(table, expected, check_dtype=False)


def test_names_of_any_kind_come_through() -> None:
    text = 'path,decision\n"a, ""b""\nc.jpg",keep\n'
    assert corrections.read(text.encode(), "c.csv")["path"].tolist() == ['a, "b"\nc.jpg']


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"path,label\n1.jpg,oak\n", "c.csv: expected a table in CSV.*no column decision"),
        (b"", "no column decision and no column path"),
        (b"path,decision\n\xff.jpg,keep\n", "c.csv: expected a table in CSV, in UTF-8"),
        (b"path,decision\n1.jpg,keep\n2.jpg,remove\n", "c.csv, line 3: expected a decision: keep"),
        (b"path,decision\n1.jpg,\n", r"line 2: expected a decision.*Received: none"),
        (b"path,decision\n1.jpg,relabel\n", "line 2: expected the new class"),
        (b"path,decision\n,drop\n", "line 2: expected a path"),
    ],
)
def test_a_wrong_file_is_named_with_its_line(content: bytes, message: str) -> None:
    with pytest.raises(errors.InputError, match=message):
        corrections.read(content, "c.csv")


def test_of_two_decisions_on_a_picture_the_later_counts() -> None:
    earlier = decided(("1.jpg", "a", "keep", ""), ("2.jpg", "b", "drop", ""))
    later = decided(("1.jpg", "a", "relabel", "oak"), ("3.jpg", "c", "keep", ""))
    merged = corrections.merged(earlier, later)
    assert merged["path"].tolist() == ["2.jpg", "1.jpg", "3.jpg"]
    assert merged["decision"].tolist() == ["drop", "relabel", "keep"]


def test_a_correction_is_of_a_path_with_its_bytes_and_copies_in_the_class_go_with_it() -> None:
    result = corrections.apply(PICTURES, decided(("elm/1.jpg", "a", "relabel", "oak")))
    assert result.class_names.to_dict() == {3: "oak", 5: "elm", 7: "oak", 9: "oak", 11: "oak"}
    assert not result.is_dropped.any()
    assert result.effects.to_numpy().tolist() == [
        [path, "relabel", "elm", "oak", ""] for path in ("elm/1.jpg", "elm/copy.jpg")
    ]


def test_dropping_one_of_two_labels_leaves_the_other() -> None:
    result = corrections.apply(PICTURES, decided(("oak/1.jpg", "", "drop", "")))
    assert result.is_dropped.to_dict() == {3: False, 5: False, 7: False, 9: True, 11: False}
    assert result.class_names.tolist() == PICTURES["class_name"].tolist()


def test_a_renamed_file_is_known_by_its_bytes() -> None:
    result = corrections.apply(PICTURES, decided(("elm/old.jpg", "b", "relabel", "oak")))
    assert result.class_names[5] == "oak"
    assert result.effects["path"].tolist() == ["elm/2.jpg"]


def test_the_last_decision_on_a_picture_counts() -> None:
    rows = [("elm/2.jpg", "b", "drop", ""), ("elm/2.jpg", "", "keep", "")]
    result = corrections.apply(PICTURES, decided(*rows))
    assert not result.is_dropped.any()
    assert result.effects["decision"].tolist() == ["keep"]


def test_what_fits_no_picture_is_listed_with_its_reason() -> None:
    rows = [("gone.jpg", "z", "drop", ""), ("elm/2.jpg", "other", "relabel", "oak")]
    result = corrections.apply(PICTURES, decided(*rows))
    assert result.class_names.equals(PICTURES["class_name"])
    assert result.effects[["path", "class_name", "reason"]].to_numpy().tolist() == [
        ["gone.jpg", "", "no such picture"],
        ["elm/2.jpg", "", "the file has changed since"],
    ]


def test_an_unknown_class_and_a_class_without_pictures_stop() -> None:
    with pytest.raises(
        errors.InputError, match=r"elm/1\.jpg: expected one of the classes elm, oak"
    ):
        corrections.apply(PICTURES, decided(("elm/1.jpg", "a", "relabel", "aok")))
    rows = [("oak/1.jpg", "", "relabel", "elm"), ("oak/2.jpg", "", "drop", "")]
    with pytest.raises(errors.InputError, match="class oak: expected a picture that is neither"):
        corrections.apply(PICTURES, decided(*rows))


def test_nothing_decided_leaves_everything() -> None:
    result = corrections.apply(PICTURES, corrections.load(Path("nowhere.csv"), None))
    assert result.class_names.equals(PICTURES["class_name"])
    assert list(result.effects) == corrections.EFFECTS
    assert len(result.effects) == 0


def test_a_file_must_have_the_hash_of_params(tmp_path: Path) -> None:
    path = tmp_path / "corrections/oaks.csv"
    path.parent.mkdir()
    assert corrections.sha256(path) is None
    path.write_text("path,sha256,decision,class_name\n")
    assert corrections.sha256(path) is None  # no decision in it
    path.write_text("path,decision\n1.jpg,drop\n")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert corrections.sha256(path) == digest
    assert corrections.load(path, digest)["path"].tolist() == ["1.jpg"]
    message = r"corrections/oaks\.csv: expected sha256 0+ \(split\.corrections\)"
    with pytest.raises(errors.InputError, match=f"{message}.*Received: {digest}"):
        corrections.load(path, "0" * 64)
    path.unlink()
    with pytest.raises(errors.InputError, match=f"{message}.*Received: no such file"):
        corrections.load(path, "0" * 64)
