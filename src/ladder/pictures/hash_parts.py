"""Near hashes without a look at all pairs: those that are equal in a part of their bits.

At most d of the bits of two near hashes differ. Dealt out to d + 1 parts, these leave a part in
which none differs. Unrelated hashes seldom have such a part: with d = 20, one pair in 100. Norouzi,
Punjani and Fleet 2012, "Fast Search in Hamming Space with Multi-Index Hashing".
"""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LONGEST = 32  # bits of a part that are compared, so that they and a row's number are one integer
CANDIDATES = 200_000  # pairs whose distance is worked out at a time
COST = 12  # of a candidate, in pairs of a table that holds all


class _Runs(NamedTuple):
    """The hashes that are equal to each row's in one part and come after it."""

    order: NDArray[np.int64]  # (2n,): numbers of hashes, those of mirror images from n on
    start: NDArray[np.int64]  # (n,): where in `order` those of a row start
    count: NDArray[np.int64]  # (n,)


class HashParts:
    """The hashes (n, 4) of n pictures as they are and mirrored, to be compared part by part."""

    def __init__(
        self, plain: NDArray[np.uint64], mirrored: NDArray[np.uint64], hash_distance: int
    ) -> None:
        self.hashes = np.concatenate([plain, mirrored])
        self.hash_distance = hash_distance

    def are_cheap(self) -> bool:
        """Returns whether this takes less time than a table of all pairs.

        It does not where the distance is wide, or where most pictures look alike.
        """
        count = len(self.hashes) // 2
        room = count**2 / 2 / COST
        for runs in self._runs():
            room -= runs.count.sum()
            if room < 0:
                return False
        return True

    def near(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Yields the near pairs, first < second, by row, some at a time; a pair may come again.

        A pair is near if at most `hash_distance` bits differ between the first and the second, as
        it is or mirrored.
        """
        count = len(self.hashes) // 2
        for runs in self._runs():
            ends = runs.count.cumsum()
            steps = np.arange(0, ends[-1], CANDIDATES) if count else []
            edges = [*np.searchsorted(ends, steps, side="right"), count]
            for low, high in itertools.pairwise(edges):
                yield self._near(runs, np.arange(low, high))

    def _near(
        self, runs: _Runs, rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Returns the near pairs among the candidates of some rows."""
        count = runs.count[rows]
        first = np.repeat(rows, count)
        within = np.arange(len(first)) - np.repeat(count.cumsum() - count, count)
        other = runs.order[np.repeat(runs.start[rows], count) + within]
        differing = np.bitwise_count(self.hashes[first] ^ self.hashes[other])
        kept = differing.sum(axis=1, dtype=np.int64) <= self.hash_distance
        return first[kept], other[kept] % (len(self.hashes) // 2)

    def _runs(self) -> Iterator[_Runs]:
        """Yields the candidates by part."""
        count = len(self.hashes) // 2
        rows = np.arange(count)
        bits = np.unpackbits(self.hashes.view(np.uint8), axis=1)
        for part in range(self.hash_distance + 1):
            own = bits[:, part :: self.hash_distance + 1][:, :LONGEST]
            keys = own @ (1 << np.arange(own.shape[1]))
            # Sorted by key and, of equal keys, by row.
            places = keys * count + np.tile(rows, 2)
            order = np.argsort(places, kind="stable")
            after = keys[:count] * count
            start = np.searchsorted(places[order], after + rows, side="right")
            stop = np.searchsorted(places[order], after + count, side="left")
            yield _Runs(order, start, stop - start)
