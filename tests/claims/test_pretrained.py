"""Measurements drawn so that the verdict is known."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ladder.claims import pretrained

PICTURES, SEEDS = 400, 3


def right(rate: float) -> NDArray[np.bool_]:
    """Returns answers (seeds, pictures) that are right as often as the rate says, exactly."""
    random = np.random.default_rng(0)
    row = np.arange(PICTURES) < round(rate * PICTURES)
    return np.stack([random.permutation(row) for _ in range(SEEDS)])


def depth(**rates: list[float]) -> dict[str, NDArray[Any]]:
    values = {
        "animals": [0.6, 0.7, 0.75, 0.8, 0.9],
        "digits": [0.9, 0.97, 0.95, 0.9, 0.8],
        "blank": [0, 0.1, 0.2, 0.3, 0.5],
        "colours": [0.9, 0.8, 0.6, 0.4, 0.2],
        **rates,
    }
    arrays: dict[str, NDArray[Any]] = {}
    for number, block in enumerate(pretrained.BLOCKS):
        for name in ("animals", "digits"):
            arrays[f"{name}_{block}_right"] = right(values[name][number])
        for name in ("blank", "colours"):
            arrays[f"animals_{block}_{name}"] = np.full(PICTURES, values[name][number])
        arrays[f"animals_{block}_zeros"] = np.full(PICTURES, 0.5)
    return arrays


def test_depth_has_a_row_per_block_and_three_claims() -> None:
    table = pretrained.depth(depth())
    assert table["block"].tolist() == [*pretrained.BLOCKS]
    assert table["animals"].tolist() == pytest.approx([0.6, 0.7, 0.75, 0.8, 0.9])
    assert table["animals_step"].tolist()[1:] == pytest.approx([0.1, 0.05, 0.05, 0.1])
    assert table["last_digits"].tolist() == pytest.approx([0.1, 0.17, 0.15, 0.1, 0])
    generic, sparser, abstract = pretrained.of_depth(table)
    assert (generic.verdict, sparser.verdict, abstract.verdict) == ("holds", "holds", "holds")
    assert "digits from block2_pool (97.0 %): +17.0 points" in generic.measured
    assert "0.0, 10.0, 20.0, 30.0, 50.0 %" in sparser.measured
    assert "from 90 to 20 %" in abstract.measured


def test_digits_that_the_last_block_reads_best_take_the_claim_away() -> None:
    rates = {"digits": [0.7, 0.8, 0.9, 0.95, 0.99], "animals": [0.9, 0.8, 0.8, 0.7, 0.5]}
    table = pretrained.depth(depth(**rates, blank=[0.5, 0.4, 0.3, 0.2, 0.1]))
    generic, sparser, abstract = pretrained.of_depth(table)
    assert (generic.verdict, sparser.verdict) == ("does not hold", "does not hold")
    assert abstract.verdict == "holds partly"  # colours fall, and classes too


def heads(rise: float, *, augmented: float = 0.0, lowest: int = 3) -> dict[str, NDArray[Any]]:
    """Probabilities whose loss is lowest at an epoch, and then rises so much to the last of 12."""
    labels = (np.arange(PICTURES) // 2 % 2).astype(np.uint8)
    arrays: dict[str, NDArray[Any]] = {"labels": labels}
    for name, by in (("no_dropout", rise), ("dropout", rise), ("augmented", augmented)):
        falling = 0.3 + 0.1 * np.arange(lowest)[::-1]
        rising = np.linspace(0.3, 0.3 + by, 12 - lowest + 1)[1:]
        of_label = np.exp(-np.concatenate([falling, rising]))[None, :, None]
        of_label = np.broadcast_to(of_label, (SEEDS, 12, PICTURES))
        arrays[name] = np.where(labels == 1, of_label, 1 - of_label)
        arrays[f"{name}_accuracy"] = np.full((SEEDS, 12), 0.95)
    return arrays


def test_a_head_that_gets_worse_early_overfits_and_augmentation_cures_it() -> None:
    table, curves = pretrained.heads(heads(0.4))
    row = table.set_index("way").loc["dropout"]
    assert (row["lowest_epoch"], row["epochs"]) == (3, 12)
    assert row["rise"] == pytest.approx(0.4)
    assert row["more_than_augmented"] == pytest.approx(0.4)
    assert curves["epoch"].tolist() == [*range(1, 13)]
    assert curves["dropout"].iloc[-1] == pytest.approx(0.7)
    overfits, cured = pretrained.of_heads(table)
    assert (overfits.verdict, cured.verdict) == ("holds", "holds")
    assert "after epoch 3 of 12, and then rises by +0.400" in overfits.measured


def test_a_head_that_gets_worse_late_does_not_overfit_at_once() -> None:
    table, _ = pretrained.heads(heads(0.4, augmented=0.4, lowest=8))
    overfits, cured = pretrained.of_heads(table)
    assert (overfits.verdict, cured.verdict) == ("holds partly", "cannot be told")


def fine_tuned(fresh: float, fast: float) -> dict[str, NDArray[Any]]:
    rates = {"frozen": 0.8, "trained_head": 0.9, "untrained_head": fresh, "large_rate": fast}
    arrays: dict[str, NDArray[Any]] = {f"{name}_right": right(r) for name, r in rates.items()}
    moved = {"trained_head": 0.01, "untrained_head": 0.02, "large_rate": 0.5}
    return arrays | {f"{name}_moved": np.full(SEEDS, share) for name, share in moved.items()}


def test_fine_tuning_is_compared_with_that_of_a_trained_head() -> None:
    table = pretrained.fine_tuning(fine_tuned(0.85, 0.5))
    assert table["trained_head_is_better"].tolist() == pytest.approx([0.1, 0, 0.05, 0.4])
    first, low = pretrained.of_fine_tuning(table)
    assert (first.verdict, low.verdict) == ("holds", "holds")
    assert "by 1.00 % of its length after, by 2.00 % before" in first.measured
    first, low = pretrained.of_fine_tuning(pretrained.fine_tuning(fine_tuned(0.95, 0.9)))
    assert (first.verdict, low.verdict) == ("does not hold", "cannot be told")


@pytest.mark.parametrize(
    ("share", "verdict"), [(0.6, "holds"), (0.25, "cannot be told"), (0.1, "does not hold")]
)
def test_heat_is_compared_with_the_corners_area(share: float, verdict: str) -> None:
    names = [f"{n}_{m}" for n in ("frozen", "trained_head") for m in pretrained.METHODS]
    table = pretrained.heat({name: np.full((SEEDS, 50), share) for name in names})
    assert table["over_chance"].tolist() == pytest.approx([share - 0.25] * 4)
    (claim,) = pretrained.of_heat(table)
    assert claim.verdict == verdict
    assert f"{100 * share:.0f} %" in claim.measured


def unfrozen(*rates: float) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    for number, (name, rate) in enumerate(zip(pretrained.UNFROZEN, rates, strict=True)):
        arrays[f"{name}_right"] = right(rate)
        arrays[f"{name}_seconds"] = np.full(SEEDS, 10.0 * number)
        arrays[f"{name}_parameters"] = np.full(SEEDS, 1000 * number)
    return arrays


def test_returns_fall_where_every_gain_is_less_than_the_one_before() -> None:
    table = pretrained.unfreezing(unfrozen(0.5, 0.8, 0.9, 0.92, 0.8))
    assert table["gain"].tolist()[1:] == pytest.approx([0.3, 0.1, 0.02, -0.12])
    assert table["falls"].tolist()[2:] == pytest.approx([0.2, 0.08, 0.14])
    assert table["parameters"].tolist() == [0, 1000, 2000, 3000, 4000]
    (claim,) = pretrained.of_unfreezing(table)
    assert claim.verdict == "holds"
    assert "Seconds rise from 10 to 40." in claim.measured
    (claim,) = pretrained.of_unfreezing(pretrained.unfreezing(unfrozen(0.5, 0.52, 0.6, 0.75, 1)))
    assert claim.verdict == "does not hold"


def test_amounts_compare_augmentation_new_pictures_and_the_head() -> None:
    rates = {
        "as_they_are": (0.6, 0.8),
        "augmented": (0.7, 0.85),
        "head": (0.95, 0.96),
    }
    arrays = {
        f"{way}_{count}": right(rate)
        for way, pair in rates.items()
        for count, rate in zip((500, 1000), pair, strict=True)
    }
    table = pretrained.amounts(arrays)
    assert table["train_pictures"].tolist() == [500, 1000]
    assert table["augmentation"].tolist() == pytest.approx([0.1, 0.05])
    assert table["new_pictures"].tolist()[0] == pytest.approx(0.1)
    assert table["head_on_fewest"].tolist() == pytest.approx([0.25, 0.1])
    helps, new, few = pretrained.of_amounts(table)
    assert (helps.verdict, new.verdict, few.verdict) == ("holds", "holds", "holds")
    assert "+10.0 points" in new.measured
    assert "The head on 500 pictures reads 95.0 %" in few.measured
