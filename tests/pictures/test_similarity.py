import io
import tracemalloc
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
from ladder.pictures import hash_parts, images, similarity

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
    pairs = similarity.pairs([unrelated, planted], HASH_DISTANCE)
    assert pairs["first"].tolist() == numbers
    assert pairs["second"].tolist() == [60, 61, 62]
    assert pairs["mirrored"].tolist() == [kind == "mirrored"] * 3


def test_unrelated_pictures_stay_far_from_the_threshold(unrelated: NDArray[np.uint8]) -> None:
    assert len(similarity.pairs([unrelated], HASH_DISTANCE + 16)) == 0


def test_a_copy_is_at_distance_0(unrelated: NDArray[np.uint8]) -> None:
    pairs = similarity.pairs([unrelated[[0, 1, 0]]], 0)
    assert pairs.to_dict("records") == [{"first": 0, "second": 2, "distance": 0, "mirrored": False}]


def test_pairs_are_found_across_the_blocks(
    unrelated: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = unrelated[[0, 1, 2, 0, 3, 1, 4]]
    whole = similarity.pairs([rows], HASH_DISTANCE)
    monkeypatch.setattr(similarity, "ROWS", 2)
    monkeypatch.setattr(similarity, "COLUMNS", 3)
    monkeypatch.setattr(similarity, "PART", 2)
    apart = [rows[:3], rows[3:3], rows[3:]]
    pd.testing.assert_frame_equal(similarity.pairs(apart, HASH_DISTANCE), whole)
    assert whole[["first", "second"]].to_numpy().tolist() == [[0, 3], [1, 5]]


def test_the_hash_is_imagehashs(unrelated: NDArray[np.uint8]) -> None:
    packed = similarity.hashes(unrelated[:2])
    one, other = (imagehash.phash(Image.fromarray(image), 16) for image in unrelated[:2])
    assert packed.shape == (2, 4)
    assert similarity.distances(packed[:1], packed[1:]).item() == one - other


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=5), st.integers(1, 2))
def test_distances_count_bits(numbers: list[int], words: int) -> None:
    hashes = np.array([[number] * words for number in numbers], np.uint64)
    expected = [[words * (a ^ b).bit_count() for b in numbers] for a in numbers]
    assert similarity.distances(hashes, hashes).tolist() == expected


Hashes = tuple[NDArray[np.uint64], NDArray[np.uint64]]


