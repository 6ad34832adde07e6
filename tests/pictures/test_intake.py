"""What becomes of each picture: its place in the manifest, or why it is put aside."""

import hashlib
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from conftest import drawn_pictures, write_zip
from ladder import artifacts, errors, paths, settings
from ladder.pictures import (
    archives,
    corrections,
    folders,
    intake,
    layouts,
    manifests,
    originals,
)

SPLIT: dict[str, Any] = {
    "train": 0.6,
    "validation": 0.2,
    "test": 0.2,
    "group": None,
    "hash_distance": 20,
    "unreadable_share": 0.01,
    "train_used_per_class": None,
    "shuffle_train_labels": False,
    "corrections": None,
}
NOT_A_PICTURE = "not a picture of a known format"


def trees(count: int = 20, classes: tuple[str, ...] = ("elm", "oak")) -> dict[str, bytes]:
    """Returns files `elm/0.jpg` … of drawn pictures."""
    drawn = drawn_pictures(classes, count)
    return {re.sub(r"train/(\w+)\.", r"\1/", name): content for name, content in drawn.items()}


NONE = pd.DataFrame(columns=corrections.COLUMNS, dtype=str)


def decided(*rows: tuple[str, str, str]) -> pd.DataFrame:
    """Returns corrections: path, decision and class_name."""
    return pd.DataFrame(
        [(path, "", decision, name) for path, decision, name in rows], columns=corrections.COLUMNS
    )


