import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ladder import report

FILLED = """\
rung                  book  validation    test   95 % interval  seconds
scratch                 71        72.0    70.5     68.0 – 72.9       12
fine_tuned              97        97.5    97.0     95.8 – 97.9     1235"""
EMPTY = FILLED.replace("71  ", "    ").replace("97      ", "        ")


def ladder(book: bool) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "rung": ["scratch", "fine_tuned"],
            "book": [0.71, 0.97] if book else [None, None],
            "validation_accuracy": [0.72, 0.975],
            "test_accuracy": [0.705, 0.97],
            "test_ci_low": [0.67961, 0.9576],
            "test_ci_high": [0.7291, 0.9788],
            "seconds": [12.3, 1234.6],
        }
    )


@pytest.mark.parametrize(("book", "expected"), [(True, FILLED), (False, EMPTY)])
def test_the_table_is_aligned_and_in_per_cent(book: bool, expected: str) -> None:
    assert report.table(ladder(book)) == expected


def test_every_line_is_as_wide_as_the_first() -> None:
    assert len({len(line) for line in report.table(ladder(True)).splitlines()}) == 1


@pytest.fixture
def printed(
    at_root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Runs the module with arguments and returns what it prints."""

    def run(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["report", *arguments])
        monkeypatch.delitem(sys.modules, "ladder.report")
        runpy.run_module("ladder.report", run_name="__main__")
        return capsys.readouterr().out

    return run


def test_the_module_prints_the_ladder_of_a_folder(
    at_root: Path, printed: Callable[..., str]
) -> None:
    ladder(True).to_csv(at_root / "ladder.csv", index=False)
    assert printed(str(at_root)) == FILLED + "\n"


def test_the_module_prints_the_ladder_of_the_params_dataset(
    at_root: Path,
    printed: Callable[..., str],
    params: dict[str, Any],
    write_params: Callable[..., Path],
) -> None:
    params["dataset"]["source"] = "dogs_vs_cats"
    write_params(params)
    folder = at_root / "reports/dogs_vs_cats"
    folder.mkdir(parents=True)
    ladder(False).to_csv(folder / "ladder.csv", index=False)
    assert printed() == EMPTY + "\n"