def drawn_hashes(count: int, seed: int, flips: int) -> Hashes:
    """Returns hashes as they are and mirrored; half of them differ in some bits from others."""
    random = np.random.default_rng(seed)
    bits = random.integers(0, 2, (2, count, 256), np.uint8)
    for way in (0, 1):
        for copy in random.choice(count, count // 2, replace=False):
            bits[way, copy] = bits[random.integers(2), random.integers(count)]
            bits[way, copy, random.integers(0, 256, random.integers(flips + 1))] ^= 1
    plain, mirrored = np.packbits(bits, axis=2).view(np.uint64)
    return plain, mirrored


def all_pairs(hashes: Hashes, hash_distance: int) -> list[tuple[int, int, int, bool]]:
    """Returns what `pairs_of_hashes` should, from Python's integers."""
    plain, mirrored = ([int(digits.tobytes().hex(), 16) for digits in way] for way in hashes)
    rows = []
    for i in range(len(plain)):
        for j in range(i + 1, len(plain)):
            straight, turned = ((plain[i] ^ way[j]).bit_count() for way in (plain, mirrored))
            if min(straight, turned) <= hash_distance:
                rows.append((i, j, min(straight, turned), turned < straight))
    return rows


@pytest.mark.parametrize("hash_distance", [0, 12, 30, 70, 120, 255, 256])
def test_pairs_of_hashes_are_all_that_are_near(
    hash_distance: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similarity, "ROWS", 7)
    monkeypatch.setattr(similarity, "COLUMNS", 16)
    hashes = drawn_hashes(60, hash_distance, flips=max(4, hash_distance))
    pairs = similarity.pairs_of_hashes(*hashes, hash_distance)
    expected = all_pairs(hashes, hash_distance)
    assert [tuple(row) for row in pairs.to_numpy().tolist()] == expected
    assert expected
    assert pairs.dtypes.to_dict() == {
        "first": np.int64, "second": np.int64, "distance": np.int64, "mirrored": np.bool_,
    }  # fmt: skip
    assert pairs.index.equals(pd.RangeIndex(len(pairs)))


def test_hashes_that_differ_in_every_bit_are_256_apart() -> None:
    hashes = np.array([[0] * 4, [2**64 - 1] * 4], np.uint64)
    assert len(similarity.pairs_of_hashes(hashes, hashes, 255)) == 0
    assert similarity.pairs_of_hashes(hashes, hashes, 256)["distance"].tolist() == [256]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_pictures_have_few_pairs(count: int) -> None:
    hashes = np.zeros((count, 4), np.uint64)
    assert len(similarity.pairs_of_hashes(hashes, hashes, 30)) == count // 2
    assert similarity.linked(hashes, hashes, 30).tolist() == [0] * count


@pytest.mark.parametrize("by_parts", [False, True])
@pytest.mark.parametrize("pending", [0, 5, 10**6])
@pytest.mark.parametrize("hash_distance", [0, 12, 30, 120])
def test_linked_are_the_groups_of_all_pairs(
    hash_distance: int, pending: int, by_parts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hash_parts.HashParts, "are_cheap", lambda _: by_parts)
    monkeypatch.setattr(similarity, "ROWS", 5)
    monkeypatch.setattr(similarity, "COLUMNS", 9)
    monkeypatch.setattr(similarity, "PENDING", pending)
    hashes = drawn_hashes(60, hash_distance, flips=max(4, hash_distance))
    numbers = similarity.linked(*hashes, hash_distance)
    pairs = similarity.pairs_of_hashes(*hashes, hash_distance)
    expected = similarity.groups(60, pairs)
    assert ((numbers[:, None] == numbers) == (expected[:, None] == expected)).all()


def test_a_part_of_the_table_is_small(unrelated: NDArray[np.uint8]) -> None:
    """The largest arrays are those of a part in which every pair is near."""
    hashes = np.repeat(similarity.hashes(unrelated[:1]), 5000, axis=0)
    tracemalloc.start()
    try:
        assert (similarity.linked(hashes, hashes, 30) == 0).all()
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()


def test_hashes_tell_pictures_apart_unless_little_varies(unrelated: NDArray[np.uint8]) -> None:
    assert similarity.telling(similarity.hashes(unrelated)).all()
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    shapes = [x < 99, x > 99, x > 0, x // 5 % 2 == 0, y // 9 % 2 == 0, x**2 + y**2 < 400]
    shapes.append((abs(x) < 20) & (abs(y) < 20))
    drawn = np.stack([np.repeat(255 * shape[:, :, None], 3, 2) for shape in shapes])
    assert not similarity.telling(similarity.hashes(drawn.astype(np.uint8))).any()


def test_hexadecimal_digits_are_the_bits_in_order(unrelated: NDArray[np.uint8]) -> None:
    pictures = [Image.fromarray(image) for image in unrelated[:3]]
    digits = pd.Series(
        [str(imagehash.phash(picture, similarity.HASH_SIZE)) for picture in pictures]
    )
    assert set(digits.str.len()) == {64}
    np.testing.assert_array_equal(similarity.from_hex(digits), similarity.hashes(unrelated[:3]))
    assert similarity.from_hex(digits[:0]).shape == (0, 4)


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=10))
def test_groups_are_what_pairs_link(links: list[tuple[int, int]]) -> None:
    pairs = pd.DataFrame(links, columns=["first", "second"], dtype=int)
    groups = similarity.groups(8, pairs)
    sets = [{i} for i in range(8)]
    for a, b in links:
        merged = sets[a] | sets[b]
        for i in merged:
            sets[i] = merged
    expected = [[j in sets[i] for j in range(8)] for i in range(8)]
    assert (groups[:, None] == groups).tolist() == expected
