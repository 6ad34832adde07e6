"""The chapter's page: each claim with what was measured and whether it holds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from ladder.claims import chapter_figures, pretrained, verdicts
from ladder.page import grids, page

FOLDER = Path(__file__).parent
TITLES = {
    "digits": "Digits",
    "shifts": "Moved digits",
    "padding": "Padding and strides",
    "pooling": "Pooling",
    "amounts": "More pictures, or augmentation",
    "depth": "Depth",
    "heads": "A head on stored features",
    "fine_tuning": "Fine-tuning",
    "unfreezing": "Unfreezing more",
    "heat": "Where a network looks",
}
FIGURES = {  # what is read aloud in their place, and stands under them
    "shifts": "Accuracy by shift of the test digits, of the convnet and of the dense network. Mean "
    "over seeds and four directions. From 3 pixels on, some of the digits' light leaves the "
    "picture.",
    "pooling": "Test accuracy by what follows the first two convolutions. Mean over seeds, with "
    "its interval over seeds and pictures.",
    "amounts": "Test accuracy by number of train pictures. Mean over seeds, and their standard "
    "deviation.",
    "depth": "What a linear reading of each block of VGG16 finds, and how many of its channels and "
    "numbers are blank.",
    "heads": "Validation loss by epoch of three ways to train a head on stored features. Mean over "
    "seeds.",
    "unfreezing": "Test accuracy by what is fine-tuned. Mean over seeds, with its interval over "
    "seeds and pictures.",
}


def build(
    every: Sequence[verdicts.Claim],
    tables: Mapping[str, pd.DataFrame],
    figures: Mapping[str, Path],
    machine: Mapping[str, str],
) -> str:
    """Returns the page as HTML: figures inside, nothing from elsewhere, no script.

    `machine` is what VGG16 ran on; see `runtime.describe`.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([FOLDER, FOLDER.parent / "page"]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    return environment.get_template("chapter.html").render(
        claims=every,
        sections=[section(key, every, tables, figures) for key in TITLES],
        machine=machine,
        counts={v: sum(claim.verdict == v for claim in every) for v in verdicts.VERDICTS},
    )


def section(
    key: str,
    every: Sequence[verdicts.Claim],
    tables: Mapping[str, pd.DataFrame],
    figures: Mapping[str, Path],
) -> dict[str, Any]:
    """Returns what a section of the page shows: its claims, its table and its figure."""
    return {
        "id": key,
        "title": TITLES[key],
        "claims": [claim for claim in every if claim.key == key],
        "rows": ROWS[key](tables[key]) if key in ROWS else [],
        "figure": _figure(key, figures[key]) if key in figures else None,
    }


def _figure(key: str, path: Path) -> dict[str, Any]:
    caption = FIGURES[key]
    return {**page.image(path), "caption": caption, "alt": caption.partition(".")[0]}


def _shifts(table: pd.DataFrame) -> list[dict[str, str]]:
    return [
        {
            "shift, pixels": f"{row['pixels']:.0f}",
            "light that leaves": f"{100 * row['cut']:.1f} %",
            "convnet": f"{100 * row['convnet']:.1f} %",
            "dense network": f"{100 * row['dense']:.1f} %",
            "difference, points": f"{100 * row['difference']:+.1f}",
            "95 % interval": f"{100 * row['ci_low']:+.1f} to {100 * row['ci_high']:+.1f}",
        }
        for row in table.to_dict("records")
    ]


def _padding(table: pd.DataFrame) -> list[dict[str, str]]:
    return [
        {
            "maps before": f"{row['size']} × {row['size']}",
            "padding": row["padding"],
            "stride": str(row["strides"]),
            "in the text": f"{book} × {book}",
            "counted": f"{row['side']} × {row['side']}",
        }
        for row, book in zip(table.to_dict("records"), verdicts.SIDES, strict=True)
    ]


def _pooling(table: pd.DataFrame) -> list[dict[str, str]]:
    return [
        {
            "after a convolution": row["pooling"],
            "test accuracy": f"{100 * row['mean']:.2f} ± {100 * row['standard_deviation']:.2f} %",
            "max is better by, points": "" if row["pooling"] == "max" else _apart(row),
            "seconds": f"{row['seconds']:.0f}",
            "parameters": f"{row['parameters']:,}",
            "coefficients": f"{row['coefficients']:,}",
            "behind 512 units": f"{row['dense_512']:,}",
            "window, pixels": f"{row['window']} × {row['window']}",
        }
        for row in table.to_dict("records")
    ]


def _amounts(table: pd.DataFrame) -> list[dict[str, str]]:
    return [
        {
            "train pictures": f"{row['train_pictures']:,}",
            **{
                label: f"{100 * row[way]:.1f} ± {100 * row[f'{way}_deviation']:.1f} %"
                for way, label in chapter_figures.AMOUNTS.items()
            },
            "augmentation brings, points": points(row, "augmentation"),
            "new pictures over it, points": points(row, "new_pictures")
            if row["train_pictures"] < table["train_pictures"].max()
            else "",
        }
        for row in table.to_dict("records")
    ]


def _depth(table: pd.DataFrame) -> list[dict[str, str]]:
    names = {
        "animals": "cats and dogs",
        "digits": "digits",
        "blank": "blank channels",
        "zeros": "numbers that are 0",
        "colours": "colours",
    }
    return [
        {"block": row["block"]}
        | {
            label: f"{100 * row[name]:.1f} %"
            + (f"; {points(row, f'{name}_step')}" if number else "")
            for name, label in names.items()
        }
        for number, row in enumerate(table.to_dict("records"))
    ]


def _heads(table: pd.DataFrame) -> list[dict[str, str]]:
    return [
        {
            "head": chapter_figures.HEADS[row["way"]],
            "lowest validation loss": f"epoch {row['lowest_epoch']} of {row['epochs']}",
            "by seed": f"{row['first_epoch']} to {row['last_epoch']}",
            "rise to the last epoch": pretrained.loss(row, "rise"),
            "right in training": f"{100 * row['accuracy']:.1f} %",
            "right on validation": f"{100 * row['validation_accuracy']:.1f} %",
        }
        for row in table.to_dict("records")
    ]


def _fine_tuning(table: pd.DataFrame) -> list[dict[str, str]]:
    return [
        {
            "what": WAYS[row["way"]],
            "test accuracy": f"{100 * row['mean']:.1f} ± {100 * row['standard_deviation']:.1f} %",
            "a fresh head on the block": f"{100 * row['relearned']:.1f} %",
            "less than after a trained head, points": ""
            if row["way"] == "trained_head"
            else points(row, "lost"),
            "block moved": f"{100 * row['moved']:.2f} %",
        }
        for row in table.to_dict("records")
    ]


def _unfreezing(table: pd.DataFrame) -> list[dict[str, str]]:
    return [
        {
            "fine-tuned": row["unfrozen"].replace("_", "–"),
            "test accuracy": f"{100 * row['mean']:.1f} ± {100 * row['standard_deviation']:.1f} %",
            "over the row before, points": points(row, "gain") if number else "",
            "less than the gain before, points": points(row, "falls") if number > 1 else "",
            "seconds of an epoch": f"{row['seconds']:.1f}",
            "parameters": f"{row['parameters']:,}",
        }
        for number, row in enumerate(table.to_dict("records"))
    ]


def _heat(table: pd.DataFrame) -> list[dict[str, str]]:
    return [
        {
            "network": WAYS[row["network"]],
            "method": grids.METHODS[row["method"]],
            "heat in the corner, map of its class": f"{100 * row['share']:.0f} %",
            "map of the other class": f"{100 * row['other_share']:.0f} %",
            "difference, points": points(row, "more"),
            "over the corner's area, points": points(row, "over_chance"),
        }
        for row in table.to_dict("records")
    ]


def points(row: Mapping[Any, Any], name: str) -> str:
    """Returns a difference of shares in points, with its interval."""
    low, high = 100 * row[f"{name}_low"], 100 * row[f"{name}_high"]
    return f"{100 * row[name]:+.1f} ({low:+.1f} to {high:+.1f})"


def _apart(row: Mapping[Any, Any]) -> str:
    low, high = 100 * row["difference_ci_low"], 100 * row["difference_ci_high"]
    return f"{100 * row['max_is_better']:+.2f} ({low:+.2f} to {high:+.2f})"


WAYS = {
    "frozen": "the head alone",
    "trained_head": "the block, after the head",
    "untrained_head": "the block and a fresh head",
    "large_rate": "the block, at a large rate",
}
ROWS = {
    "shifts": _shifts,
    "padding": _padding,
    "pooling": _pooling,
    "amounts": _amounts,
    "depth": _depth,
    "heads": _heads,
    "fine_tuning": _fine_tuning,
    "unfreezing": _unfreezing,
    "heat": _heat,
}
