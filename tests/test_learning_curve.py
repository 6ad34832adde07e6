"""What is asked of it; `test_pipeline.py` climbs."""

from pathlib import Path

import pytest

from ladder import errors, learning_curve

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize(
    ("counts", "overrides"),
    [([50, 1001], []), ([0], []), ([50, 201], ["split.train_per_class=200"])],
)
def test_numbers_of_pictures_that_there_are_not_are_refused_before_the_first_climb(
    counts: list[int], overrides: list[str]
) -> None:
    with pytest.raises(errors.InputError, match="COUNTS: expected numbers of train pictures"):
        learning_curve.check(counts, overrides)


def test_as_many_pictures_as_there_are_are_allowed() -> None:
    learning_curve.check([1, 1000], [])
    learning_curve.check([200], ["split.train_per_class=200"])
