"""The claims on a pretrained base, and on how many pictures there are: tables over seeds."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ladder.claims import verdicts
from ladder.experiments import plan
from ladder.page import grids

Arrays = Mapping[str, NDArray[Any]]
BLOCKS, UNFROZEN = plan.BLOCK_NAMES, tuple(plan.FIRST_LAYERS)
HEADS = ("no_dropout", "dropout", "augmented")
FINE_TUNED = ("frozen", "trained_head", "untrained_head", "large_rate")
AMOUNTS = ("as_they_are", "augmented", "head")
CORNER = 0.25  # of a picture
EARLY = 1 / 3  # of the epochs: a head that is best before overfits "almost at once"


def difference(
    one: NDArray[Any], other: NDArray[Any], name: str, width: float = 1
) -> dict[str, float]:
    """Returns <name>, <name>_low, <name>_high: those of `verdicts.difference`, named."""
    apart = verdicts.difference(one, other, width)
    return {
        name: apart["difference"],
        f"{name}_low": apart["ci_low"],
        f"{name}_high": apart["ci_high"],
    }


def widest(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Returns the largest difference that there is, and at least that of two accuracies."""
    return max(1.0, float(np.abs(one.astype(np.float64) - other).max()))


def interval(row: Mapping[Any, Any], name: str) -> verdicts.Interval:
    """Returns the interval of a difference in a row that has those of `difference`."""
    return row[f"{name}_low"], row[f"{name}_high"]


def opposite(interval: verdicts.Interval) -> verdicts.Interval:
    """Returns the interval of the difference taken the other way round."""
    return -interval[1], -interval[0]


def depth(arrays: Arrays) -> pd.DataFrame:
    """Returns a row per block of the base, from what `experiments.blocks` read.

    Columns: block; animals, digits (accuracy of a linear reading); blank, zeros (shares of channels
    and of numbers, on animals); colours (R², on animals); for each the step from the block before,
    with its interval; last_digits, by how much the last block is worse on digits, with its
    interval; and digits_validation, by which a block is chosen.
    """
    rows: list[dict[str, Any]] = []
    before: dict[str, NDArray[Any]] = {}
    last = arrays[f"digits_{BLOCKS[-1]}_right"]
    for block in BLOCKS:
        values = {name: arrays[f"{name}_{block}_right"] for name in ("animals", "digits")}
        for name in ("blank", "zeros", "colours"):
            values[name] = arrays[f"animals_{block}_{name}"][None]  # no seed: nothing is drawn
        row: dict[str, Any] = {"block": block}
        for name, each in values.items():
            row[name] = each.mean()
            if before:
                width = widest(each, before[name])
                row |= difference(each, before[name], f"{name}_step", width)
        row |= difference(values["digits"], last, "last_digits")
        rows.append(row | {"digits_validation": float(arrays[f"digits_{block}_validation"])})
        before = values
    return pd.DataFrame(rows)


