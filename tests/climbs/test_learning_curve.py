"""What is asked of it; `test_pipeline.py` climbs."""

from pathlib import Path

import pytest

from ladder import errors, settings
from ladder.climbs import climbs, learning_curve

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize(
    ("counts", "most"), [([50, 1001], 1000), ([0], 1000), ([50, 50], 1000), ([50, 201], 200)]
)
def test_numbers_of_pictures_that_there_are_not_are_refused_before_the_first_climb(
    counts: list[int], most: int
) -> None:
    with pytest.raises(errors.InputError, match="COUNTS: expected numbers of train pictures"):
        learning_curve.check(counts, most)


def test_as_many_pictures_as_there_are_are_allowed() -> None:
    learning_curve.check([1, 1000], 1000)
    learning_curve.check([200], 200)


@pytest.mark.parametrize(
    ("most", "counts"),
    [(1000, [50, 100, 250, 500, 1000]), (200, [10, 20, 50, 100, 200]), (3, [1, 2, 3]), (1, [1])],
)
def test_where_nobody_says_how_many_they_are_shares_of_all(most: int, counts: list[int]) -> None:
    assert learning_curve.shares(most) == counts
    learning_curve.check(counts, most)


def test_fewer_pictures_are_trained_on_for_as_long() -> None:
    params = settings.read(settings.PARAMS).model_dump()
    overrides = climbs.values(learning_curve.on_fewer(250, params))
    assert overrides["split.train_used_per_class"] == 250
    for section in ("train_head", "train_end_to_end", "fine_tune"):
        fit = params[section]
        epochs = overrides[f"{section}.epochs"]
        assert epochs * 2 * 250 == fit["epochs"] * 2 * 1000  # pictures seen
        validations = fit["epochs"] // fit["validate_every"]
        assert epochs // overrides[f"{section}.validate_every"] == validations
        assert overrides[f"{section}.patience"] == 4 * fit["patience"]


def test_on_all_pictures_nothing_is_changed() -> None:
    params = settings.read(settings.PARAMS).model_dump()
    overrides = climbs.values(learning_curve.on_fewer(1000, params))
    assert overrides.pop("split.train_used_per_class") == 1000
    assert all(params[key.split(".")[0]][key.split(".")[1]] == overrides[key] for key in overrides)
