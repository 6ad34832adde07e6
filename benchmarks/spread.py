"""Repeated measurements as a median with its range, their ratios and sums, and straight lines."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np


@dataclass(frozen=True)
class Spread:
    """The median of n values with the lowest and the highest of them."""

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
    """Returns how many times `above` is `below`: of the medians, with the widest range possible."""
    return Spread(
        above.median / below.median,
        above.low / below.high,
        above.high / below.low,
        min(above.n, below.n),
    )


def total(parts: Sequence[Spread]) -> Spread:
    """Returns the sum of things measured apart, with the widest range possible."""
    return Spread(
        sum(part.median for part in parts),
        sum(part.low for part in parts),
        sum(part.high for part in parts),
        min(part.n for part in parts),
    )


def record(values: Sequence[float]) -> dict[str, Any]:
    """Returns a spread for JSON, with the values that it is of, in the order measured."""
    return {**asdict(Spread.of(values)), "values": list(values)}


def read(recorded: dict[str, Any]) -> Spread:
    """Returns the spread that was recorded."""
    return Spread(**{name: recorded[name] for name in ("median", "low", "high", "n")})


@dataclass(frozen=True)
class Line:
    """A straight line through points, and how far they are from it."""

    slope: float
    intercept: float
    r2: float  # share of the variance that the line explains; 1.0 where there is none
    largest_deviation: float  # of a point from the line, as a share of the line there


def line(x: Sequence[float], y: Sequence[float]) -> Line:
    """Returns the line of least squares through at least two points."""
    slope, intercept = (float(value) for value in np.polyfit(x, y, 1))
    fitted = slope * np.asarray(x, float) + intercept
    residuals = np.asarray(y, float) - fitted
    variance = float(np.var(y))
    r2 = 1 - float(np.mean(residuals**2)) / variance if variance else 1.0
    return Line(slope, intercept, r2, float(np.max(np.abs(residuals / fitted))))
