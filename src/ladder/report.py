"""The ladder as a person reads it."""

import sys
from pathlib import Path

import pandas as pd

from ladder import errors, paths, settings


def table(ladder: pd.DataFrame) -> str:
    """Returns the ladder as lines of text, accuracies in per cent with their intervals."""
    lines = [
        f"{'rung':<20}{'book':>6}{'validation':>12}{'test':>8}{'95 % interval':>16}{'seconds':>9}"
    ]
    for row in ladder.to_dict("records"):
        book = "" if pd.isna(row["book"]) else f"{100 * row['book']:.0f}"
        interval = f"{100 * row['test_ci_low']:.1f} – {100 * row['test_ci_high']:.1f}"
        lines.append(
            f"{row['rung']:<20}{book:>6}{100 * row['validation_accuracy']:>12.1f}"
            f"{100 * row['test_accuracy']:>8.1f}{interval:>16}{row['seconds']:>9.0f}"
        )
    return "\n".join(lines)


def main() -> None:
    """Prints the ladder in a folder of reports, by default that of params.yaml's dataset.

    Raises:
        InputError: there is none yet.
    """
    if len(sys.argv) > 1:
        folder = Path(sys.argv[1])
    else:
        folder = paths.DatasetPaths(settings.load("dataset").dataset.source).reports
    if not (folder / "ladder.csv").exists():
        raise errors.InputError(
            str(folder), expected="ladder.csv", received="none", advice="Run `make repro` first."
        )
    print(table(pd.read_csv(folder / "ladder.csv")))


if __name__ == "__main__":
    errors.run(main)
