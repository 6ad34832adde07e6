"""Repeated measurements as a median with its range, and their ratios and sums."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Spread:
    """The median of n values, with the lowest and the highest of them."""

    median: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Returns the spread of at least one value."""
        return cls(statistics.median(values), min(values), max(values), len(values))

    def scaled(self, factor: float) -> "Spread":
        """Returns the spread of all values times a positive factor."""
        return Spread(factor * self.median, factor * self.low, factor * self.high, self.n)


def ratio(above: Spread, below: Spread) -> Spread:
    """Returns the ratio of the medians, with the widest range possible."""
    low, high = above.low / below.high, above.high / below.low
    return Spread(above.median / below.median, low, high, min(above.n, below.n))


def total(parts: Sequence[Spread]) -> Spread:
    """Returns the sum of things measured apart, with the widest range possible."""
    medians, lows, highs = zip(*((part.median, part.low, part.high) for part in parts), strict=True)
    return Spread(sum(medians), sum(lows), sum(highs), min(part.n for part in parts))


def duration(amount: float, rate: Spread) -> Spread:
    """Returns how long an amount takes at a rate."""
    return Spread(amount / rate.median, amount / rate.high, amount / rate.low, rate.n)


def paired(above: dict[str, Any], below: dict[str, Any]) -> Spread:
    """Returns the spread of the ratios of recorded values, each pair of the same turn."""
    return Spread.of([a / b for a, b in zip(above["values"], below["values"], strict=True)])


def record(values: Sequence[float]) -> dict[str, Any]:
    """Returns a spread for JSON, with its values in the order measured."""
    return {**asdict(Spread.of(values)), "values": list(values)}


def read(recorded: dict[str, Any]) -> Spread:
    """Returns the spread that was recorded."""
    return Spread(**{name: recorded[name] for name in ("median", "low", "high", "n")})