def of_depth(table: pd.DataFrame) -> list[verdicts.Claim]:
    """Returns the claims on depth; `table` is that of `depth`."""
    rows = table.to_dict("records")
    first, last, steps = rows[0], rows[-1], rows[1:]
    best = max(rows, key=lambda row: row["digits_validation"])
    sparser = [interval(row, f"{name}_step") for name in ("blank", "zeros") for row in steps]
    class_and_picture = [interval(row, "animals_step") for row in steps] + [
        opposite(interval(row, "colours_step")) for row in steps
    ]
    return [
        verdicts.Claim(
            "depth",
            "5.3",
            "Earlier layers are more generic: for pictures that are unlike those of the base, take "
            "them alone.",
            f"Cats and dogs: {100 * last['animals']:.1f} % from the last block, "
            f"{_points(last, 'animals_step')} over the one before. Digits: "
            f"{100 * last['digits']:.1f} % from the last block, {100 * best['digits']:.1f} % from "
            f"{best['block']}, which validation chooses: {_points(best, 'last_digits')}.",
            verdicts.verdict([interval(last, "animals_step"), interval(best, "last_digits")]),
        ),
        verdicts.Claim(
            "depth",
            "5.4.1",
            "Activations get sparser with depth: ever more filters find nothing.",
            f"From the first block to the last, channels that are blank for a picture: "
            f"{_shares(rows, 'blank')}; numbers that are 0: {_shares(rows, 'zeros')}. A later map "
            "has fewer places, so it is blank more easily; the numbers have no such help.",
            verdicts.verdict(sparser),
        ),
        verdicts.Claim(
            "depth",
            "5.4.1",
            "Deeper layers tell less of the picture, and more of its class.",
            f"From the first block to the last, the share of the picture's colours that can be "
            f"read goes from {100 * first['colours']:.0f} to {100 * last['colours']:.0f} %, the "
            f"share of right classes from {100 * first['animals']:.1f} to "
            f"{100 * last['animals']:.1f} %.",
            verdicts.verdict(class_and_picture),
        ),
    ]


def heads(arrays: Arrays) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns a row per way to train the head, and a row per epoch with the loss of each way.

    Columns of the first: way, epochs, lowest_epoch (from 1, of the mean validation loss),
    first_epoch and last_epoch (the lowest of each seed: the earliest, the latest), rise (from
    lowest_epoch to the end), accuracy (on what was trained on, last epoch), validation_accuracy,
    more_than_augmented (the rise less that with augmentation); differences have their intervals.
    The epoch is found on every other picture of a class, the rise measured on the rest, so that no
    chance of the choice is in it.
    """
    labels = arrays["labels"].astype(bool)
    losses = {name: _losses(arrays[name], labels) for name in HEADS}
    chosen_on = _every_other(labels)
    halves = {n: (each[..., chosen_on], each[..., ~chosen_on]) for n, each in losses.items()}
    rises = {name: _rise(*each) for name, each in halves.items()}
    rows = []
    for name, (epoch, last, lowest) in rises.items():
        by_seed = halves[name][0].mean(axis=2).argmin(axis=1)
        row = {
            "way": name,
            "epochs": losses[name].shape[1],
            "lowest_epoch": epoch + 1,
            "first_epoch": int(by_seed.min()) + 1,
            "last_epoch": int(by_seed.max()) + 1,
            **difference(last, lowest, "rise", widest(last, lowest)),
            "accuracy": float(arrays[f"{name}_accuracy"][:, -1].mean()),
            "validation_accuracy": float(((arrays[name][:, -1] > 0.5) == labels).mean()),
        }
        values, of_augmented = last - lowest, rises["augmented"][1] - rises["augmented"][2]
        width = widest(values, of_augmented)
        rows.append(row | difference(values, of_augmented, "more_than_augmented", width))
    epochs = np.arange(1, losses[HEADS[0]].shape[1] + 1)
    curves = {name: each.mean(axis=(0, 2)) for name, each in losses.items()}
    return pd.DataFrame(rows), pd.DataFrame({"epoch": epochs, **curves})


def _every_other(labels: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Returns which pictures are the first, third, fifth … of their class (n,)."""
    place = np.where(labels, np.cumsum(labels), np.cumsum(~labels))
    is_odd: NDArray[np.bool_] = place % 2 == 1
    return is_odd


