"""Conclusions from a ladder, as text: tables in, sentences out."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from ladder.evidence import base_comparison, comparison


def table(ladder: pd.DataFrame) -> str:
    """Returns the ladder as lines of text, accuracies in per cent with their intervals."""
    lines = [
        f"{'rung':<20}{'book':>6}{'validation':>12}{'test':>8}{'95 % interval':>16}{'seconds':>9}"
    ]
    for row in ladder.to_dict("records"):
        book = "" if pd.isna(row["book"]) else f"{100 * row['book']:.0f}"
        lines.append(
            f"{row['rung']:<20}{book:>6}{100 * row['validation_accuracy']:>12.1f}"
            f"{100 * row['test_accuracy']:>8.1f}"
            f"{interval(row['test_ci_low'], row['test_ci_high']):>16}{row['seconds']:>9.0f}"
        )
    return "\n".join(lines)


def interval(low: float, high: float) -> str:
    """Returns an interval of shares in per cent, `41.2 – 58.8`."""
    return f"{100 * low:.1f} – {100 * high:.1f}"


def mean(value: float, standard_deviation: float) -> str:
    """Returns a mean of shares with its standard deviation in per cent, `97.0 ± 0.5`."""
    return f"{100 * value:.1f} ± {100 * standard_deviation:.1f}"


def difference(low: float, high: float) -> str:
    """Returns an interval of differences of shares in points, `-0.4 to +1.3`."""
    return f"{100 * low:+.1f} to {100 * high:+.1f}"


def beside_accuracy(baseline: pd.DataFrame, rung: str, balanced_accuracy: float) -> str:
    """Returns what to read a rung's test accuracy beside, in a line.

    `baseline` is `evaluation.baseline`, or empty.
    """
    of_rung = (
        f"{rung} has a balanced accuracy, the mean of its classes' recalls, of "
        f"{100 * balanced_accuracy:.1f} %."
    )
    if baseline.empty:
        return of_rung
    test = baseline.set_index("subset").loc["test"]
    return (
        f"Always answering {test['class_name']} is right on {100 * test['accuracy']:.1f} % of test "
        f"(balanced accuracy {100 * test['balanced_accuracy']:.1f} %); {of_rung}"
    )


def steps(paired: pd.DataFrame) -> list[str]:
    """Returns a sentence per rung: whether these pictures tell it from the rung before."""
    return [_step(row) for row in paired[paired["family"] == "neighbours"].to_dict("records")]


def _step(row: Mapping[Any, Any]) -> str:
    alone, other_alone = row["rung_right_alone"], row["other_right_alone"]
    verdict, side = "is not distinguishable from", ""
    if row["distinguishable"]:
        verdict = "is distinguishable from"
        side = ", better" if alone > other_alone else ", worse"
    return (
        f"{row['rung']} {verdict} {row['other']} on these {row['pictures']:,} pictures{side}: "
        f"{alone} right where the other is wrong, {other_alone} the other way; "
        f"p {p_value(row['p_value_holm'])}; {points(row)}."
    )


def points(row: Mapping[Any, Any]) -> str:
    """Returns a difference of accuracies with its interval, `+0.3 points (-0.6 to +1.2)`."""
    return f"{100 * row['difference']:+.1f} points ({difference(row['ci_low'], row['ci_high'])})"


def p_value(value: float) -> str:
    """Returns a p-value as text: `= 0.012`, or `< 0.001`."""
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def advice(compared: pd.DataFrame, margin_points: float) -> str:
    """Returns the sentences on how far one must climb; `compared` is `comparison.good_enough`."""
    best = compared[compared["verdict"] == "best"].iloc[0]
    rung = compared.set_index("rung", drop=False).loc[comparison.advised(compared)]
    cheaper = compared[compared["seconds_alone"] < rung["seconds_alone"]]
    open_ones = cheaper[cheaper["verdict"] == "cannot tell"].sort_values("seconds_alone")
    margin, seconds = _margin(margin_points), f"{rung['seconds_alone']:,.0f} s"
    if rung["rung"] != best["rung"]:
        sentence = (
            f"{rung['rung']} is the cheapest rung that is surely less than {margin} worse than any "
            f"other: {seconds} instead of {best['seconds_alone']:,.0f} s for the best, "
            f"{best['rung']}, {points(rung.to_dict())} of test accuracy."
        )
    elif open_ones.empty:
        worse = f"every cheaper rung is surely more than {margin} worse than another"
        sentence = (
            f"{rung['rung']} is best on test, and {worse if len(cheaper) else 'it is the cheapest'}"
            f": {seconds}."
        )
    else:
        sentence = f"{rung['rung']} is best on test: {seconds}."
    return " ".join([sentence, *(_cannot_tell(row, margin) for row in _rows(open_ones.head(1)))])


def _cannot_tell(row: Mapping[Any, Any], margin: str) -> str:
    return (
        f"These {row['pictures']:,} test pictures cannot tell whether {row['rung']}, which is "
        f"cheaper ({row['seconds_alone']:,.0f} s), is less than {margin} worse than any other: "
        f"{points(row)} from the best. It would take {_pictures(row['pictures_to_tell'])}."
    )


def _pictures(count: float) -> str:
    if count > 100_000:
        return "more than 100,000"
    digits = 10 ** max(0, len(f"{count:.0f}") - 2)  # an estimate: two digits
    return f"about {math.ceil(count / digits) * digits:,}"


def _margin(points: float) -> str:
    return f"{points:g} {'point' if points == 1 else 'points'}"


def _rows(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    return frame.to_dict("records")


def against_book(book: pd.DataFrame) -> list[str]:
    """Returns a sentence per rung: whether its interval contains the book's figure."""
    place = {
        "above": "lies above the book's",
        "inside": "holds the book's",
        "below": "lies below the book's",
    }
    return [
        f"{row['rung']}: {100 * row['accuracy']:.1f} % on {row['subset']}; its interval "
        f"{interval(row['ci_low'], row['ci_high'])} {place[row['verdict']]} {100 * row['book']:.0f}"
        f" % ({row['notebook']})."
        for row in book.to_dict("records")
    ]


