"""What is said of pictures as files, and which are its examples."""

import pandas as pd
import pytest

from ladder.page import examined


def pictures(*sizes: tuple[int, int], kind: str = "JPEG") -> pd.DataFrame:
    frame = pd.DataFrame(sizes, columns=["width", "height"])
    return frame.assign(path=[f"{i}.jpg" for i in range(len(frame))], format=kind, reason="")


def test_formats_and_sizes_are_one_sentence() -> None:
    several = pd.concat(
        [pictures((4000, 3000), (40, 30), (100, 20)), pictures((50, 50), kind="PNG")],
        ignore_index=True,
    )
    assert examined.kinds(several) == (
        "4 pictures can be read: JPEG 3, PNG 1; from 40 × 30 to 4,000 × 3,000 pixels."
    )
    one = pictures((32, 32), (32, 32))
    assert examined.kinds(one) == "2 pictures can be read: JPEG 2; all of 32 × 32 pixels."


@pytest.mark.parametrize("reason", ["", None])
def test_a_picture_that_cannot_be_used_has_no_kind(reason: str | None) -> None:
    table = pictures((40, 30), (40, 30), (1, 1))
    table["reason"] = pd.Series([reason, reason, "cut"], dtype=object)
    examination = examined.Examination(table, pd.DataFrame(), pd.DataFrame())
    assert examination.usable["path"].tolist() == ["0.jpg", "1.jpg"]


def found(**values: list[float]) -> pd.DataFrame:
    """Returns findings, a list of values each."""
    details = {"blurry": "sharpness below 20", "huge": "pixels above 25", "tiny": "side below 32"}
    rows = [
        (f"{finding}{i}.jpg", finding, value, details.get(finding, f"damage {i}"))
        for finding, several in values.items()
        for i, value in enumerate(several)
    ]
    return pd.DataFrame(rows, columns=["path", "finding", "value", "detail"])


def test_the_examples_of_a_finding_are_it_most() -> None:
    blurry, huge, damaged = examined.findings(
        found(blurry=[7, 3, 9, 5], huge=[30], damaged=[float("nan")] * 2), 100
    )
    assert blurry.sentence == "4 pictures are blurry (sharpness below 20)."
    assert blurry.paths == ["blurry1.jpg", "blurry3.jpg", "blurry0.jpg"]
    assert huge.sentence == "1 picture is huge (pixels above 25)."
    assert damaged.sentence == "2 pictures are damaged."  # each otherwise
    assert damaged.paths == ["damaged0.jpg", "damaged1.jpg"]
    (largest, *_) = examined.findings(found(huge=[30, 50, 40]), 100)[0].paths
    assert largest == "huge1.jpg"
    (narrow,) = examined.findings(found(odd_aspect=[4, 5]), 100)
    assert narrow.sentence == "2 pictures are long and narrow."


def test_what_most_pictures_share_is_a_line_without_examples() -> None:
    (every,) = examined.findings(found(tiny=[31.0] * 4000), 4000)
    assert (every.sentence, every.paths) == ("All 4,000 pictures are tiny (side below 32).", [])
    (most,) = examined.findings(found(tiny=[31.0] * 51), 100)
    assert (most.sentence, most.paths) == ("51 of 100 pictures are tiny (side below 32).", [])
    (half,) = examined.findings(found(tiny=[31.0] * 50), 100)
    assert len(half.paths) == 3
    (one,) = examined.findings(found(tiny=[31.0]), 1)
    assert one.sentence == "The one picture is tiny (side below 32)."
    assert examined.findings(found(), 5) == []


def test_a_property_that_gives_a_class_away_is_a_sentence() -> None:
    columns = ["property", "score", "class_name", "detail"]
    rows = [
        ("format", 0.5, "oak", "PNG 0% (ash) to 100% (oak)"),
        ("width", 0.4999, "oak", "median 3 (ash) to 4 (oak)"),
    ]
    assert examined.telling(pd.DataFrame(rows, columns=columns)) == [
        "Format alone tells oak from the rest (score 0.50, where 1 is always right): PNG 0% (ash) "
        "to 100% (oak)."
    ]
    assert examined.telling(pd.DataFrame(columns=columns)) == []


