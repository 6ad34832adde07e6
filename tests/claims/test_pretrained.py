"""Measurements drawn so that the verdict is known."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ladder.claims import pretrained
from ladder.page import grids

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
        "zeros": [0.3, 0.5, 0.6, 0.7, 0.8],
        "validation": [0.9, 0.95, 0.97, 0.9, 0.8],  # test would choose another block
        "colours": [0.9, 0.8, 0.6, 0.4, 0.2],
        **rates,
    }
    arrays: dict[str, NDArray[Any]] = {}
    for number, block in enumerate(pretrained.BLOCKS):
        for name in ("animals", "digits"):
            arrays[f"{name}_{block}_right"] = right(values[name][number])
        for name in ("blank", "zeros", "colours"):
            arrays[f"animals_{block}_{name}"] = np.full(PICTURES, values[name][number])
        arrays[f"digits_{block}_validation"] = np.array(values["validation"][number])
    return arrays


def test_depth_has_a_row_per_block_and_three_claims() -> None:
    table = pretrained.depth(depth())
    assert table["block"].tolist() == [*pretrained.BLOCKS]
    assert table["animals"].tolist() == pytest.approx([0.6, 0.7, 0.75, 0.8, 0.9])
    assert table["animals_step"].tolist()[1:] == pytest.approx([0.1, 0.05, 0.05, 0.1])
    assert table["last_digits"].tolist() == pytest.approx([0.1, 0.17, 0.15, 0.1, 0])
    generic, sparser, abstract = pretrained.of_depth(table)
    assert (generic.verdict, sparser.verdict, abstract.verdict) == ("holds", "holds", "holds")
    assert "95.0 % from block3_pool, which validation chooses: +15.0 points" in generic.measured
    assert "0.0, 10.0, 20.0, 30.0, 50.0 %" in sparser.measured
    assert "from 90 to 20 %" in abstract.measured


def test_digits_that_the_last_block_reads_best_take_the_claim_away() -> None:
    rates = {
        "digits": [0.7, 0.8, 0.9, 0.95, 0.99],
        "validation": [0.7, 0.8, 0.9, 0.95, 0.99],
        "animals": [0.9, 0.8, 0.8, 0.7, 0.5],
    }
    table = pretrained.depth(depth(**rates, blank=[0.5, 0.4, 0.3, 0.2, 0.1]))
    generic, sparser, abstract = pretrained.of_depth(table)
    assert (generic.verdict, sparser.verdict) == ("does not hold", "holds partly")
    assert abstract.verdict == "holds partly"  # colours fall, and classes too


def heads(
    rise: float, *, augmented: float = 0.0, lowest: int = 3, of_dogs: float = 1
) -> dict[str, NDArray[Any]]:
    """Probabilities whose loss is lowest at an epoch, and then rises so much to the last of 12.

    The rise of dogs is so many times as large. Cats and dogs take turns, as in the experiment.
    """
    labels = (np.arange(PICTURES) % 2).astype(np.uint8)
    arrays: dict[str, NDArray[Any]] = {"labels": labels}
    times = np.where(labels == 1, of_dogs, 1)
    for name, by in (("no_dropout", rise), ("dropout", rise), ("augmented", augmented)):
        falling = 0.1 * np.arange(lowest)[::-1]
        rising = np.linspace(0, by, 12 - lowest + 1)[1:]
        losses = np.concatenate([falling[:, None] + 0 * times, rising[:, None] * times]) + 0.6
        of_label = np.broadcast_to(np.exp(-losses), (SEEDS, 12, PICTURES))
        arrays[name] = np.where(labels == 1, of_label, 1 - of_label)
        arrays[f"{name}_accuracy"] = np.full((SEEDS, 12), 0.95)
    return arrays


def test_a_head_that_gets_worse_early_overfits_and_augmentation_cures_it() -> None:
    table, curves = pretrained.heads(heads(0.4))
    row = table.set_index("way").loc["dropout"]
    assert (row["lowest_epoch"], row["epochs"]) == (3, 12)
    assert (row["first_epoch"], row["last_epoch"]) == (3, 3)
    assert row["rise"] == pytest.approx(0.4)
    assert row["more_than_augmented"] == pytest.approx(0.4)
    assert curves["epoch"].tolist() == [*range(1, 13)]
    assert curves["dropout"].iloc[-1] == pytest.approx(1.0)
    overfits, cured = pretrained.of_heads(table)
    assert (overfits.verdict, cured.verdict) == ("holds", "holds")
    assert "after epoch 3 (3 to 3 by seed) of 12; from there to the end it changes by +0.400" in (
        overfits.measured
    )


def test_the_epoch_is_chosen_and_the_rise_measured_on_both_classes() -> None:
    table, _ = pretrained.heads(heads(0.4, of_dogs=-0.5))
    row = table.set_index("way").loc["dropout"]
    assert row["lowest_epoch"] == 3  # of dogs alone it would be the last
    assert row["rise"] == pytest.approx(0.1)


def test_a_head_that_gets_worse_late_does_not_overfit_at_once() -> None:
    table, _ = pretrained.heads(heads(0.4, augmented=0.4, lowest=8))
    overfits, cured = pretrained.of_heads(table)
    assert (overfits.verdict, cured.verdict) == ("holds partly", "cannot be told")


def test_a_head_that_gets_better_to_the_end_does_not_overfit() -> None:
    table, _ = pretrained.heads(heads(-0.2))
    assert table.set_index("way").loc["dropout", "lowest_epoch"] == 12
    overfits, _ = pretrained.of_heads(table)
    assert overfits.verdict == "cannot be told"


def fine_tuned(fresh: float, fast: float) -> dict[str, NDArray[Any]]:
    """Answers after fine-tuning, and of a fresh head on the block with these rates."""
    rates = {"trained_head": 0.9, "untrained_head": fresh, "large_rate": fast}
    arrays: dict[str, NDArray[Any]] = {f"{way}_relearned": right(r) for way, r in rates.items()}
    arrays |= {f"{way}_right": right(0.6) for way in ("frozen", *rates)}
    moved = {"trained_head": 0.01, "untrained_head": 0.02, "large_rate": 0.5}
    return arrays | {f"{way}_moved": np.full(SEEDS, share) for way, share in moved.items()}


def test_what_a_block_still_knows_is_compared_with_that_after_a_trained_head() -> None:
    table = pretrained.fine_tuning(fine_tuned(0.85, 0.5)).set_index("way")
    assert table["relearned"].to_dict() == pytest.approx(
        {"frozen": 0.6, "trained_head": 0.9, "untrained_head": 0.85, "large_rate": 0.5}
    )
    assert table["lost"].to_dict() == pytest.approx(
        {"frozen": 0.3, "trained_head": 0, "untrained_head": 0.05, "large_rate": 0.4}
    )
    first, low = pretrained.of_fine_tuning(table.reset_index())
    assert (first.verdict, low.verdict) == ("holds", "holds")
    assert "90.0 % after a trained head, 85.0 % after a fresh one, +5.0 points" in first.measured
    assert "It moved by 1.00 and 50 % of its length." in low.measured
    first, low = pretrained.of_fine_tuning(pretrained.fine_tuning(fine_tuned(0.95, 0.9)))
    assert (first.verdict, low.verdict) == ("does not hold", "cannot be told")


@pytest.mark.parametrize(
    ("own", "other", "verdict"),
    [
        (0.6, 0.2, "holds"),
        (0.6, 0.6, "holds partly"),  # it looks there whatever the class
        (0.25, 0.25, "cannot be told"),
        (0.1, 0.4, "does not hold"),
    ],
)
def test_heat_is_compared_with_that_of_the_other_class_and_with_the_corner(
    own: float, other: float, verdict: str
) -> None:
    shares = {"corner": own, "whole": other}
    arrays = {
        f"{network}_{method}_{of}": np.full((SEEDS, 50), share)
        for network in ("frozen", "trained_head")
        for method in grids.METHODS
        for of, share in shares.items()
    }
    table = pretrained.heat(arrays)
    assert table["more"].tolist() == pytest.approx([own - other] * 4)
    assert table["over_chance"].tolist() == pytest.approx([own - 0.25] * 4)
    (claim,) = pretrained.of_heat(table)
    assert claim.verdict == verdict
    assert f"{100 * own:.0f} to {100 * own:.0f} %" in claim.measured


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
    assert "Seconds of an epoch: 10.0 with one block, 40.0 with all." in claim.measured
    (claim,) = pretrained.of_unfreezing(pretrained.unfreezing(unfrozen(0.9, 0.8, 0.8, 0.85, 1)))
    assert claim.verdict == "does not hold"
    (claim,) = pretrained.of_unfreezing(pretrained.unfreezing(unfrozen(0.9, 0.9, 0.8, 0.6, 0.3)))
    assert claim.verdict == "holds partly"  # returns that fall, of nothing


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
