import io
from pathlib import Path

import imagehash
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from ladder import settings
from ladder.evidence import duplicates
from ladder.pictures import images

SIZE = 96
HASH_DISTANCE = settings.read(Path(__file__).parents[2] / "params.yaml").audit.hash_distance


def scene(number: int) -> Image.Image:
    """Returns a picture with a photograph's mixture of coarse and fine shapes, other every time."""
    random = np.random.default_rng(number)
    pixels = np.zeros((160, 160, 3))
    for scale in (1, 2, 4, 8, 16, 32):
        octave = gaussian_filter(random.normal(0, 1, pixels.shape), (scale, scale, 0))
        pixels += scale / 32 * octave / octave.std()
    pixels = (pixels - pixels.min()) / (pixels.max() - pixels.min())
    return Image.fromarray((255 * pixels).astype(np.uint8))


def decoded(picture: Image.Image, quality: int = 92) -> NDArray[np.uint8]:
    """Returns the picture as `decode` gives it after it was saved as a JPEG."""
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=quality)
    return images.decode(content.getvalue(), SIZE)


def crop(picture: Image.Image, share: float) -> Image.Image:
    """Returns the picture without a frame that takes `share` of its width and height."""
    x, y = (round(share / 2 * side) for side in picture.size)
    return picture.crop((x, y, picture.width - x, picture.height - y))


VARIANTS = {
    "recompressed": lambda picture: decoded(picture, quality=30),
    "half size": lambda picture: decoded(picture.resize((80, 80))),
    "mirrored": lambda picture: decoded(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
    "5 % crop": lambda picture: decoded(crop(picture, 0.05)),
    "brighter": lambda picture: decoded(picture.point(lambda value: min(255, 1.15 * value))),
}


@pytest.fixture(scope="module")
def unrelated() -> NDArray[np.uint8]:
    return np.stack([decoded(scene(number)) for number in range(60)])


@pytest.mark.parametrize("kind", VARIANTS)
def test_a_planted_variant_is_found_and_nothing_else(
    unrelated: NDArray[np.uint8], kind: str
) -> None:
    numbers = [3, 17, 42]
    planted = np.stack([VARIANTS[kind](scene(number)) for number in numbers])
    pairs = duplicates.pairs(np.concatenate([unrelated, planted]), HASH_DISTANCE)
    assert pairs["first"].tolist() == numbers
    assert pairs["second"].tolist() == [60, 61, 62]
    assert pairs["mirrored"].tolist() == [kind == "mirrored"] * 3


def test_unrelated_pictures_stay_far_from_the_threshold(unrelated: NDArray[np.uint8]) -> None:
    assert len(duplicates.pairs(unrelated, HASH_DISTANCE + 16)) == 0


def test_a_copy_is_at_distance_0(unrelated: NDArray[np.uint8]) -> None:
    pairs = duplicates.pairs(unrelated[[0, 1, 0]], 0)
    assert pairs.to_dict("records") == [{"first": 0, "second": 2, "distance": 0, "mirrored": False}]


def test_pairs_are_found_across_the_blocks(
    unrelated: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = unrelated[[0, 1, 2, 0, 3, 1, 4]]
    whole = duplicates.pairs(rows, HASH_DISTANCE)
    monkeypatch.setattr(duplicates, "ROWS", 2)
    pd.testing.assert_frame_equal(duplicates.pairs(rows, HASH_DISTANCE), whole)
    assert whole[["first", "second"]].to_numpy().tolist() == [[0, 3], [1, 5]]


def test_the_hash_is_imagehashs(unrelated: NDArray[np.uint8]) -> None:
    packed = duplicates.hashes(unrelated[:2])
    one, other = (imagehash.phash(Image.fromarray(image), 16) for image in unrelated[:2])
    assert packed.shape == (2, 4)
    assert duplicates.distances(packed[:1], packed[1:]).item() == one - other


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=5), st.integers(1, 2))
def test_distances_count_bits(numbers: list[int], words: int) -> None:
    hashes = np.array([[number] * words for number in numbers], np.uint64)
    expected = [[words * (a ^ b).bit_count() for b in numbers] for a in numbers]
    assert duplicates.distances(hashes, hashes).tolist() == expected


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


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=10))
def test_groups_are_what_pairs_link(links: list[tuple[int, int]]) -> None:
    pairs = near(*[(a, b, 0, False) for a, b in links]).astype({"first": int, "second": int})
    groups = duplicates.groups(8, pairs)
    sets = [{i} for i in range(8)]
    for a, b in links:
        merged = sets[a] | sets[b]
        for i in merged:
            sets[i] = merged
    expected = [[j in sets[i] for j in range(8)] for i in range(8)]
    assert (groups[:, None] == groups).tolist() == expected
