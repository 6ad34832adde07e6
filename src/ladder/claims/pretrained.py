"""The claims on a pretrained base, and on how many pictures there are: tables over seeds."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ladder.claims import verdicts
from ladder.evidence import studies

Arrays = Mapping[str, NDArray[Any]]
BLOCKS = tuple(f"block{number}_pool" for number in range(1, 6))
HEADS = ("no_dropout", "dropout", "augmented")
FINE_TUNED = ("frozen", "trained_head", "untrained_head", "large_rate")
UNFROZEN = ("head", "block5", "blocks4_5", "blocks3_5", "all")
AMOUNTS = ("as_they_are", "augmented", "head")
METHODS = ("grad_cam", "grad_cam_plus_plus")
CORNER = 0.25  # of a picture


def apart(one: NDArray[Any], other: NDArray[Any], name: str, width: float = 1) -> dict[str, float]:
    """Returns <name>, <name>_low, <name>_high: the mean difference of values (seeds, pictures).

    With the two-level interval; a difference is at most `width`.
    """
    values = one.astype(np.float64) - other
    low, high = studies.two_level_interval(values, (-width, width), seed=0)
    return {name: float(values.mean()), f"{name}_low": low, f"{name}_high": high}


def widest(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Returns the largest difference that there is, and at least that of two accuracies."""
    return max(1.0, float(np.abs(one.astype(np.float64) - other).max()))


def interval(row: Mapping[Any, Any], name: str) -> verdicts.Interval:
    """Returns the interval of a difference in a row that has those of `apart`."""
    return row[f"{name}_low"], row[f"{name}_high"]


def opposite(interval: verdicts.Interval) -> verdicts.Interval:
    """Returns the interval of the difference taken the other way round."""
    return -interval[1], -interval[0]


def depth(arrays: Arrays) -> pd.DataFrame:
    """Returns a row per block of the base, from what `experiments.blocks` read.

    Columns: block; animals, digits (accuracy of a linear reading); blank, zeros (shares of channels
    and of numbers, on animals); colours (R², on animals); for each but zeros the step from the
    block before, with its interval; and last_digits, by how much the last block is worse on digits.
    """
    rows: list[dict[str, Any]] = []
    before: dict[str, NDArray[Any]] = {}
    last = arrays[f"digits_{BLOCKS[-1]}_right"]
    for block in BLOCKS:
        values = {
            "animals": arrays[f"animals_{block}_right"],
            "digits": arrays[f"digits_{block}_right"],
            "blank": arrays[f"animals_{block}_blank"][None],  # no seed: nothing is trained
            "colours": arrays[f"animals_{block}_colours"][None],
        }
        row: dict[str, Any] = {"block": block, "zeros": arrays[f"animals_{block}_zeros"].mean()}
        for name, each in values.items():
            row[name] = each.mean()
            if before:
                row |= apart(each, before[name], f"{name}_step", widest(each, before[name]))
        rows.append(row | apart(values["digits"], last, "last_digits"))
        before = values
    return pd.DataFrame(rows)


def of_depth(table: pd.DataFrame) -> list[verdicts.Claim]:
    """Returns the claims on depth; `table` is that of `depth`."""
    rows = table.to_dict("records")
    first, last, steps = rows[0], rows[-1], rows[1:]
    best = max(rows, key=lambda row: row["digits"])
    sparser = [interval(row, "blank_step") for row in steps]
    class_and_picture = [interval(row, "animals_step") for row in steps] + [
        opposite(interval(row, "colours_step")) for row in steps
    ]
    return [
        verdicts.Claim(
            "depth",
            "5.3",
            "Earlier layers are more generic: for pictures that are unlike those of the base, take "
            "them alone.",
            f"Cats and dogs are read best from {_best(rows, 'animals')}, digits from "
            f"{_best(rows, 'digits')}: {_points(best, 'last_digits')} better than from the last.",
            verdicts.verdict([interval(last, "animals_step"), interval(best, "last_digits")]),
        ),
        verdicts.Claim(
            "depth",
            "5.4.1",
            "Activations get sparser with depth: ever more filters find nothing.",
            f"Channels that are blank for a picture: {_shares(rows, 'blank')}. Numbers that are 0: "
            f"{_shares(rows, 'zeros')}.",
            verdicts.verdict(sparser),
        ),
        verdicts.Claim(
            "depth",
            "5.4.1",
            "Deeper layers tell less of the picture, and more of its class.",
            f"From the first block to the last, the share of its colours that can be read falls "
            f"from {100 * first['colours']:.0f} to {100 * last['colours']:.0f} %, and the classes "
            f"that are right rise from {100 * first['animals']:.1f} to "
            f"{100 * last['animals']:.1f} %.",
            verdicts.verdict(class_and_picture),
        ),
    ]


