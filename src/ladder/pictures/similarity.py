"""Pictures that look alike, by a perceptual hash."""

from collections.abc import Iterator, Sequence

import imagehash
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from scipy.sparse import coo_array, csgraph
from tqdm import tqdm

from ladder.pictures import hash_parts

HASH_SIZE = 16  # 16 × 16 = 256 bits: the settings' `hash_distance` counts those that differ
# Half of the bits are set, unless most of the transform is nought. That is so of an even picture,
# and of drawn stripes, discs and squares, which then have nearly the same hash.
TELLING = 48
# The part of the table of distances that is worked out at a time: ½ MB, which a core's cache holds.
ROWS, COLUMNS = 32, 2048
RARE = 1 / 64  # of a part: so few pairs are cheaper to work out one by one
PART = 512  # images that are hashed at a time
PENDING = 100_000  # pairs that are collected before the groups are worked out anew

_NONE = pd.DataFrame(
    {
        "first": np.zeros(0, np.int64),
        "second": np.zeros(0, np.int64),
        "distance": np.zeros(0, np.int64),
        "mirrored": np.zeros(0, np.bool_),
    }
)


def hashes(images: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Returns every image's perceptual hash, (n, 4): 256 bits of its cosine transform."""
    bits = [imagehash.phash(Image.fromarray(image), HASH_SIZE).hash.ravel() for image in images]
    return np.packbits(bits, axis=1).view(np.uint64)


def from_hex(digits: pd.Series) -> NDArray[np.uint64]:
    """Returns hashes (n, 4) as `hashes` does, from the 64 hexadecimal digits of each."""
    return np.frombuffer(bytes.fromhex("".join(digits)), np.uint64).reshape(-1, 4)


def telling(hashes: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Returns which of the hashes (n, 4) have enough bits to tell pictures apart."""
    return _count(hashes) >= TELLING


def distances(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Returns how many bits differ between hashes (n, words) and (m, words): (n, m)."""
    return _count(one[:, None] ^ other)


def _count(differ: NDArray[np.uint64]) -> NDArray[np.int64]:
    counts: NDArray[np.int64] = np.bitwise_count(differ).sum(axis=-1, dtype=np.int64)
    return counts


def both_ways(images: NDArray[np.uint8]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Returns the hashes of the images as they are and of their mirror images."""
    return hashes(images), hashes(images[:, :, ::-1])


def nearest(
    one: NDArray[np.uint64], ways: tuple[NDArray[np.uint64], NDArray[np.uint64]]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Returns the distances (n, m) of hashes from the nearer of `both_ways`; mirrored or not."""
    plain, mirrored = (distances(one, other) for other in ways)
    return np.minimum(plain, mirrored), mirrored < plain


def pairs(images: Sequence[NDArray[np.uint8]], hash_distance: int) -> pd.DataFrame:
    """Returns the pairs of images that are nearly the same, also where one is mirrored.

    `images` are arrays (n, S, S, 3), one after the other. They may be mapped into memory: a part at
    a time is read. Columns: first, second (rows of all of them, first < second), distance,
    mirrored; in this order.
    """
    parts = [array[i : i + PART] for array in images for i in range(0, len(array), PART)]
    hashed = []
    with tqdm(total=sum(map(len, parts)), desc="hash", unit="picture", disable=None) as bar:
        for part in parts:
            hashed.append(both_ways(part))
            bar.update(len(part))
    plain, mirrored = (np.concatenate(way) for way in zip(*hashed, strict=True))
    return pairs_of_hashes(plain, mirrored, hash_distance)


def pairs_of_hashes(
    plain: NDArray[np.uint64], mirrored: NDArray[np.uint64], hash_distance: int
) -> pd.DataFrame:
    """Returns the pairs of pictures whose hashes (n, 4), as of `both_ways`, are near; see `pairs`.

    Memory grows with the number of pairs, not with the square of n.
    """
    table = _Table(plain, mirrored, hash_distance)
    near = [table.near(rows, columns) for rows, columns in table.parts()]
    all_near = pd.concat([_NONE, *(part for part in near if len(part))])
    return all_near.sort_values(["first", "second"], ignore_index=True)


def linked(
    plain: NDArray[np.uint64], mirrored: NDArray[np.uint64], hash_distance: int
) -> NDArray[np.int64]:
    """Returns the `groups` of all `pairs_of_hashes`, which are never held at once."""
    links = _Links(len(plain))
    parts = hash_parts.HashParts(plain, mirrored, hash_distance)
    if parts.are_cheap():
        for first, second in parts.near():
            links.add(first, second)
        return links.joined()
    table = _Table(plain, mirrored, hash_distance)
    for rows, columns in table.parts():
        some = np.concatenate([links.numbers[rows], links.numbers[columns]])
        if (some == some[0]).all():  # one group already: a film of many frames soon is
            continue
        near = table.near(rows, columns)
        links.add(near["first"].to_numpy(), near["second"].to_numpy())
    return links.joined()


class _Links:
    """The groups that pairs link, of pairs that come some at a time."""

    def __init__(self, count: int) -> None:
        self.numbers = np.arange(count, dtype=np.int64)  # of the groups so far
        self._pending, self._count = [_NONE], 0

    def add(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> None:
        """Takes pairs of rows."""
        one, other = self.numbers[first], self.numbers[second]
        new = one != other
        if new.any():
            self._pending.append(pd.DataFrame({"first": one[new], "second": other[new]}))
            self._count += len(self._pending[-1])
        if self._count > PENDING:
            self.joined()

    def joined(self) -> NDArray[np.int64]:
        """Returns a number for each row, equal where the pairs taken so far link them."""
        self.numbers = groups(len(self.numbers), pd.concat(self._pending))[self.numbers]
        self._pending, self._count = [_NONE], 0
        return self.numbers


class _Table:
    """The distances between all pictures, which are worked out part by part."""

    def __init__(
        self, plain: NDArray[np.uint64], mirrored: NDArray[np.uint64], hash_distance: int
    ) -> None:
        # By word, so that a word of many pictures lies together.
        self.plain, self.mirrored = (np.ascontiguousarray(way.T) for way in (plain, mirrored))
        self.hash_distance = hash_distance
        # Memory that every part uses again: to ask for it anew takes longer than to count.
        self.differing = np.empty((ROWS, COLUMNS), np.uint64)
        self.count, self.total = np.empty((2, ROWS, COLUMNS), np.uint8)

    def parts(self) -> Iterator[tuple[slice, slice]]:
        """Yields the rows and columns of parts that hold each pair once, and others besides."""
        count = self.plain.shape[1]
        for top in range(0, count, ROWS):
            for left in range(top, count, COLUMNS):
                yield slice(top, min(top + ROWS, count)), slice(left, min(left + COLUMNS, count))

    def near(self, rows: slice, columns: slice) -> pd.DataFrame:
        """Returns the near pairs of a part; columns as of `pairs`."""
        possible = self._possible(rows, self.plain[:, columns])
        possible |= self._possible(rows, self.mirrored[:, columns])
        # Much faster than `nonzero` on two dimensions.
        first, second = np.divmod(np.flatnonzero(possible), possible.shape[1])
        first, second = first + rows.start, second + columns.start
        plain, mirrored = (
            _count((self.plain[:, first] ^ way[:, second]).T) for way in (self.plain, self.mirrored)
        )
        distance = np.minimum(plain, mirrored)
        kept = np.flatnonzero((first < second) & (distance <= self.hash_distance))
        if not len(kept):
            return _NONE
        return pd.DataFrame(
            {
                "first": first[kept],
                "second": second[kept],
                "distance": distance[kept],
                "mirrored": mirrored[kept] < plain[kept],
            }
        )

    def _possible(self, rows: slice, others: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Returns which pairs may be near: of those left out, some words alone differ too much."""
        one = self.plain[:, rows, None]
        part = slice(one.shape[1]), slice(others.shape[1])
        differing, count, total = self.differing[part], self.count[part], self.total[part]
        np.bitwise_count(np.bitwise_xor(one[0], others[0], out=differing), out=total)
        for word in (1, 2):  # with the last one the sum could exceed a byte
            np.bitwise_count(np.bitwise_xor(one[word], others[word], out=differing), out=count)
            np.add(total, count, out=total)
            possible: NDArray[np.bool_] = total <= self.hash_distance
            if np.count_nonzero(possible) < RARE * possible.size:
                break
        return possible


def groups(count: int, near: pd.DataFrame) -> NDArray[np.int64]:
    """Returns a number for each of `count` pictures, equal where pairs link them."""
    links = coo_array((np.ones(len(near)), (near["first"], near["second"])), shape=(count, count))
    numbers: NDArray[np.int64] = csgraph.connected_components(links, directed=False)[1]
    return numbers.astype(np.int64)
