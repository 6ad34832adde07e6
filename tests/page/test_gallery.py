"""What is shown of a climb's pictures, and in which words."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from ladder import paths, provenance, rungs, settings
from ladder.page import examined, gallery, grids, report
from ladder.pictures import corrections

NAMES = ["cat", "dog"]
SIZE = 24
RANGES = settings.Ranges(
    rotation_degrees=40,
    shift_fraction=0.2,
    shear_degrees=0.2,
    zoom_fraction=0.2,
    horizontal_flip=True,
)
MANIFEST = pd.DataFrame(
    [
        (f"{name}.{number}", name, label, subset)
        for subset, numbers in (("train", (0, 1)), ("validation", (2,)), ("test", (3, 4)))
        for label, name in enumerate(NAMES)
        for number in numbers
    ],
    columns=["id", "class_name", "label", "subset"],
)
MANIFEST["path"] = MANIFEST["id"] + ".jpg"
MANIFEST["sha256"] = [name.encode().hex() for name in MANIFEST["id"]]


def pictures(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(count).integers(0, 256, (count, SIZE, SIZE, 3), np.uint8)


IMAGES: dict[paths.Subset, NDArray[Any]] = {
    subset: pictures(int((MANIFEST["subset"] == subset).sum())) for subset in paths.SUBSETS
}


def seen() -> gallery.Seen:
    """Returns an example that is right and two mistakes, as `interpret` writes them."""
    maps = np.random.default_rng(1).random((3, 2, 6, 6)).astype(np.float16)
    return {
        "gallery": np.array(["example", "worst_mistakes", "worst_mistakes"]),
        "id": np.array(["cat.3", "dog.3", "cat.4"]),
        "label": np.array([0, 1, 0]),
        "probabilities": np.array([[0.9, 0.1], [0.98, 0.02], [0.4, 0.6]]),
        "images": pictures(3),
        "grad_cam": maps,
        "grad_cam_plus_plus": maps[::-1],
    }


def test_a_mistake_stands_with_the_heatmap_of_the_class_it_was_taken_for() -> None:
    arrays = seen()
    first, second = gallery.pictures(arrays, "worst_mistakes", NAMES)
    assert first.caption == first.alt == "dog.3: dog, taken for cat: 98.0 %"
    assert second.caption == "cat.4: cat, taken for dog: 60.0 %"
    picture, overlay = first.pixels
    np.testing.assert_array_equal(picture, grids.thumbnail(arrays["images"][1]))
    expected = grids.overlay(arrays["images"][1], arrays["grad_cam"][1][0])
    np.testing.assert_array_equal(overlay, expected)
    (example,) = gallery.pictures(arrays, "example", NAMES, "scratch: ")
    assert example.caption == "scratch: cat.3: cat, taken for cat: 90.0 %"


def test_strips_are_of_the_galleries_asked_for_in_their_order() -> None:
    arrays = seen()
    texts = [text for text, _ in gallery.strips(arrays, {"worst_mistakes", "example"}, NAMES)]
    assert texts == [
        "cat.3: cat,\ntaken for cat: 90.0 %",
        "dog.3: dog,\ntaken for cat: 98.0 %",
        "cat.4: cat,\ntaken for dog: 60.0 %",
    ]
    ((text, pixels),) = gallery.strips(arrays, {"example"}, NAMES)
    maps = {method: arrays[method][0] for method in grids.METHODS}
    assert text == texts[0]
    np.testing.assert_array_equal(pixels, grids.strip(arrays["images"][0], maps))


def of_five() -> gallery.Seen:
    """Returns a picture that is right and one that is not, of five classes."""
    maps = np.random.default_rng(1).random((2, 5, 6, 6)).astype(np.float16)
    return {
        "gallery": np.array(["example", "worst_mistakes"]),
        "id": np.array(["a/rather/long/path/of a picture/IMG_20240101_123456.jpg", "b.7"]),
        "label": np.array([2, 0]),
        "probabilities": np.array([[0.1, 0.2, 0.6, 0.1, 0.0], [0.1, 0.2, 0.1, 0.6, 0.0]]),
        "images": pictures(2),
        "grad_cam": maps,
        "grad_cam_plus_plus": maps[::-1],
    }


def test_strips_of_many_classes_are_of_two_and_name_both() -> None:
    names, arrays = ["$y$", "<b>x</b>", "\U0001d800", "العربية", "oak"], of_five()
    (right, strip), (wrong, _) = gallery.strips(arrays, {"example", "worst_mistakes"}, names)
    first, *others = right.split("\n")
    assert "…" in first
    assert first.endswith(".jpg: class 2,")
    assert others == ["taken for class 2: 60.0 %,", "then <b>x</b>: 20.0 %"]
    assert wrong == "b.7: $y$,\ntaken for العربية\u200e: 60.0 %"
    maps = {method: arrays[method][0][[2, 1]] for method in grids.METHODS}
    np.testing.assert_array_equal(strip, grids.strip(arrays["images"][0], maps))


def test_the_page_has_whole_names() -> None:
    names = ["$y$", "<b>x</b>", "\U0001d800", "a name " * 20, "oak"]
    (example,) = gallery.pictures(of_five(), "example", names)
    assert example.caption == (
        "a/rather/long/path/of a picture/IMG_20240101_123456.jpg: \U0001d800, taken for "
        "\U0001d800: 60.0 %"
    )
    (mistake,) = gallery.pictures(of_five(), "worst_mistakes", names)
    assert "a name " * 20 in mistake.alt


def predictions(probability: list[float]) -> pd.DataFrame:
    rows = MANIFEST[MANIFEST["subset"] != "train"]
    return rows[["id", "label", "subset"]].assign(probability=[0.5, 0.5, *probability])


def test_pictures_that_no_rung_has_right_are_the_rows_of_test() -> None:
    # cat.3 wrong on both, cat.4 on one alone, dog.3 on both and surer, dog.4 on none
    by_rung: dict[rungs.Rung, pd.DataFrame] = {
        "scratch": predictions([0.6, 0.2, 0.1, 0.9]),
        "features": predictions([0.7, 0.8, 0.2, 0.9]),
    }
    surest, other = gallery.wrong_everywhere(by_rung, IMAGES["test"], NAMES, 8)
    assert surest.caption == "dog.3: dog, never taken for it; confidence 80 – 90 %"
    assert other.caption == "cat.3: cat, never taken for it; confidence 60 – 70 %"
    np.testing.assert_array_equal(surest.pixels[0], grids.thumbnail(IMAGES["test"][2]))
    assert len(gallery.wrong_everywhere(by_rung, IMAGES["test"], NAMES, 1)) == 1


SUSPECTS = pd.DataFrame(
    [
        ("dog.1", "train", 1, 0, 0.3),
        ("cat.2", "validation", 0, 1, 0.05),
        ("cat.4", "test", 0, 1, 0.1),
    ],
    columns=["id", "subset", "label", "suggested_label", "self_confidence"],
)


def test_suspects_of_all_subsets_come_the_likeliest_first() -> None:
    shown = gallery.suspects(SUSPECTS, MANIFEST, IMAGES, corrections.no_effects(), 2)
    assert [suspect.picture.caption for suspect in shown] == [
        "cat.2 (validation): labelled cat, rather dog",
        "cat.4 (test): labelled cat, rather dog",
    ]
    for suspect, image in zip(shown, (IMAGES["validation"][0], IMAGES["test"][1]), strict=True):
        np.testing.assert_array_equal(suspect.picture.pixels[0], grids.thumbnail(image))
    assert (shown[0].path, shown[0].class_name, shown[0].suggested) == ("cat.2.jpg", "cat", "dog")
    assert shown[0].sha256 == b"cat.2".hex()


EFFECTS = pd.DataFrame(
    [
        ("cat.2.jpg", "keep", "cat", "cat", ""),
        ("dog.3.jpg", "relabel", "cat", "dog", ""),
        ("gone.jpg", "relabel", "", "", "no such picture"),
    ],
    columns=corrections.EFFECTS,
)


def test_what_is_decided_is_no_suspect_any_more() -> None:
    shown = gallery.suspects(SUSPECTS, MANIFEST, IMAGES, EFFECTS, 9)
    assert [suspect.path for suspect in shown] == ["cat.4.jpg", "dog.1.jpg"]


def test_relabelled_pictures_stand_with_both_classes() -> None:
    (picture,) = gallery.relabelled(EFFECTS, MANIFEST, IMAGES)
    assert picture.caption == "dog.3.jpg: cat → dog"
    np.testing.assert_array_equal(picture.pixels[0], grids.thumbnail(IMAGES["test"][2]))
    assert gallery.relabelled(corrections.no_effects(), MANIFEST, IMAGES) == []


def test_views_are_of_the_first_train_picture_and_each_another() -> None:
    shown = gallery.views(IMAGES["train"], "cat.0", RANGES, 7, 3)
    assert [picture.alt for picture in shown] == [
        *("cat.0, as it is", "cat.0, view 1", "cat.0, view 2", "cat.0, view 3")
    ]
    np.testing.assert_array_equal(shown[0].pixels[0], grids.thumbnail(IMAGES["train"][0]))
    assert len({picture.pixels[0].tobytes() for picture in shown}) == 4
    again = gallery.views(IMAGES["train"], "cat.0", RANGES, 7, 3)
    assert [p.pixels[0].tobytes() for p in again] == [p.pixels[0].tobytes() for p in shown]


def examination(*findings: tuple[str, str, float]) -> examined.Examination:
    """Returns what was seen of ten pictures: path, finding and value of what looks odd."""
    pictures = pd.DataFrame({"path": [f"{i}.jpg" for i in range(10)], "reason": ""})
    table = pd.DataFrame(findings, columns=["path", "finding", "value"])
    return examined.Examination(pictures, table.assign(detail="so"), pd.DataFrame())


def test_what_looks_odd_is_shown_as_it_was_decoded_that_first_which_is_it_most() -> None:
    manifest = MANIFEST.assign(path="pets/" + MANIFEST["id"] + ".jpg")
    seen_as = examination(
        *(("pets/dog.4.jpg", "dark", 0.05), ("pets/cat.0.jpg", "dark", 0.01)),
        *(("left/out.jpg", "dark", 0.001), ("pets/cat.2.jpg", "huge", 3e7)),
        ("left/out.jpg", "damaged", float("nan")),
        *((f"{i}.jpg", "tiny", 5.0) for i in range(10)),
    )
    shown = gallery.odd(seen_as, manifest, IMAGES)
    assert list(shown) == ["dark", "huge", "damaged"]  # most are tiny: no exception
    darkest, other = shown["dark"]
    assert (darkest.caption, darkest.alt) == ("pets/cat.0.jpg", "pets/cat.0.jpg: dark")
    np.testing.assert_array_equal(darkest.pixels[0], grids.thumbnail(IMAGES["train"][0]))
    np.testing.assert_array_equal(other.pixels[0], grids.thumbnail(IMAGES["test"][3]))
    (huge,) = shown["huge"]
    np.testing.assert_array_equal(huge.pixels[0], grids.thumbnail(IMAGES["validation"][0]))
    assert shown["damaged"] == []


def test_at_most_three_pictures_are_shown_of_a_finding() -> None:
    manifest = MANIFEST.assign(path=MANIFEST["id"])
    seen_as = examination(*((name, "blurry", 1.0) for name in MANIFEST["id"].head(5)))
    assert len(gallery.odd(seen_as, manifest, IMAGES)["blurry"]) == 3


@pytest.fixture
def reports() -> report.Reports:
    none = pd.DataFrame()
    by_rung: dict[rungs.Rung, pd.DataFrame] = {
        rung: predictions([0.6, 0.2, 0.1, 0.9]) for rung in rungs.RUNGS
    }
    return report.Reports(
        name="mine",
        source="mine",
        identity=provenance.Identity({}, "abc", "float32", "2.21", "3.15"),
        ladder=none,
        paired=none,
        book=none,
        calibration=none,
        duplicates=none,
        suspects=SUSPECTS,
        planted=none,
        predictions=by_rung,
        runtimes={},
        studies=report.Studies(),
    )


def test_the_pages_galleries_are_of_every_rung(reports: report.Reports) -> None:
    by_rung: dict[rungs.Rung, gallery.Seen] = {rung: seen() for rung in rungs.RUNGS}
    manifest = MANIFEST.assign(path=MANIFEST["id"])
    seen_as = examination(("cat.0", "dark", 0.01))
    galleries = gallery.build(
        reports, manifest, IMAGES, by_rung, RANGES, 0, seen_as, corrections.no_effects()
    )
    assert list(galleries.mistakes) == list(rungs.RUNGS)
    assert {len(mistakes) for mistakes in galleries.mistakes.values()} == {2}
    assert [picture.caption.partition(":")[0] for picture in galleries.example] == [*rungs.RUNGS]
    assert [picture.caption[:5] for picture in galleries.everywhere] == ["dog.3", "cat.3"]
    assert len(galleries.suspects) == 3
    assert len(galleries.views) == 1 + gallery.VIEWS
    assert galleries.views[0].caption == "cat.0"
    assert [picture.caption for picture in galleries.odd["dark"]] == ["cat.0"]