def heads(arrays: Arrays) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns a row per way to train the head, and a row per epoch with the loss of each way.

    Columns of the first: way, epochs, lowest_epoch (from 1, of the mean validation loss), rise
    (from there to the last epoch, with its interval), accuracy (on what was trained on, last
    epoch), validation_accuracy, rise_with_augmentation_is_less. The epoch is found on every other
    picture, the rise measured on the rest, so that no chance of the choice is in it.
    """
    labels = arrays["labels"].astype(bool)
    losses = {name: _losses(arrays[name], labels) for name in HEADS}
    rises = {name: _rise(each) for name, each in losses.items()}
    rows = []
    for name, (epoch, last, lowest) in rises.items():
        values = last - lowest
        row = {
            "way": name,
            "epochs": losses[name].shape[1],
            "lowest_epoch": epoch + 1,
            **apart(last, lowest, "rise", widest(last, lowest)),
            "accuracy": float(arrays[f"{name}_accuracy"][:, -1].mean()),
            "validation_accuracy": float(((arrays[name][:, -1] > 0.5) == labels).mean()),
        }
        of_augmented = rises["augmented"][1] - rises["augmented"][2]
        width = widest(values, of_augmented)
        rows.append(row | apart(values, of_augmented, "more_than_augmented", width))
    epochs = np.arange(1, losses[HEADS[0]].shape[1] + 1)
    curves = {name: each.mean(axis=(0, 2)) for name, each in losses.items()}
    return pd.DataFrame(rows), pd.DataFrame({"epoch": epochs, **curves})


def _losses(probabilities: NDArray[Any], labels: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Returns the crossentropy of each prediction (seeds, epochs, pictures)."""
    of_label = np.where(labels, probabilities, 1 - probabilities).astype(np.float64)
    losses: NDArray[np.float64] = -np.log(of_label.clip(1e-7))  # as Keras
    return losses


def _rise(losses: NDArray[np.float64]) -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
    """Returns the epoch of the lowest loss, from 0, and the last and lowest losses (seeds, n)."""
    chosen_on, measured_on = losses[..., ::2], losses[..., 1::2]
    epoch = int(chosen_on.mean(axis=(0, 2)).argmin())
    return epoch, measured_on[:, -1], measured_on[:, epoch]


def of_heads(table: pd.DataFrame) -> list[verdicts.Claim]:
    """Returns the claims on the head; `table` is the first of `heads`."""
    rows = {str(row["way"]): row for row in table.to_dict("records")}
    with_dropout, augmented = rows["dropout"], rows["augmented"]
    early = with_dropout["lowest_epoch"] <= with_dropout["epochs"] / 3
    rises = verdicts.verdict([interval(with_dropout, "rise")])
    return [
        verdicts.Claim(
            "heads",
            "5.3.1",
            "A head on stored features overfits almost at once, despite dropout.",
            f"Its validation loss is lowest after epoch {with_dropout['lowest_epoch']} of "
            f"{with_dropout['epochs']}, and then rises by {_loss(with_dropout, 'rise')}. In the "
            f"end {100 * with_dropout['accuracy']:.1f} % of what it trains on is right and "
            f"{100 * with_dropout['validation_accuracy']:.1f} % of validation. Without dropout "
            f"the lowest is after epoch {rows['no_dropout']['lowest_epoch']}.",
            verdicts.both(rises, "holds" if early else "does not hold"),
        ),
        verdicts.Claim(
            "heads",
            "5.3.1",
            "It is the lack of augmentation that makes it overfit.",
            f"With augmentation the loss is lowest after epoch {augmented['lowest_epoch']}; "
            f"without, it rises by {_loss(with_dropout, 'more_than_augmented')} more.",
            verdicts.verdict([interval(with_dropout, "more_than_augmented")]),
        ),
    ]


def fine_tuning(arrays: Arrays) -> pd.DataFrame:
    """Returns a row per way to fine-tune, from what `experiments.fine_tuning` measured.

    Columns: way, those of `verdicts.mean_with_interval`, trained_head_is_better with its interval,
    and moved (how far the last block went, as a share of its length).
    """
    best = arrays["trained_head_right"]
    rows = [
        {
            "way": name,
            **verdicts.mean_with_interval(arrays[f"{name}_right"]),
            **apart(best, arrays[f"{name}_right"], "trained_head_is_better"),
            "moved": float(arrays[f"{name}_moved"].mean()) if name != "frozen" else 0.0,
        }
        for name in FINE_TUNED
    ]
    return pd.DataFrame(rows)


