"""The ladder as a person reads it, and what may be said of it."""

import argparse
import sys
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ladder import comparison, errors, paths, provenance, settings

STUDIES = (
    "seeds",
    "seeds_summary",
    "seeds_steps",
    "learning_curve",
    "learning_curve_gains",
    "recipes",
    "recipes_seeds",
)


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


def steps(paired: pd.DataFrame) -> list[str]:
    """Returns a sentence per rung: whether these pictures tell it from the rung before."""
    return [_step(row) for row in paired[paired["family"] == "neighbours"].to_dict("records")]


def _step(row: Mapping[Any, Any]) -> str:
    alone, other_alone = row["rung_right_alone"], row["other_right_alone"]
    told, side = "is not distinguishable from", ""
    if row["distinguishable"]:
        told, side = "is distinguishable from", ", better" if alone > other_alone else ", worse"
    return (
        f"{row['rung']} {told} {row['other']} on these {row['pictures']:,} pictures{side}: "
        f"{alone} right where the other is wrong, {other_alone} the other way; "
        f"p {p_value(row['p_value_holm'])}; {points(row)}."
    )


def points(row: Mapping[Any, Any]) -> str:
    """Returns a difference of accuracies with its interval, `+0.3 points (-0.6 to +1.2)`."""
    return f"{100 * row['difference']:+.1f} points ({difference(row['ci_low'], row['ci_high'])})"


def p_value(value: float) -> str:
    """Returns a p-value as text: `= 0.012`, or `< 0.001`."""
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def cheapest(paired: pd.DataFrame, ladder: pd.DataFrame) -> str:
    """Returns the rung to climb to: the cheapest that these pictures do not tell from the best.

    Its price is that of a person who wants this rung alone (`seconds_alone`).
    """
    against = paired[paired["family"] == "best"]
    as_good = [*against["other"][:1], *against.loc[~against["distinguishable"], "rung"]]
    candidates = ladder[ladder["rung"].isin(as_good)]
    return str(candidates["rung"].iloc[candidates["seconds_alone"].argmin()])


def advice(paired: pd.DataFrame, ladder: pd.DataFrame) -> str:
    """Returns the sentence on how far one must climb."""
    rung, best = cheapest(paired, ladder), paired.loc[paired["family"] == "best", "other"].iloc[0]
    seconds = ladder.set_index("rung")["seconds_alone"]
    if rung == best:
        return f"{best} is best on test, and no cheaper rung is as good: {seconds[best]:,.0f} s."
    against = paired[(paired["family"] == "best") & (paired["rung"] == rung)]
    (row,) = against.to_dict("records")
    return (
        f"{rung} is the cheapest rung that is not distinguishably worse than the best, {best}: "
        f"{seconds[rung]:,.0f} s instead of {seconds[best]:,.0f} s, {points(row)} of test accuracy."
    )