def _losses(probabilities: NDArray[Any], labels: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Returns the crossentropy of each prediction (seeds, epochs, pictures)."""
    of_label = np.where(labels, probabilities, 1 - probabilities).astype(np.float64)
    losses: NDArray[np.float64] = -np.log(of_label.clip(1e-7))  # as Keras
    return losses


def _rise(
    chosen_on: NDArray[np.float64], measured_on: NDArray[np.float64]
) -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
    """Returns the epoch of the lowest loss, from 0, and the last and lowest losses (seeds, n)."""
    epoch = int(chosen_on.mean(axis=(0, 2)).argmin())
    return epoch, measured_on[:, -1], measured_on[:, epoch]


def of_heads(table: pd.DataFrame) -> list[verdicts.Claim]:
    """Returns the claims on the head; `table` is the first of `heads`.

    A head overfits if its loss rises; almost at once, if with every seed its lowest loss is within
    the first third of the epochs.
    """
    rows = {str(row["way"]): row for row in table.to_dict("records")}
    head = rows["dropout"]
    overfits = verdicts.verdict([interval(head, "rise")])
    is_early = head["last_epoch"] <= EARLY * head["epochs"]
    return [
        verdicts.Claim(
            "heads",
            "5.3.1",
            "A head on stored features overfits almost at once, despite dropout.",
            f"Its validation loss is lowest after {_epochs(head)} of {head['epochs']}; from there "
            f"to the end it changes by {loss(head, 'rise')}. In the end "
            f"{100 * head['accuracy']:.1f} % of what it trains on is right and "
            f"{100 * head['validation_accuracy']:.1f} % of validation. Without dropout the lowest "
            f"is after {_epochs(rows['no_dropout'])}.",
            "holds partly" if overfits == "holds" and not is_early else overfits,
        ),
        verdicts.Claim(
            "heads",
            "5.3.1",
            "It is the lack of augmentation that makes it overfit.",
            f"With augmentation the loss is lowest after {_epochs(rows['augmented'])}. The rise "
            f"without it is larger by {loss(head, 'more_than_augmented')}.",
            verdicts.verdict([interval(head, "more_than_augmented")]),
        ),
    ]


def _epochs(row: Mapping[Any, Any]) -> str:
    return f"epoch {row['lowest_epoch']} ({row['first_epoch']} to {row['last_epoch']} by seed)"


def fine_tuning(arrays: Arrays) -> pd.DataFrame:
    """Returns a row per way to fine-tune, from what `experiments.fine_tuning` measured.

    Columns: way; mean, standard_deviation, ci_low, ci_high (see `verdicts.mean_with_interval`);
    relearned (accuracy of a fresh head on the block, frozen); lost (how much less that is than with
    trained_head), with its interval; moved (how far the block went, as a share of its length).
    """
    rows = []
    for way in FINE_TUNED:
        is_frozen = way == "frozen"
        right = arrays[f"{way}_right"]
        relearned = right if is_frozen else arrays[f"{way}_relearned"]
        rows.append(
            {
                "way": way,
                **verdicts.mean_with_interval(right),
                "relearned": float(relearned.mean()),
                **difference(arrays["trained_head_relearned"], relearned, "lost"),
                "moved": 0.0 if is_frozen else float(arrays[f"{way}_moved"].mean()),
            }
        )
    return pd.DataFrame(rows)


def of_fine_tuning(table: pd.DataFrame) -> list[verdicts.Claim]:
    """Returns the claims on fine-tuning; `table` is that of `fine_tuning`."""
    rows = {str(row["way"]): row for row in table.to_dict("records")}
    trained, fresh, fast = (rows[way] for way in FINE_TUNED[1:])
    return [
        verdicts.Claim(
            "fine_tuning",
            "5.3.2",
            "Fine-tune after the head was trained: before, its large errors destroy what the base "
            "has learned.",
            f"What the block still knows, read by a fresh head: {_relearned(trained)} after a "
            f"trained head, {_relearned(fresh)} after a fresh one, {_points(fresh, 'lost')} less. "
            f"As it stands the network is right on {_mean(trained)} and {_mean(fresh)}.",
            verdicts.verdict([interval(fresh, "lost")]),
        ),
        verdicts.Claim(
            "fine_tuning",
            "5.3.2",
            "Fine-tune with a very low rate: large steps harm what the base has learned.",
            f"What the block still knows: {_relearned(trained)} after the low rate, "
            f"{_relearned(fast)} after the large one, {_points(fast, 'lost')} less. It moved by "
            f"{100 * trained['moved']:.2f} and {100 * fast['moved']:.0f} % of its length.",
            verdicts.verdict([interval(fast, "lost")]),
        ),
    ]


def _relearned(row: Mapping[Any, Any]) -> str:
    return f"{100 * row['relearned']:.1f} %"


def heat(arrays: Arrays) -> pd.DataFrame:
    """Returns a row per network and method: how much of the heat is in a corner with an animal.

    Columns: network, method; share (of the map for that animal's class), other_share (of the map
    for the other class, which the whole picture is of); more, the difference, and over_chance, the
    share less the corner's area; both with their intervals.
    """
    rows = []
    for network in ("frozen", "trained_head"):
        for method in grids.METHODS:
            own, other = (arrays[f"{network}_{method}_{of}"] for of in ("corner", "whole"))
            rows.append(
                {
                    "network": network,
                    "method": method,
                    "share": float(own.mean()),
                    "other_share": float(other.mean()),
                    **difference(own, other, "more"),
                    **difference(own, np.full_like(own, CORNER), "over_chance"),
                }
            )
    return pd.DataFrame(rows)


def of_heat(table: pd.DataFrame) -> list[verdicts.Claim]:
    """Returns the claim on heatmaps; `table` is that of `heat`."""
    rows = table.to_dict("records")
    return [
        verdicts.Claim(
            "heat",
            "5.4.3",
            "A map of class activation shows where the class is in the picture.",
            "Each picture has one of the other class in a corner, a quarter of its area. The map "
            f"for the class of the corner has {_span(rows, 'share')} of its heat there, by network "
            f"and method; the map for the other class {_span(rows, 'other_share')}.",
            verdicts.verdict(
                interval(row, name) for row in rows for name in ("more", "over_chance")
            ),
        )
    ]


def _span(rows: Iterable[Mapping[Any, Any]], name: str) -> str:
    shares = [100 * row[name] for row in rows]
    return f"{min(shares):.0f} to {max(shares):.0f} %"


def unfreezing(arrays: Arrays) -> pd.DataFrame:
    """Returns a row per number of unfrozen blocks, from what `experiments.unfreezing` measured.

    Columns: unfrozen, those of `verdicts.mean_with_interval`, seconds, parameters, gain (over the
    row before) and falls (how much less that is than the gain before), with intervals.
    """
    rows: list[dict[str, Any]] = []
    right = [arrays[f"{name}_right"].astype(np.float64) for name in UNFROZEN]
    for number, name in enumerate(UNFROZEN):
        row: dict[str, Any] = {
            "unfrozen": name,
            **verdicts.mean_with_interval(right[number]),
            "seconds": float(arrays[f"{name}_seconds"].mean()),
            "parameters": int(arrays[f"{name}_parameters"].mean()),
        }
        if number:
            row |= difference(right[number], right[number - 1], "gain")
        if number > 1:
            gains = np.diff(right[number - 2 : number + 1], axis=0)
            row |= difference(gains[0], gains[1], "falls", 2)
        rows.append(row)
    return pd.DataFrame(rows)


def of_unfreezing(table: pd.DataFrame) -> list[verdicts.Claim]:
    """Returns the claim on unfreezing; `table` is that of `unfreezing`."""
    rows = table.to_dict("records")
    gains = ", ".join(f"{row['unfrozen']} {_points(row, 'gain')}" for row in rows[1:])
    seconds = [f"{row['seconds']:.1f}" for row in (rows[1], rows[-1])]
    return [
        verdicts.Claim(
            "unfreezing",
            "5.3.2",
            "To unfreeze the last block helps; to unfreeze more brings ever less.",
            f"Each over the one before: {gains}. Seconds of an epoch: {seconds[0]} with one block, "
            f"{seconds[1]} with all.",
            verdicts.verdict(
                [interval(rows[1], "gain"), *(interval(row, "falls") for row in rows[2:])]
            ),
        )
    ]


def amounts(arrays: Arrays) -> pd.DataFrame:
    """Returns a row per number of train pictures, from what `experiments.amounts` measured.

    Columns: train_pictures; as_they_are, augmented, head (mean test accuracies), each with its
    deviation over seeds; augmentation (its gain), new_pictures (what as many pictures as the row
    below has bring over augmentation) and head_on_fewest (what the head on the fewest pictures
    brings over augmentation here), with intervals.
    """
    counts = sorted({int(name.rpartition("_")[2]) for name in arrays})
    rows = []
    for count, more in zip(counts, [*counts[1:], None], strict=True):
        right = {way: arrays[f"{way}_{count}"] for way in AMOUNTS}
        augmented = right["augmented"]
        row: dict[str, Any] = {"train_pictures": count}
        for way, each in right.items():
            row |= {way: each.mean(), f"{way}_deviation": each.mean(axis=1).std(ddof=1)}
        row |= difference(augmented, right["as_they_are"], "augmentation")
        if more:
            row |= difference(arrays[f"as_they_are_{more}"], augmented, "new_pictures")
        rows.append(row | difference(arrays[f"head_{counts[0]}"], augmented, "head_on_fewest"))
    return pd.DataFrame(rows)


def of_amounts(table: pd.DataFrame) -> list[verdicts.Claim]:
    """Returns the claims on how many pictures there are; `table` is that of `amounts`."""
    rows = table.to_dict("records")
    fewest, most = rows[0], rows[-1]
    return [
        verdicts.Claim(
            "amounts",
            "5.2.5",
            "Augmentation mitigates overfitting where there are few pictures.",
            _each(rows, "augmentation", "Test accuracy with augmentation, over without it: "),
            verdicts.verdict([interval(fewest, "augmentation")]),
        ),
        verdicts.Claim(
            "amounts",
            "5.2.5",
            "Augmentation only mixes what there is again: new pictures would bring more.",
            _each(
                rows[:-1],
                "new_pictures",
                "The next number of pictures without augmentation, over augmentation: ",
            ),
            verdicts.verdict(interval(row, "new_pictures") for row in rows[:-1]),
        ),
        verdicts.Claim(
            "amounts",
            "5.3",
            "A pretrained base makes do with few pictures.",
            f"The head on {fewest['train_pictures']:,} pictures reads "
            f"{100 * fewest['head']:.1f} %, the convnet with augmentation on "
            f"{most['train_pictures']:,} {100 * most['augmented']:.1f} %. The difference is "
            f"{_points(most, 'head_on_fewest')}.",
            verdicts.verdict([interval(most, "head_on_fewest")]),
        ),
    ]


def _each(rows: Sequence[Mapping[Any, Any]], name: str, start: str) -> str:
    parts = (f"{_points(row, name)} with {row['train_pictures']:,} pictures" for row in rows)
    return f"{start}{', '.join(parts)}."


def _shares(rows: Iterable[Mapping[Any, Any]], name: str) -> str:
    return ", ".join(f"{100 * row[name]:.1f}" for row in rows) + " %"


def _mean(row: Mapping[Any, Any]) -> str:
    return f"{100 * row['mean']:.1f} ± {100 * row['standard_deviation']:.1f} %"


def _points(row: Mapping[Any, Any], name: str) -> str:
    """Returns a difference of accuracies in points, with its interval."""
    low, high = (100 * end for end in interval(row, name))
    return f"{100 * row[name]:+.1f} points ({low:+.1f} to {high:+.1f})"


def loss(row: Mapping[Any, Any], name: str) -> str:
    """Returns a difference of losses, with its interval."""
    low, high = interval(row, name)
    return f"{row[name]:+.3f} ({low:+.3f} to {high:+.3f})"
