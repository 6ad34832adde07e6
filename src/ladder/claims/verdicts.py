"""What the chapter claims, what was measured, and whether it holds: verdicts over seeds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ladder.evidence import studies

Verdict = Literal["holds", "holds partly", "cannot be told", "does not hold"]
VERDICTS: tuple[Verdict, ...] = ("holds", "holds partly", "cannot be told", "does not hold")
Interval = tuple[float, float]

CONVNET, DENSE = 0.9917, 0.978  # test accuracy in the notebook of 5.1, and in the text (2.1)
PARAMETERS = 93_322  # of the convnet
COEFFICIENTS, WINDOW = 30_976, 7  # without pooling: numbers of a picture, pixels on a side
MILLIONS = 15.8  # parameters without pooling, behind a dense layer of 512 units
SIDES = (3, 5, 26, 28, 2)  # of the maps after the convolutions of `digits.CONVOLUTIONS`


@dataclass(frozen=True)
class Claim:
    """A sentence of the book, in our words, and what became of it."""

    key: str  # of its section on the page
    section: str  # of DLwP
    claim: str
    measured: str
    verdict: Verdict


def mean_with_interval(right: NDArray[Any]) -> dict[str, float]:
    """Returns mean, standard_deviation, ci_low, ci_high of accuracies (seeds, pictures).

    The standard deviation is of the seeds (ddof 1), the interval of 95 % is over seeds and
    pictures (`studies.two_level_interval`).
    """
    by_seed = right.mean(axis=1)
    low, high = studies.two_level_interval(right, studies.ACCURACY, seed=0)
    deviation = float(by_seed.std(ddof=1))
    mean = float(by_seed.mean())
    return {"mean": mean, "standard_deviation": deviation, "ci_low": low, "ci_high": high}


def difference(one: NDArray[Any], other: NDArray[Any], width: float = 1) -> dict[str, float]:
    """Returns difference, ci_low, ci_high of two networks' values, each (seeds, pictures).

    The interval is the two-level one; a difference is at most `width`: 1 of accuracies.
    """
    apart = one.astype(np.float64) - other
    low, high = studies.two_level_interval(apart, (-width, width), seed=0)
    return {"difference": float(apart.mean()), "ci_low": low, "ci_high": high}


def verdict(intervals: Iterable[Interval]) -> Verdict:
    """Returns whether a claim of several differences above 0 holds, from their 95 % intervals.

    It holds if all are above 0, and partly if some are. If none is, it does not hold where any is
    below 0; else nothing can be told.

    Raises:
        ValueError: there is no difference.
    """
    ends = list(intervals)
    if not ends:
        raise ValueError("expected an interval, received none")
    above, below = [low > 0 for low, _ in ends], [high < 0 for _, high in ends]
    if all(above):
        return "holds"
    if any(above):
        return "holds partly"
    return "does not hold" if any(below) else "cannot be told"


def reached(book: float, high: float) -> Verdict:
    """Returns whether an accuracy of the book is reached: not if the whole interval is below."""
    return "holds" if high >= book else "does not hold"


def shifts(convnet: NDArray[Any], dense: NDArray[Any], cut: Iterable[float]) -> pd.DataFrame:
    """Returns a row per shift of test digits, from answers (seeds, 1 + shifts, pictures).

    Columns: pixels, cut (the share of the digits' light that leaves the picture), convnet, dense
    (mean accuracies), difference, ci_low, ci_high.
    """
    rows = [
        {
            "pixels": pixels,
            "cut": share,
            "convnet": float(convnet[:, pixels].mean()),
            "dense": float(dense[:, pixels].mean()),
            **difference(convnet[:, pixels], dense[:, pixels]),
        }
        for pixels, share in enumerate(cut)
    ]
    return pd.DataFrame(rows)


def pooling(
    right: Mapping[str, NDArray[Any]], counts: pd.DataFrame, seconds: Mapping[str, float]
) -> pd.DataFrame:
    """Returns a row per way to make maps smaller, from answers (seeds, pictures); the first: max.

    Columns: pooling, mean, standard_deviation, ci_low, ci_high (see `mean_with_interval`),
    max_is_better, difference_ci_low, difference_ci_high (of max over it), seconds (a training),
    and those of `counts`, which has a row for each in the same order.
    """
    first = next(iter(right))
    rows = []
    for name, answers in right.items():
        apart = difference(right[first], answers)
        rows.append(
            {
                "pooling": name,
                **mean_with_interval(answers),
                "max_is_better": apart["difference"],
                "difference_ci_low": apart["ci_low"],
                "difference_ci_high": apart["ci_high"],
                "seconds": seconds[name],
            }
        )
    return pd.concat([pd.DataFrame(rows), counts.reset_index(drop=True)], axis=1)


def headline(measured: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Returns the figures of `digits.json`, from `mean_with_interval` of both networks."""
    return {
        f"{prefix}{name}": measured[network][key]
        for network, prefix in (("convnet", ""), ("dense", "dense_"))
        for name, key in (
            ("test_accuracy", "mean"),
            ("test_accuracy_standard_deviation", "standard_deviation"),
            ("test_accuracy_ci_low", "ci_low"),
            ("test_accuracy_ci_high", "ci_high"),
        )
    }


def of_digits(convnet: Mapping[str, float], dense: Mapping[str, float]) -> list[Claim]:
    """Returns the claims on how well networks read digits; see `mean_with_interval`."""
    errors = [100 * (1 - network["mean"]) for network in (dense, convnet)]
    return [
        Claim(
            "digits",
            "5.1",
            f"A small convnet reads {100 * CONVNET:.2f} % of MNIST's test digits, a dense network "
            f"{100 * DENSE:.1f} %.",
            f"Convnet {_percent(convnet)}, dense network {_percent(dense)}. Errors fall from "
            f"{errors[0]:.2f} to {errors[1]:.2f} %.",
            both(reached(CONVNET, convnet["ci_high"]), reached(DENSE, dense["ci_high"])),
        )
    ]


def both(one: Verdict, other: Verdict) -> Verdict:
    """Returns the verdict of a claim with two parts."""
    return one if one == other else "holds partly"


def of_shifts(table: pd.DataFrame) -> list[Claim]:
    """Returns the claim on digits that are moved; `table` is that of `shifts`."""
    moved = table[table["pixels"] > 0]
    two = moved[moved["pixels"] == min(2, int(moved["pixels"].max()))].iloc[0]
    last = moved.iloc[-1]
    return [
        Claim(
            "shifts",
            "5.1.1",
            "A convnet finds a pattern wherever it lies; a dense network has to learn it anew at "
            "every place.",
            f"Moved by {two['pixels']:.0f} pixels the convnet still reads "
            f"{100 * two['convnet']:.1f} % and the dense network {100 * two['dense']:.1f} %; by "
            f"{last['pixels']:.0f} pixels {100 * last['convnet']:.1f} % and "
            f"{100 * last['dense']:.1f} %. The convnet, too, loses: behind its maps stand dense "
            "layers.",
            verdict(zip(moved["ci_low"], moved["ci_high"], strict=True)),
        )
    ]


def of_pooling(table: pd.DataFrame) -> list[Claim]:
    """Returns the claims on making maps smaller; `table` is that of `pooling`."""
    rows = {str(row["pooling"]): row for row in table.to_dict("records")}
    others = {name: rows[name] for name in ("average", "strides")}
    apart = "; ".join(
        f"than {name} by {100 * row['max_is_better']:+.2f} points "
        f"({100 * row['difference_ci_low']:+.2f} to {100 * row['difference_ci_high']:+.2f})"
        for name, row in others.items()
    )
    none, best = rows["none"], rows["max"]
    counted = (
        int(none["coefficients"]) == COEFFICIENTS
        and abs(none["dense_512"] / 1e6 - MILLIONS) < 0.1
        and int(none["window"]) == WINDOW
        and int(best["parameters"]) == PARAMETERS
    )
    return [
        Claim(
            "pooling",
            "5.1.2",
            "Max pooling tends to work better than average pooling or strides.",
            f"Max pooling is better {apart}.",
            verdict(
                (row["difference_ci_low"], row["difference_ci_high"]) for row in others.values()
            ),
        ),
        Claim(
            "pooling",
            "5.1.2",
            f"Without pooling a picture has {COEFFICIENTS:,} coefficients, a dense layer of 512 "
            f"units makes {MILLIONS} million parameters of them, and a unit of the third "
            f"convolution sees {WINDOW} × {WINDOW} pixels.",
            f"{int(none['coefficients']):,} coefficients, {none['dense_512'] / 1e6:.2f} "
            f"million parameters, and {none['window']:.0f} × {none['window']:.0f} pixels; with max "
            f"pooling {int(best['coefficients']):,}, {best['dense_512'] / 1e6:.2f} million, and "
            f"{best['window']:.0f} × {best['window']:.0f} pixels.",
            "holds" if counted else "does not hold",
        ),
    ]


def of_padding(table: pd.DataFrame) -> list[Claim]:
    """Returns the claim on padding and strides.

    `table` has a row for each of `digits.CONVOLUTIONS`: size, padding, strides, and side, which is
    counted.
    """
    equal = int((table["side"] == [*SIDES]).sum())
    return [
        Claim(
            "padding",
            "5.1.1",
            "A 3 × 3 convolution makes maps smaller by 2, unless it pads them; a stride of 2 "
            "halves them.",
            f"{equal} of {len(table)} sizes are as the text says.",
            "holds" if equal == len(table) else "does not hold",
        )
    ]


def _percent(measured: Mapping[str, float]) -> str:
    low, high = 100 * measured["ci_low"], 100 * measured["ci_high"]
    mean, deviation = 100 * measured["mean"], 100 * measured["standard_deviation"]
    return f"{mean:.2f} ± {deviation:.2f} % (95 % interval {low:.2f} to {high:.2f})"