def against_book(book: pd.DataFrame) -> list[str]:
    """Returns a sentence per rung: where its interval lies beside the book's figure."""
    said = {
        "above": "lies above the book's",
        "inside": "holds the book's",
        "below": "lies below the book's",
    }
    return [
        f"{row['rung']}: {100 * row['accuracy']:.1f} % on {row['subset']}; its interval "
        f"{interval(row['ci_low'], row['ci_high'])} {said[row['verdict']]} {100 * row['book']:.0f}"
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
        told = "no difference that these pictures show"
        if row["ci_low"] > 0:
            told = "more labels helped, with this seed"
        elif row["ci_high"] < 0:
            told = "more labels harmed, with this seed"
        sentences.append(
            f"{row['rung']}: {row['from_pictures']:,} → {row['to_pictures']:,} train pictures, "
            f"{100 * row['gain']:+.1f} points ({difference(row['ci_low'], row['ci_high'])}): "
            f"{told}."
        )
    return sentences


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
        f"{row['beside']} {100 * row['beside_accuracy']:.1f}; {row['recipe_right_alone']} right "
        f"where {row['beside']} is wrong, {row['beside_right_alone']} the other way; p "
        f"{p_value(row['p_value_holm'])}."
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


def control(ladder: pd.DataFrame, seeds: pd.DataFrame, pictures: int, classes: int) -> str:
    """Returns what there is to say of rungs whose train labels were shuffled: worthless ones.

    `seeds` is `studies.summary` over the deals, or empty; test has so many pictures and classes.
    """
    low, high = comparison.chance(pictures, classes)
    outside = ladder.loc[~ladder["test_accuracy"].between(low, high), "rung"]
    said = f"outside: {', '.join(outside)}" if len(outside) else "all rungs lie inside"
    return (
        "A control: train's labels were dealt out at random. 95 % of blind answers' accuracies "
        f"lie within {interval(low, high)} %; {said}. A network's answers hang together, so that "
        "they stray further than blind ones, up or down; the mean over many deals of labels (make "
        "seeds) is that of blind ones. What had seen the true labels would lie far above."
        f"{_over_deals(seeds, 1 / classes) if len(seeds) else ''}"
    )


def _over_deals(seeds: pd.DataFrame, blind: float) -> str:
    apart = seeds.loc[~((seeds["ci_low"] <= blind) & (blind <= seeds["ci_high"])), "rung"]
    which = f"of every rung but {', '.join(apart)}" if len(apart) else "of every rung"
    return (
        f" Over {seeds['seeds'].iloc[0]} deals the 95 % interval of the mean {which} holds "
        f"{100 * blind:.1f} %."
    )


def control_of(folder: Path, ladder: pd.DataFrame, seeds: pd.DataFrame) -> str:
    """Returns `control` of a folder of reports; nothing where its labels were not shuffled."""
    params, _ = provenance.of_lock(folder / "climb.lock")
    if not params["split"]["shuffle_train_labels"]:
        return ""
    answers = pd.read_csv(folder / "predictions" / f"{paths.RUNGS[0]}.csv")
    tests = answers[answers["subset"] == "test"]
    return control(ladder, seeds, len(tests), answers["label"].nunique())


def made_studies(folder: Path, ladder: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Returns the tables of studies that were made of the climb in `folder`; the others are empty.

    A recipe's lie below the default climb's `studies`, and `folder` is either's: which of them are
    this climb's, their digests say. Those of parameters or code that have changed since are not;
    one seed alone is no study. Seeds on the subset that the book measured a rung on, where the
    pictures are its; else on test.
    """
    beside = folder / "studies"  # last, as a recipe may have the same digest
    places = [*sorted(beside.glob("*/")), beside, folder.parent / "studies" / folder.name]
    params, code = provenance.of_lock(folder / "climb.lock")
    digest = provenance.digest(params, code)
    of_all = params | {"split": params["split"] | {"train_used_per_class": None}}
    digest_of_all = provenance.digest(of_all, code)
    found = dict.fromkeys(STUDIES, pd.DataFrame())
    for made in places:
        found |= _made_in(made, digest, digest_of_all)
    if found["seeds"].empty:
        return found
    measured = ladder.dropna(subset="book")
    subsets = dict.fromkeys(paths.RUNGS, "test") | dict(
        zip(measured["rung"], measured["book_subset"], strict=True)
    )
    for table in ("seeds", "seeds_summary"):
        every = found[table]
        found[table] = every[every["subset"] == every["rung"].map(subsets)]
    return found


def _made_in(made: Path, digest: str, digest_of_all: str) -> dict[str, pd.DataFrame]:
    """Returns the tables in a folder, if there is one, that have a climb's digest.

    Those of a learning curve have the digest of a climb on all train pictures.
    """
    found: dict[str, pd.DataFrame] = {}
    if {*_digests(made / "learning_curve.csv")} == {digest_of_all}:
        found |= _read(made, "learning_curve", "learning_curve_gains")
    seeds = _digests(made / "seeds_climbs.csv")
    if len(seeds) > 1 and {*seeds} == {digest}:
        found |= _read(made, "seeds", "seeds_summary", "seeds_steps")
    for table in ("recipes", "recipes_seeds"):
        if {*_digests(made / f"{table}.csv")} == {digest}:
            found |= _read(made, table)
    return found


def _read(made: Path, *tables: str) -> dict[str, pd.DataFrame]:
    return {table: pd.read_csv(made / f"{table}.csv") for table in tables}


def _digests(table: Path) -> list[str]:
    """Returns the digests in a table; none if it is not there, or of before there were any."""
    return list(pd.read_csv(table).get("digest", [])) if table.is_file() else []


def text(folder: Path) -> str:
    """Returns the ladder of a folder of reports, with the sentences that its tables allow."""
    ladder, paired = pd.read_csv(folder / "ladder.csv"), pd.read_csv(folder / "paired.csv")
    made = made_studies(folder, ladder)
    told = control_of(folder, ladder, made["seeds_summary"])
    paragraphs = [
        [table(ladder)],
        [told] if told else [],
        [*steps(paired), advice(paired, ladder)],
        against_book(pd.read_csv(folder / "book.csv")),
        seeds(made["seeds_summary"]),
        seeds_steps(made["seeds_steps"]),
        gains(made["learning_curve_gains"]),
        recipes(made["recipes"]),
        recipes_seeds(made["recipes_seeds"]),
    ]
    return "\n\n".join("\n".join(lines) for lines in paragraphs if lines)


def main() -> None:
    """Prints the ladder in a folder of reports, by default that of params.yaml's dataset.

    With `--open`, at a terminal, its page is opened in the browser.

    Raises:
        InputError: there is none yet.
    """
    parser = argparse.ArgumentParser(description="Prints a ladder and tells where its page is.")
    parser.add_argument("folder", nargs="?", type=Path, help="of reports, such as reports/cifar10")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    given = parser.parse_args()
    folder = given.folder or paths.DatasetPaths(settings.load("dataset").dataset.source).reports
    if not (folder / "ladder.csv").exists():
        raise errors.InputError(
            str(folder), expected="ladder.csv", received="none", advice="Run `make repro` first."
        )
    print(text(folder))
    page = folder / "ladder.html"
    if page.exists():
        print(f"\n{page}")
        if given.open and sys.stdout.isatty():
            webbrowser.open(page.resolve().as_uri())


if __name__ == "__main__":
    errors.run(main)