def taken(
    folder: Path, files: Mapping[str, bytes], labels: pd.DataFrame = NONE, **changes: Any
) -> intake.Intake:
    """Writes the files into a folder and takes them in."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    pictures = originals.of_folder(folders.listing(folder)[0])
    layout = layouts.recognise(pictures, "trees")
    return intake.of_folder(pictures, layout, settings.Split(**{**SPLIT, **changes}), labels)


def zeroed() -> bytes:
    """Returns a JPEG that every decoder opens, with a block of zeros among its pixels."""
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    content = io.BytesIO()
    Image.fromarray(noise).save(content, "JPEG")
    pixels = bytearray(content.getvalue())
    middle = len(pixels) // 2
    pixels[middle : middle + 4096] = bytes(4096)
    return bytes(pixels)


def test_sound_pictures_are_all_in_the_manifest(tmp_path: Path) -> None:
    files = trees()
    result = taken(tmp_path / "trees", files)
    manifest = result.manifest
    assert list(manifest) == list(manifests.COLUMNS)
    assert sorted(manifest["id"]) == sorted(manifest["path"]) == sorted(files)
    assert manifest["class_name"].tolist() == [path.split("/")[0] for path in manifest["path"]]
    assert manifest["label"].tolist() == [["elm", "oak"].index(n) for n in manifest["class_name"]]
    digests = [hashlib.sha256(files[path]).hexdigest() for path in manifest["path"]]
    assert manifest["sha256"].tolist() == digests
    assert manifest["duplicate_group"].is_unique
    counts = pd.crosstab(manifest["class_name"], manifest["subset"])
    assert (counts > 0).all(axis=None)
    assert counts["train"].sum() > counts["test"].sum()
    assert result.quarantine.empty
    assert list(result.quarantine) == ["path", "reason"]
    assert result.examined["path"].tolist() == sorted(files)
    assert result.examined["class_name"].tolist() == ["elm"] * 20 + ["oak"] * 20
    for name, frame in (("m", manifest), ("q", result.quarantine)):
        artifacts.write_csv(tmp_path / name, frame)
        pd.testing.assert_frame_equal(artifacts.read_csv(tmp_path / name), frame)


def test_the_division_does_not_depend_on_names(tmp_path: Path) -> None:
    files = trees()
    renamed = {
        f"{name.split('/')[0]}/{hashlib.sha256(name.encode()).hexdigest()}": content
        for name, content in files.items()
    }
    one, other = (
        taken(tmp_path / name, each).manifest.set_index("sha256")["subset"].sort_index()
        for name, each in (("a", files), ("b", renamed))
    )
    pd.testing.assert_series_equal(one, other)


def test_what_cannot_be_read_is_put_aside_with_its_reason(tmp_path: Path) -> None:
    files = {**trees(), "oak/3.jpg": b"words", "elm/7.jpg": b"", "oak/9.jpg": zeroed()}
    result = taken(tmp_path, files, unreadable_share=3 / 40)
    reasons = dict(zip(result.quarantine["path"], result.quarantine["reason"], strict=True))
    assert reasons.pop("oak/9.jpg").startswith("damaged JPEG data: ")
    assert reasons == {"elm/7.jpg": "empty file", "oak/3.jpg": NOT_A_PICTURE}
    assert set(result.manifest["path"]) == files.keys() - set(result.quarantine["path"])
    examined = result.examined.set_index("path")
    assert set(examined.index) == files.keys()  # the page tells of all
    of_broken = examined.loc[["oak/3.jpg"], ["reason", "class_name"]]
    assert of_broken.to_numpy().tolist() == [[NOT_A_PICTURE, "oak"]]


def test_too_many_that_cannot_be_read_stop_the_climb(tmp_path: Path) -> None:
    broken = {f"oak/{number}.jpg": b"words" for number in range(4)}
    message = (
        r"the pictures: expected at most 1\.0% of 40 that cannot be read "
        rf"\(split\.unreadable_share\)\. Received: 4 \(oak/0\.jpg: {NOT_A_PICTURE}; "
        rf"oak/1\.jpg: {NOT_A_PICTURE}; oak/2\.jpg: {NOT_A_PICTURE}\)\. Mend, replace or remove "
        r"them, or allow for more: -S split\.unreadable_share=1\."
    )
    with pytest.raises(errors.InputError, match=message):
        taken(tmp_path, {**trees(), **broken})
    assert len(taken(tmp_path, {}, unreadable_share=0.1).quarantine) == 4


@pytest.mark.parametrize("hash_distance", [20, None])
def test_a_picture_under_two_labels_is_put_aside_from_both(
    tmp_path: Path, hash_distance: int | None
) -> None:
    files = trees()
    twins = {"oak/twin.jpg": files["elm/5.jpg"], "oak/3.jpg": b"words"}
    result = taken(tmp_path, {**files, **twins}, hash_distance=hash_distance, unreadable_share=0.5)
    assert result.quarantine.to_dict("records") == [
        {"path": "oak/3.jpg", "reason": NOT_A_PICTURE},
        {"path": "elm/5.jpg", "reason": "the same bytes as oak/twin.jpg, of class oak"},
        {"path": "oak/twin.jpg", "reason": "the same bytes as elm/5.jpg, of class elm"},
    ]
    assert len(result.manifest) == 38
    assert not {"elm/5.jpg", "oak/twin.jpg"} & set(result.manifest["path"])


def test_pictures_under_two_labels_count_for_no_limit(tmp_path: Path) -> None:
    """They can be read; that they cannot be used is another thing, and is listed."""
    files = trees()
    twins = {f"oak/twin {number}.jpg": files[f"elm/{number}.jpg"] for number in range(8)}
    result = taken(tmp_path, {**files, **twins}, unreadable_share=0)
    assert len(result.quarantine) == 16


@pytest.mark.parametrize(
    ("lost", "reason"),
    [(b"words", NOT_A_PICTURE), (None, "the same bytes as oak/0.jpg, of class oak")],
)
def test_a_small_class_that_loses_a_picture_is_named_with_it(
    tmp_path: Path, lost: bytes | None, reason: str
) -> None:
    files = {**trees(), **trees(3, ("ash",))}
    files["ash/1.jpg"] = lost if lost is not None else files["oak/0.jpg"]
    files["ash/0.jpg"] = trees(1, ("", "", "ash"))["ash/0.jpg"]
    files["ash/2.jpg"] = trees(2, ("", "", "ash"))["ash/1.jpg"]
    message = (
        r"class ash: expected at least 3 groups of pictures, one for each subset\. "
        rf"Received: 2 pictures in 2 groups; put aside: ash/1\.jpg \({re.escape(reason)}\)\. "
        r"Add pictures of ash, or leave the class out\."
    )
    with pytest.raises(errors.InputError, match=message):
        taken(tmp_path, files, unreadable_share=0.5)


def test_a_class_that_loses_every_picture_is_named(tmp_path: Path) -> None:
    files = trees()
    every = {f"ash/{number}.jpg": b"words" for number in range(3)}
    with pytest.raises(errors.InputError, match=r"^class ash: .*0 pictures .*put aside: ash/0"):
        taken(tmp_path, {**files, **every}, unreadable_share=0.5)
    twins = {
        name.replace("elm", "oak"): content for name, content in files.items() if "elm" in name
    }
    for name in every:
        (tmp_path / name).unlink()
    (tmp_path / "ash").rmdir()
    with pytest.raises(errors.InputError, match=r"^class elm: .*the same bytes as oak/0\.jpg"):
        taken(tmp_path, {**files, **twins})


def test_groups_stay_together(tmp_path: Path) -> None:
    files = trees(24)
    files["elm/copy.jpg"] = files["elm/0.jpg"]
    grouped = {
        f"{name.split('/')[0]}/tree {number // 3} {number}.jpg": content
        for number, (name, content) in enumerate(files.items())
    }
    manifest = taken(tmp_path, grouped, group=r"tree (\d+)").manifest
    values = manifest["path"].str.extract(r"tree (\d+)")[0]
    assert manifest.groupby(values)["subset"].nunique().eq(1).all()
    assert manifest.groupby(values)["duplicate_group"].nunique().eq(1).all()
    copies = manifest[manifest["sha256"] == hashlib.sha256(files["elm/0.jpg"]).hexdigest()]
    assert (len(copies), copies["subset"].nunique()) == (2, 1)
    assert manifests.shared_groups(manifest) == 0


def test_a_division_that_a_folder_has_is_kept(tmp_path: Path) -> None:
    places = ["train"] * 6 + ["val"] * 2 + ["test"] * 3
    files = {
        f"{places[int(re.findall(r'[0-9]+', name)[0])]}/{name}": content
        for name, content in trees(11).items()
    }
    manifest = taken(tmp_path, files).manifest
    given = manifest["path"].str.partition("/")[0].replace({"val": "validation"})
    assert manifest["subset"].tolist() == given.tolist()
    assert manifest["subset"].unique().tolist() == list(paths.SUBSETS)


def test_counts_take_as_many_of_each_class(tmp_path: Path) -> None:
    manifest = taken(tmp_path, trees(), train=8, validation=4, test=3).manifest
    counts = pd.crosstab(manifest["class_name"], manifest["subset"])
    assert counts[[*paths.SUBSETS]].to_numpy().tolist() == [[8, 4, 3]] * 2


def of_book(
    tmp_path: Path,
    members: Mapping[str, bytes],
    starts_at: int | None = None,
    labels: pd.DataFrame = NONE,
    **changes: Any,
) -> intake.Intake:
    archive = write_zip(members, tmp_path / "images.zip")
    counts = {"train": 8, "validation": 4, "test": 4}
    pictures = originals.of_zip(archive)
    try:
        return intake.of_book(
            pictures,
            archives.members(archive),
            settings.Split(**{**SPLIT, **counts, **changes}),
            starts_at,
            labels,
        )
    finally:
        pictures.close()


def test_the_books_pictures_are_divided_by_their_numbers(tmp_path: Path) -> None:
    members = drawn_pictures(count=20)
    result = of_book(tmp_path, members)
    ranges = {"train": range(8), "validation": range(8, 12), "test": range(12, 16)}
    expected = pd.DataFrame(
        [
            (f"{name}.{i}", f"train/{name}.{i}.jpg", name, label, subset)
            for subset, numbers in ranges.items()
            for label, name in enumerate(("cat", "dog"))
            for i in numbers
        ],
        columns=["id", "path", "class_name", "label", "subset"],
    )
    expected["sha256"] = [hashlib.sha256(members[path]).hexdigest() for path in expected["path"]]
    expected["duplicate_group"] = range(32)
    pd.testing.assert_frame_equal(result.manifest, expected)
    assert result.quarantine.empty
    assert list(result.quarantine) == ["path", "reason"]
    assert result.examined["path"].tolist() == expected["path"].tolist()  # no picture more
    assert result.examined["class_name"].tolist() == expected["class_name"].tolist()


def test_the_books_test_pictures_may_start_at_a_number(tmp_path: Path) -> None:
    manifest = of_book(tmp_path, drawn_pictures(count=20), starts_at=16).manifest
    test = manifest[manifest["subset"] == "test"]
    assert test["id"].tolist() == [f"{name}.{i}" for name in ("cat", "dog") for i in range(16, 20)]


def test_of_the_books_pictures_those_that_can_be_decoded_are_used(tmp_path: Path) -> None:
    """Also damaged ones and equal ones, as ever: another manifest would be another result."""
    members = drawn_pictures(count=16)
    members |= {"train/cat.1.jpg": zeroed(), "train/cat.2.jpg": members["train/dog.2.jpg"]}
    members["train/dog.5.jpg"] = b"words"
    result = of_book(tmp_path, members, unreadable_share=1 / 32)
    assert result.quarantine.to_dict("list") == {
        "path": ["train/dog.5.jpg"],
        "reason": [NOT_A_PICTURE],
    }
    assert set(result.manifest["path"]) == members.keys() - {"train/dog.5.jpg"}
    examined = result.examined.set_index("path")
    assert str(examined.loc["train/cat.1.jpg", "damage"]).startswith("damaged JPEG data: ")
    groups = result.manifest.set_index("id")["duplicate_group"]
    assert groups["cat.2"] == groups["dog.2"]
    with pytest.raises(errors.InputError, match=r"at most 1\.0% of 32 that cannot be read.*: 1 \("):
        of_book(tmp_path, members)


def test_corrections_come_before_the_division(tmp_path: Path) -> None:
    files = {**trees(), "oak/copy.jpg": trees()["elm/4.jpg"]}  # under two labels
    plain = taken(tmp_path, files)
    assert sorted(plain.quarantine["path"]) == ["elm/4.jpg", "oak/copy.jpg"]
    labels = decided(
        ("elm/1.jpg", "relabel", "oak"),
        ("elm/2.jpg", "drop", ""),
        ("oak/3.jpg", "keep", ""),
        ("oak/copy.jpg", "relabel", "elm"),
    )
    result = taken(tmp_path, files, labels)
    assert result.quarantine.to_numpy().tolist() == [["elm/2.jpg", intake.DROPPED]]
    names = result.manifest.set_index("path")["class_name"]
    assert (names["elm/1.jpg"], names["oak/3.jpg"], names["oak/copy.jpg"]) == ("oak", "oak", "elm")
    labelled = result.manifest.groupby("label")["class_name"].unique()
    assert [list(each) for each in labelled] == [["elm"], ["oak"]]
    assert result.examined.set_index("path").loc["elm/1.jpg", "class_name"] == "oak"
    assert result.effects["path"].tolist() == labels["path"].tolist()
    kept = plain.manifest.set_index("path")["subset"]
    subsets = result.manifest.set_index("path")["subset"]
    others = kept.index.intersection(subsets.index)
    assert len(others) == 38
    assert kept[others].equals(subsets[others])  # no picture changes its subset


def test_the_books_pictures_keep_their_numbers_when_they_are_corrected(tmp_path: Path) -> None:
    members = drawn_pictures(count=16)
    labels = decided(("train/cat.1.jpg", "relabel", "dog"), ("train/dog.12.jpg", "drop", ""))
    result = of_book(tmp_path, members, labels=labels)
    plain = of_book(tmp_path, members).manifest
    manifest: pd.DataFrame = result.manifest.set_index("id")
    assert manifest.index.tolist() == plain.loc[plain["id"] != "dog.12", "id"].tolist()
    rows = manifest.loc[["cat.1", "cat.2"], ["class_name", "label"]]
    assert rows.to_numpy().tolist() == [["dog", 1], ["cat", 0]]
    assert result.quarantine.to_numpy().tolist() == [["train/dog.12.jpg", intake.DROPPED]]


def test_the_books_pictures_need_counts(tmp_path: Path) -> None:
    with pytest.raises(errors.InputError, match="split: expected numbers of pictures"):
        of_book(tmp_path, drawn_pictures(count=16), train=0.5, validation=0.25, test=0.25)
