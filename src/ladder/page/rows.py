"""The rows of the page's tables, as text: accuracies and other shares in per cent."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ladder import paths, rungs
from ladder.evidence import evaluation, selection
from ladder.page import sentences
from ladder.pictures import manifests

FEW_COLUMNS = 6  # classes side by side in a table
MANY, WORST = 20, 10  # classes: of more, those of the lowest recall stand first
NOTHING = "–"


def ladder(
    table: pd.DataFrame, paired: pd.DataFrame, predictions: Mapping[rungs.Rung, pd.DataFrame]
) -> list[dict[str, str]]:
    """Returns the rows of the ladder's table."""
    neighbours = paired[paired["family"] == "neighbours"].set_index("rung")
    rows, before = [], None
    for row in table.to_dict("records"):
        test = 100 * row["test_accuracy"]
        frame = selection.of_test(predictions[row["rung"]])
        step = neighbours.loc[row["rung"]] if row["rung"] in neighbours.index else None
        rows.append(
            {
                "rung": row["rung"],
                "book": "" if pd.isna(row["book"]) else f"{100 * row['book']:.0f}",
                "validation": f"{100 * row['validation_accuracy']:.1f}",
                "test": f"{test:.1f}",
                "interval": sentences.interval(row["test_ci_low"], row["test_ci_high"]),
                "balanced_accuracy": f"{100 * evaluation.balanced_accuracy(frame):.1f}",
                "macro_f1": f"{100 * evaluation.macro_f1(frame):.1f}",
                "step": "" if before is None else f"{test - before:+.1f}".replace("-", "−"),
                "p": "" if step is None else sentences.p_value(step["p_value_holm"]),
                "seconds": f"{row['seconds']:,.0f}",
                "parameters": f"{row['trainable_parameters']:,}",
            }
        )
        before = test
    return rows


def baseline(table: pd.DataFrame) -> dict[str, str]:
    """Returns the row of who always answers one class, beside those of `ladder`.

    `table` is `evaluation.baseline`.
    """
    by_subset = table.set_index("subset").to_dict("index")
    test = by_subset["test"]
    return {
        "class_name": test["class_name"],
        "validation": f"{100 * by_subset['validation']['accuracy']:.1f}",
        "test": f"{100 * test['accuracy']:.1f}",
        "interval": sentences.interval(test["accuracy_ci_low"], test["accuracy_ci_high"]),
        "balanced_accuracy": f"{100 * test['balanced_accuracy']:.1f}",
        "macro_f1": f"{100 * test['macro_f1']:.1f}",
    }


def classes(table: pd.DataFrame) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Returns the rows of one rung's classes: those that are shown, and those folded away.

    `table` is `evaluation.by_class`. Of many classes the ten of the lowest recall are shown, the
    lowest first; a class without a test picture comes last.
    """
    if len(table) <= MANY:
        return [_class(row) for row in table.to_dict("records")], []
    ordered = [_class(r) for r in table.sort_values("recall", kind="stable").to_dict("records")]
    return ordered[:WORST], ordered[WORST:]


def _class(row: Mapping[Any, Any]) -> dict[str, str]:
    has_pictures, other = row["pictures"] > 0, row["most_confused_with"]
    precision = row["precision"]
    return {
        "class_name": row["class_name"],
        "pictures": f"{row['pictures']:,}",
        "right": f"{row['right']:,}",
        "recall": f"{100 * row['recall']:.1f}" if has_pictures else NOTHING,
        "interval": sentences.interval(row["recall_low"], row["recall_high"])
        if has_pictures
        else NOTHING,
        "precision": NOTHING if pd.isna(precision) else f"{100 * precision:.1f}",
        "most_confused_with": NOTHING if pd.isna(other) or not other else other,
    }


def book(table: pd.DataFrame) -> list[dict[str, str]]:
    """Returns the rows of the table against the book."""
    return [
        {
            "rung": row["rung"],
            "book": f"{100 * row['book']:.0f}",
            "subset": row["subset"],
            "accuracy": f"{100 * row['accuracy']:.1f}",
            "interval": sentences.interval(row["ci_low"], row["ci_high"]),
            "verdict": row["verdict"],
            "notebook": row["notebook"],
        }
        for row in table.to_dict("records")
    ]


def seeds(summary: pd.DataFrame) -> list[dict[str, str]]:
    """Returns the rows of the table of means over seeds."""
    return [
        {
            "rung": row["rung"],
            "subset": row["subset"],
            "seeds": str(row["seeds"]),
            "mean": sentences.mean(row["mean"], row["standard_deviation"]),
            "interval": sentences.interval(row["ci_low"], row["ci_high"]),
        }
        for row in summary.to_dict("records")
    ]


def bases(frame: pd.DataFrame) -> list[dict[str, str]]:
    """Returns the rows of the table of bases; `frame` is `base_comparison.compare`."""
    return [
        {
            "base": row["base"],
            "image_size": str(row["image_size"]),
            "weights": row["weights"],
            "features": f"{row['features']:,}",
            "validation": f"{100 * row['validation_accuracy']:.1f}",
            "test": f"{100 * row['test_accuracy']:.1f}",
            "interval": sentences.interval(row["test_ci_low"], row["test_ci_high"]),
            "difference": sentences.to_the_best(row, is_best=place == 0),
            "pictures_per_second": sentences.rate(row["pictures_per_second"]),
            "megabytes": f"{row['megabytes']:,.0f}",
            "seconds": f"{row['seconds']:,.0f}",
        }
        for place, row in enumerate(frame.to_dict("records"))
    ]


def recipes(frame: pd.DataFrame) -> list[dict[str, str]]:
    """Returns the rows of the table of recipes compared with this climb."""
    return [
        {
            "recipe": row["recipe"],
            "rung": row["rung"],
            "compared_with": row["compared_with"],
            "accuracy": f"{100 * row['accuracy']:.1f}",
            "other_accuracy": f"{100 * row['other_accuracy']:.1f}",
            "interval": sentences.interval(row["ci_low"], row["ci_high"]),
            "apart": f"{row['recipe_right_alone']} : {row['other_right_alone']}",
            "p": sentences.p_value(row["p_value_holm"]),
        }
        for row in frame.to_dict("records")
    ]


def recipes_seeds(frame: pd.DataFrame) -> list[dict[str, str]]:
    """Returns the rows of the table of recipes compared with this climb over seeds."""
    return [
        {
            "recipe": row["recipe"],
            "rung": row["rung"],
            "seeds": str(row["seeds"]),
            "default": sentences.mean(row["default_mean"], row["default_standard_deviation"]),
            "mean": sentences.mean(row["mean"], row["standard_deviation"]),
            "difference": f"{100 * row['difference']:+.1f}",
            "interval": sentences.difference(row["ci_low"], row["ci_high"]),
        }
        for row in frame.to_dict("records")
    ]


def counts(manifest: pd.DataFrame) -> list[list[str]]:
    """Returns the pictures of every class and subset as a table's rows, the first its head.

    A row is a subset, or where there are many classes a class.
    """
    names = manifests.class_names(manifest)
    number = manifest.groupby(["subset", "class_name"]).size().to_dict()
    by_subset = [["subset", *names]] + [
        [subset, *(f"{number.get((subset, name), 0)}" for name in names)]
        for subset in paths.SUBSETS
    ]
    if len(names) <= FEW_COLUMNS:
        return by_subset
    _, *by_class = ([*row] for row in zip(*by_subset, strict=True))
    return [["class", *paths.SUBSETS], *by_class]
