import numpy as np
import pytest
from numpy.typing import NDArray

from ladder.pictures import hash_parts

COUNT = 60


def drawn(seed: int, flips: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Returns hashes and mirrored ones, half of which differ from another in so many bits."""
    random = np.random.default_rng(seed)
    bits = random.integers(0, 2, (2, COUNT, 256), np.uint8)
    for way in (0, 1):
        for copy in random.choice(COUNT, COUNT // 2, replace=False):
            bits[way, copy] = bits[random.integers(2), random.integers(COUNT)]
            bits[way, copy, random.choice(256, flips, replace=False)] ^= 1
    plain, mirrored = np.packbits(bits, axis=2).view(np.uint64)
    return plain, mirrored


def brute_force(
    plain: NDArray[np.uint64], mirrored: NDArray[np.uint64], hash_distance: int
) -> set[tuple[int, int]]:
    """Returns the near pairs, from Python's integers."""
    one, other = ([int(row.tobytes().hex(), 16) for row in way] for way in (plain, mirrored))
    return {
        (i, j)
        for i in range(len(one))
        for j in range(i + 1, len(one))
        if min((one[i] ^ way[j]).bit_count() for way in (one, other)) <= hash_distance
    }


@pytest.mark.parametrize("candidates", [50, 10**6])
@pytest.mark.parametrize("hash_distance", [0, 1, 7, 20, 70, 256])
def test_near_pairs_are_those_of_brute_force(
    hash_distance: int, candidates: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hash_parts, "CANDIDATES", candidates)
    hashes = drawn(hash_distance, flips=hash_distance // 2)
    found = hash_parts.HashParts(*hashes, hash_distance).near()
    pairs = {pair for first, second in found for pair in zip(first, second, strict=True)}
    expected = brute_force(*hashes, hash_distance)
    assert pairs == expected
    assert expected


@pytest.mark.parametrize("place", range(21))
def test_bits_that_differ_in_all_parts_but_one_are_near(place: int) -> None:
    bits = np.zeros((2, 256), np.uint8)
    bits[1, [bit for bit in range(21) if bit != place]] = 1
    hashes = np.packbits(bits, axis=1).view(np.uint64)
    found = hash_parts.HashParts(hashes, ~hashes, 20).near()
    assert {pair for first, second in found for pair in zip(first, second, strict=True)} == {(0, 1)}


@pytest.mark.parametrize("count", [0, 1])
def test_one_picture_has_no_pairs(count: int) -> None:
    hashes = np.zeros((count, 4), np.uint64)
    assert all(len(first) == 0 for first, _ in hash_parts.HashParts(hashes, hashes, 20).near())


def test_it_is_cheap_only_where_few_hashes_agree_in_a_part() -> None:
    plain, mirrored = np.random.default_rng(0).integers(0, 2**64, (2, 2000, 4), np.uint64)
    assert hash_parts.HashParts(plain, mirrored, 20).are_cheap()
    assert not hash_parts.HashParts(plain, mirrored, 70).are_cheap()
    assert not hash_parts.HashParts(plain[:1].repeat(2000, 0), mirrored, 20).are_cheap()
