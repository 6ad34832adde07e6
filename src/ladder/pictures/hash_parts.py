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
    starts: NDArray[np.int64]  # (n,): where in `order` those of a row start
    lengths: NDArray[np.int64]  # (n,)


class HashParts:
    """The hashes (n, 4) of n pictures as they are and mirrored, to be compared part by part."""

    def __init__(
        self, plain: NDArray[np.uint64], mirrored: NDArray[np.uint64], hash_distance: int
    ) -> None:
        self.hashes = np.concatenate([plain, mirrored])
        self.count, self.hash_distance = len(plain), hash_distance

    def are_cheap(self) -> bool:
        """Returns whether this takes less time than a table of all pairs.

        It does not where the distance is wide, or where most pictures look alike.
        """
        room = self.count**2 / 2 / COST
        for runs in self._runs():
            room -= runs.lengths.sum()
            if room < 0:
                return False
        return True

    def near(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Yields the near pairs, first < second, by row, some at a time; a pair may come again.

        A pair is near if at most `hash_distance` bits differ between the first and the second, as
        it is or mirrored.
        """
        for runs in self._runs():
            ends = runs.lengths.cumsum()
            steps = np.arange(0, ends[-1] if self.count else 0, CANDIDATES)
            edges = [*np.searchsorted(ends, steps, side="right"), self.count]
            for low, high in itertools.pairwise(edges):
                yield self._near(runs, np.arange(low, high))

    def _near(
        self, runs: _Runs, rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Returns the near pairs among the candidates of some rows."""
        lengths = runs.lengths[rows]
        first = np.repeat(rows, lengths)
        within = np.arange(len(first)) - np.repeat(lengths.cumsum() - lengths, lengths)
        other = runs.order[np.repeat(runs.starts[rows], lengths) + within]
        differing = np.bitwise_count(self.hashes[first] ^ self.hashes[other])
        kept = differing.sum(axis=1, dtype=np.int64) <= self.hash_distance
        return first[kept], other[kept] % self.count

    def _runs(self) -> Iterator[_Runs]:
        """Yields the candidates by part."""
        rows = np.arange(self.count)
        bits = np.unpackbits(self.hashes.view(np.uint8), axis=1)
        for part in range(self.hash_distance + 1):
            own = bits[:, part :: self.hash_distance + 1][:, :LONGEST]
            keys = own @ (1 << np.arange(own.shape[1]))
            # By key and, of equal keys, by row: so those that come after a row lie together.
            places = keys * self.count + np.tile(rows, 2)
            order = np.argsort(places, kind="stable")
            first = keys[: self.count] * self.count
            starts = np.searchsorted(places[order], first + rows, side="right")
            stops = np.searchsorted(places[order], first + self.count, side="left")
            yield _Runs(order, starts, stops - starts)