def of_fine_tuning(table: pd.DataFrame) -> list[verdicts.Claim]:
    """Returns the claims on fine-tuning; `table` is that of `fine_tuning`."""
    rows = {str(row["way"]): row for row in table.to_dict("records")}
    trained, fresh, fast = (rows[f"{name}"] for name in FINE_TUNED[1:])
    name = "trained_head_is_better"
    return [
        verdicts.Claim(
            "fine_tuning",
            "5.3.2",
            "Fine-tune after the head was trained: before, its large errors destroy what the base "
            "has learned.",
            f"After it: {_mean(trained)}; before it: {_mean(fresh)}; the former is better by "
            f"{_points(fresh, name)}. The block moved by {100 * trained['moved']:.2f} % of its "
            f"length after, by {100 * fresh['moved']:.2f} % before.",
            verdicts.verdict([interval(fresh, name)]),
        ),
        verdicts.Claim(
            "fine_tuning",
            "5.3.2",
            "Fine-tune with a very low rate: large steps harm what the base has learned.",
            f"With the large rate {_mean(fast)}: the low one is better by {_points(fast, name)}. "
            f"The block moved by {100 * fast['moved']:.1f} % of its length.",
            verdicts.verdict([interval(fast, name)]),
        ),
    ]


def heat(arrays: Arrays) -> pd.DataFrame:
    """Returns a row per network and method: the share of heat in a corner that holds the animal.

    Columns: network, method, share, over_chance with its interval; chance is the corner's area.
    """
    rows = []
    for network in ("frozen", "trained_head"):
        for method in METHODS:
            shares = arrays[f"{network}_{method}"]
            row: dict[str, Any] = {
                "network": network,
                "method": method,
                "share": float(shares.mean()),
            }
            rows.append(row | apart(shares, np.full_like(shares, CORNER), "over_chance"))
    return pd.DataFrame(rows)


def of_heat(table: pd.DataFrame) -> list[verdicts.Claim]:
    """Returns the claim on heatmaps; `table` is that of `heat`."""
    rows = table.to_dict("records")
    shares = ", ".join(f"{100 * row['share']:.0f} %" for row in rows)
    return [
        verdicts.Claim(
            "heat",
            "5.4.3",
            "A map of class activation shows where the class is in the picture.",
            f"Of pictures with one of the other class in a corner, a quarter of the area, that "
            f"corner has {shares} of the heat for its class.",
            verdicts.verdict(interval(row, "over_chance") for row in rows),
        )
    ]


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
            row |= apart(right[number], right[number - 1], "gain")
        if number > 1:
            gains = np.diff(right[number - 2 : number + 1], axis=0)
            row |= apart(gains[0], gains[1], "falls", 2)
        rows.append(row)
    return pd.DataFrame(rows)


def of_unfreezing(table: pd.DataFrame) -> list[verdicts.Claim]:
    """Returns the claim on unfreezing; `table` is that of `unfreezing`."""
    rows = table.to_dict("records")
    gains = ", ".join(f"{row['unfrozen']} {_points(row, 'gain')}" for row in rows[1:])
    seconds = [f"{row['seconds']:.0f}" for row in (rows[1], rows[-1])]
    return [
        verdicts.Claim(
            "unfreezing",
            "5.3.2",
            "To unfreeze more blocks brings ever less, and costs more.",
            f"Each over the one before: {gains}. Seconds rise from {seconds[0]} to {seconds[1]}.",
            verdicts.verdict(interval(row, "falls") for row in rows[2:]),
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
        row |= apart(augmented, right["as_they_are"], "augmentation")
        if more:
            row |= apart(arrays[f"as_they_are_{more}"], augmented, "new_pictures")
        rows.append(row | apart(arrays[f"head_{counts[0]}"], augmented, "head_on_fewest"))
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
            verdicts.verdict(interval(row, "augmentation") for row in rows),
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
            f"{most['train_pictures']:,} {100 * most['augmented']:.1f} %: "
            f"{_points(most, 'head_on_fewest')} more.",
            verdicts.verdict([interval(most, "head_on_fewest")]),
        ),
    ]


def _each(rows: Sequence[Mapping[Any, Any]], name: str, start: str) -> str:
    parts = (f"{_points(row, name)} with {row['train_pictures']:,} pictures" for row in rows)
    return f"{start}{', '.join(parts)}."


def _best(rows: Iterable[Mapping[Any, Any]], name: str) -> str:
    best = max(rows, key=lambda row: row[name])
    return f"{best['block']} ({100 * best[name]:.1f} %)"


def _shares(rows: Iterable[Mapping[Any, Any]], name: str) -> str:
    return ", ".join(f"{100 * row[name]:.1f}" for row in rows) + " %"


def _mean(row: Mapping[Any, Any]) -> str:
    return f"{100 * row['mean']:.1f} ± {100 * row['standard_deviation']:.1f} %"


def _points(row: Mapping[Any, Any], name: str) -> str:
    """Returns a difference of accuracies in points, with its interval."""
    low, high = (100 * end for end in interval(row, name))
    return f"{100 * row[name]:+.1f} points ({low:+.1f} to {high:+.1f})"


def _loss(row: Mapping[Any, Any], name: str) -> str:
    low, high = interval(row, name)
    return f"{row[name]:+.3f} ({low:+.3f} to {high:+.3f})"