def test_reasons_are_grouped_by_what_they_have_in_common() -> None:
    rows = [
        *((f"cut{n}.jpg", f"image file is truncated ({n} bytes not processed)") for n in range(4)),
        *((f"empty{n}.jpg", "empty file") for n in range(5)),
        ("ash/a.jpg", "the same bytes as oak/7.jpg, of class oak"),
        ("oak/7.jpg", "the same bytes as ash/a.jpg, of class ash"),
        (
            "elm/1.jpg",
            "the same pixels as odd,\nas 2.png, of class ash, and 2 more of other classes",
        ),
        ("huge.jpg", "20000 x 30,000 pixels, over 40,000,000"),
        ("b.zip/b.jpg", "damaged in the archive: Bad CRC-32 for file 'b.jpg'"),
        ("b.zip/c.jpg", "damaged in the archive: Bad CRC-32 for file 'c d.jpg'"),
    ]
    reasons = examined.put_aside(pd.DataFrame(rows, columns=["path", "reason"]))
    assert [(reason.text, reason.count) for reason in reasons] == [
        ("empty file", 5),
        ("image file is truncated (… bytes not processed)", 4),
        ("the same bytes as a picture of another class", 2),
        ("damaged in the archive: Bad CRC-… for file …", 2),
        ("the same pixels as a picture of another class", 1),
        ("20000 x 30,000 pixels, over 40,000,000", 1),
    ]
    empty, cut, same, *_ = reasons
    assert empty.examples == [("empty0.jpg", ""), ("empty1.jpg", ""), ("empty2.jpg", "")]
    assert cut.examples[0] == ("cut0.jpg", "image file is truncated (0 bytes not processed)")
    assert same.examples == [rows[9], rows[10]]
    assert examined.put_aside(pd.DataFrame(columns=["path", "reason"])) == []


def manifest(**counts: int) -> pd.DataFrame:
    """Returns a manifest of so many pictures a class in train and in test, each a group."""
    rows = [
        (f"{name}/{subset}{i}.jpg", name, subset)
        for subset in ("train", "test")
        for name, count in counts.items()
        for i in range(count)
    ]
    frame = pd.DataFrame(rows, columns=["path", "class_name", "subset"])
    return frame.assign(duplicate_group=range(len(frame)))


def test_pictures_that_no_subset_takes_are_counted() -> None:
    kept, none = manifest(oak=2), pd.DataFrame(columns=["path", "reason"])
    more = pd.concat([kept[["path"]], pd.DataFrame({"path": ["a.jpg", "b.jpg"]})])
    aside = pd.DataFrame({"path": ["b.jpg"], "reason": ["empty file"]})
    assert examined.unused(kept, kept, none) == ""
    assert examined.unused(more, kept, aside) == "1 picture is not used: `split` takes fewer."
    assert examined.unused(more, kept, none) == "2 pictures are not used: `split` takes fewer."


def test_groups_are_counted_and_those_in_two_subsets() -> None:
    each = manifest(oak=3)
    assert examined.groups(each, "dogs_vs_cats") == "No two pictures share a group (equal bytes)."
    within = each.assign(duplicate_group=[0, 0, 1, 2, 2, 2])
    assert examined.groups(within, "folder") == (
        "5 pictures are in 2 groups (near duplicates, or one value of split.group). No group "
        "stands in two subsets."
    )
    across = each.assign(duplicate_group=[0, 1, 2, 3, 4, 0])
    assert examined.groups(across, "cifar10") == (
        "2 pictures are in 1 group (equal bytes). It stands in two subsets."
    )


def test_small_and_unequal_classes_are_named() -> None:
    assert examined.classes(manifest(ash=20, oak=60)) == []
    small, unequal = examined.classes(manifest(ash=10, oak=31, elm=19))
    assert small == (
        "Fewer than 20 test pictures: ash (10), elm (19). What is said of such a class alone is "
        "uncertain."
    )
    assert unequal.startswith("The largest class, oak, has 62 pictures, the smallest, ash, 20. ")
    many = manifest(**{f"c{i:02d}": 2 + i % 3 for i in range(40)})
    (sentence,) = examined.classes(many)
    assert sentence.startswith("Fewer than 20 test pictures: c00 (2), c03 (2), c06 (2), c09 (2), ")
    assert " and 35 more. " in sentence
    lacking = manifest(ash=30, oak=30)
    lacking = lacking[(lacking["class_name"] == "oak") | (lacking["subset"] == "train")]
    assert examined.classes(lacking)[0].startswith("Fewer than 20 test pictures: ash (0).")