def gains(frame: pd.DataFrame) -> list[str]:
    """Returns a sentence per rung: whether the last step to more train pictures brought anything.

    `frame` is `studies.gains`.
    """
    last = frame.groupby("rung", sort=False).tail(1) if len(frame) else frame
    sentences = []
    for row in last.to_dict("records"):
        verdict = "no difference that these pictures show"
        if row["ci_low"] > 0:
            verdict = "more labels helped, with this seed"
        elif row["ci_high"] < 0:
            verdict = "more labels harmed, with this seed"
        sentences.append(
            f"{row['rung']}: {row['from_pictures']:,} → {row['to_pictures']:,} train pictures, "
            f"{100 * row['gain']:+.1f} points ({difference(row['ci_low'], row['ci_high'])}): "
            f"{verdict}."
        )
    return sentences


def bases_table(frame: pd.DataFrame) -> str:
    """Returns the bases as lines of text, accuracies in per cent.

    `frame` is `base_comparison.compare`.
    """
    width = max([len("base"), *frame["base"].str.len()])
    lines = [
        f"{'base':<{width}}{'pixels':>8}  {'weights':<12}{'features':>8}{'validation':>12}"
        f"{'test':>7}{'95 % interval':>15}{'points to the best':>25}{'pictures/s':>12}{'MB':>6}"
        f"{'seconds':>9}"
    ]
    for place, row in enumerate(_rows(frame)):
        lines.append(
            f"{row['base']:<{width}}{row['image_size']:>8}  {row['weights']:<12}"
            f"{row['features']:>8,}{100 * row['validation_accuracy']:>12.1f}"
            f"{100 * row['test_accuracy']:>7.1f}"
            f"{interval(row['test_ci_low'], row['test_ci_high']):>15}"
            f"{to_the_best(row, is_best=place == 0):>25}{rate(row['pictures_per_second']):>12}"
            f"{row['megabytes']:>6,.0f}{row['seconds']:>9,.0f}"
        )
    return "\n".join(lines)


def to_the_best(row: Mapping[Any, Any], *, is_best: bool) -> str:
    """Returns a base's difference of test accuracy with its interval, `+0.3 (-0.6 to +1.2)`."""
    if is_best:
        return "best"
    return f"{100 * row['difference']:+.1f} ({difference(row['ci_low'], row['ci_high'])})"


def rate(pictures_per_second: float) -> str:
    """Returns pictures a second as text, with a decimal below ten."""
    return f"{pictures_per_second:,.{0 if pictures_per_second >= 10 else 1}f}"


