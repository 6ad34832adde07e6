from pathlib import Path

import pytest

from ladder import errors
from ladder.experiments import plan

ROOT = Path(__file__).parents[2]


def test_the_committed_params_are_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert plan.load().seeds == 5


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seeds: 5", "seeds: 1", "seeds: expected greater than or equal to 2. Received: 1"),
        ("pixels: 8", "pixels: 28", "shifts.pixels: expected less than or equal to 27"),
        ("epochs: 5", "epoch: 5", "digits.epochs: expected the key to be there"),
        ("dense_units", "units", "digits.dense_units: expected the key to be there"),
        ("train: 4000", "train: 900", "expected views.train_pictures to be at most animals.train"),
        ("1000, 2000, 4000]", "1000, 2000, 5000]", "expected the last of amounts.train_pictures"),
        ("[500, 1000,", "[1000, 1000,", "expected amounts.train_pictures to rise"),
        (
            "pasted_pictures: 40",
            "pasted_pictures: 2000",
            "expected fine_tuning.pasted_pictures to",
        ),
        ("train: 4000", "train: 3999", "animals.train: expected .*multiple of 2"),
    ],
)
def test_a_wrong_value_is_named(at_root: Path, old: str, new: str, message: str) -> None:
    text = (ROOT / plan.PARAMS).read_text()
    (at_root / plan.PARAMS).parent.mkdir()
    (at_root / plan.PARAMS).write_text(text.replace(old, new))
    with pytest.raises(errors.InputError, match=f"chapter/params.yaml: {message}"):
        plan.load()


def test_a_training_never_ends_early_and_keeps_its_rate() -> None:
    fit = plan.Fit(epochs=5, batch_size=64, learning_rate=1e-3).constant()
    assert (fit.epochs, fit.minimum_epochs, fit.schedule) == (5, 5, "constant")
    assert (fit.batch_size, fit.learning_rate) == (64, 1e-3)
