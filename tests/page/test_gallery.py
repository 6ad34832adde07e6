"""What is shown of a climb's pictures, and in which words."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from ladder import paths, provenance, rungs, settings
from ladder.page import gallery, grids, report

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
    shown = gallery.suspects(SUSPECTS, MANIFEST, IMAGES, NAMES, 2)
    assert [picture.caption for picture in shown] == [
        "cat.2 (validation): labelled cat, rather dog",
        "cat.4 (test): labelled cat, rather dog",
    ]
    for picture, image in zip(shown, (IMAGES["validation"][0], IMAGES["test"][1]), strict=True):
        np.testing.assert_array_equal(picture.pixels[0], grids.thumbnail(image))


def test_views_are_of_the_first_train_picture_and_each_another() -> None:
    shown = gallery.views(IMAGES["train"], "cat.0", RANGES, 7, 3)
    assert [picture.alt for picture in shown] == [
        *("cat.0, as it is", "cat.0, view 1", "cat.0, view 2", "cat.0, view 3")
    ]
    np.testing.assert_array_equal(shown[0].pixels[0], grids.thumbnail(IMAGES["train"][0]))
    assert len({picture.pixels[0].tobytes() for picture in shown}) == 4
    again = gallery.views(IMAGES["train"], "cat.0", RANGES, 7, 3)
    assert [p.pixels[0].tobytes() for p in again] == [p.pixels[0].tobytes() for p in shown]


@pytest.fixture
def reports() -> report.Reports:
    none = pd.DataFrame()
    by_rung: dict[rungs.Rung, pd.DataFrame] = {
        rung: predictions([0.6, 0.2, 0.1, 0.9]) for rung in rungs.RUNGS
    }
    return report.Reports(
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
    galleries = gallery.build(reports, MANIFEST, IMAGES, by_rung, RANGES, seed=0)
    assert list(galleries.mistakes) == list(rungs.RUNGS)
    assert {len(mistakes) for mistakes in galleries.mistakes.values()} == {2}
    assert [picture.caption.partition(":")[0] for picture in galleries.example] == [*rungs.RUNGS]
    assert [picture.caption[:5] for picture in galleries.everywhere] == ["dog.3", "cat.3"]
    assert len(galleries.suspects) == 3
    assert len(galleries.views) == 1 + gallery.VIEWS
    assert galleries.views[0].caption == "cat.0"