def bases_advice(frame: pd.DataFrame, margin_points: float) -> list[str]:
    """Returns which base is the best, and which one to take; `frame` is `base_comparison.compare`.

    Of one base alone there is nothing to say.
    """
    if len(frame) == 1:
        return []
    judged = base_comparison.with_verdicts(frame, margin_points / 100)
    best, row = _rows(judged)[0], _rows(judged)[base_comparison.advised(judged)]
    margin, faster = _margin(margin_points), rate(row["pictures_per_second"])
    if row["verdict"] == "best":
        advice = f"Take it: none that is faster is surely less than {margin} worse."
    else:
        advice = (
            f"Take {_sized(row)}, the fastest that is surely less than {margin} worse: {faster} "
            f"pictures a second instead of {rate(best['pictures_per_second'])}, {points(row)} of "
            "test accuracy."
        )
    open_ones = judged[
        (judged["verdict"] == "cannot tell")
        & (judged["pictures_per_second"] > row["pictures_per_second"])
    ].sort_values("pictures_per_second", ascending=False, kind="stable")
    return [
        f"The best is {_sized(best)}, by validation accuracy, so that no test picture chose it.",
        advice,
        *(_cannot_tell_of(each, margin) for each in _rows(open_ones.head(1))),
    ]


def _cannot_tell_of(row: Mapping[Any, Any], margin: str) -> str:
    return (
        f"These {row['pictures']:,} test pictures cannot tell whether {_sized(row)}, which is "
        f"faster ({rate(row['pictures_per_second'])} pictures a second), is less than {margin} "
        f"worse: {points(row)}. It would take {_pictures(row['pictures_to_tell'])}."
    )


def _sized(row: Mapping[Any, Any]) -> str:
    return f"{row['base']} at {row['image_size']} pixels"


def seeds(summary: pd.DataFrame) -> list[str]:
    """Returns a sentence per rung and subset: the mean over seeds, its deviation and interval.

    `summary` is `studies.summary`, by rung.
    """
    return [
        f"{row['rung']}: {mean(row['mean'], row['standard_deviation'])} % on "
        f"{row['subset']}, mean ± standard deviation of {row['seeds']} seeds; 95 % interval "
        f"{interval(row['ci_low'], row['ci_high'])}."
        for row in summary.to_dict("records")
    ]


def seeds_steps(frame: pd.DataFrame) -> list[str]:
    """Returns a sentence per rung: what it brings over the one before, over the seeds.

    `frame` is `studies.steps`.
    """
    return [
        f"{row['rung']} over {row['other']}: {points(row)} of test accuracy, over {row['seeds']} "
        "seeds."
        for row in frame.to_dict("records")
    ]


def recipes(frame: pd.DataFrame) -> list[str]:
    """Returns a sentence per recipe and rung that it changes; `frame` is `comparison.recipes`."""
    return [
        f"{row['recipe']}, {row['rung']}: {100 * row['accuracy']:.1f} % on test, "
        f"{row['compared_with']} {100 * row['other_accuracy']:.1f}; "
        f"{row['recipe_right_alone']} right where {row['compared_with']} is wrong, "
        f"{row['other_right_alone']} the other way; p {p_value(row['p_value_holm'])}."
        for row in frame.to_dict("records")
    ]


def recipes_seeds(frame: pd.DataFrame) -> list[str]:
    """Returns a sentence per recipe and rung that it changes; `frame` is `studies.differences`."""
    return [
        f"{row['recipe']}, {row['rung']}: {mean(row['mean'], row['standard_deviation'])} % on test "
        f"instead of {mean(row['default_mean'], row['default_standard_deviation'])}, over "
        f"{row['seeds']} seeds; 95 % interval of the difference "
        f"{difference(row['ci_low'], row['ci_high'])}."
        for row in frame.to_dict("records")
    ]


def control(seeds: pd.DataFrame, classes: int) -> list[str]:
    """Returns the conclusions on rungs whose train labels were shuffled.

    `seeds` is `studies.summary` over the deals, or empty.
    """
    chance = f"{100 / classes:.1f} %"
    lead = (
        "A control: train's labels were dealt out at random. No rung can learn more than chance, "
        f"{chance} on test. A network's answers are correlated, so one climb may lie further from "
        "chance than independent answers would. Read the mean over deals (make seeds)."
    )
    return [lead] + [
        f"{row['rung']}: mean over {row['seeds']} deals {100 * row['mean']:.1f} %, 95 % interval "
        f"{interval(row['ci_low'], row['ci_high'])}; chance lies "
        f"{'inside' if row['ci_low'] <= 1 / classes <= row['ci_high'] else 'outside'}."
        for row in seeds.to_dict("records")
    ]
