"""The chapter's page: each claim with what was measured and whether it holds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from ladder.claims import verdicts
from ladder.page import page

FOLDER = Path(__file__).parent
TITLES = {
    "digits": "Digits",
    "shifts": "Moved digits",
    "padding": "Padding and strides",
    "pooling": "Pooling",
}
FIGURES = {  # what is read aloud in their place, and stands under them
    "shifts": "Accuracy by shift of the test digits, of the convnet and of the dense network. Mean "
    "over seeds and four directions. From 3 pixels on, some of the digits' light leaves the "
    "picture.",
    "pooling": "Test accuracy by what follows the first two convolutions. Mean over seeds, with "
    "its interval over seeds and pictures.",
}


def build(
    every: Sequence[verdicts.Claim],
    tables: Mapping[str, pd.DataFrame],
    figures: Mapping[str, Path],
) -> str:
    """Returns the page as HTML: figures inside, nothing from elsewhere, no script."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([FOLDER, FOLDER.parent / "page"]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    return environment.get_template("chapter.html").render(
        claims=every,
        sections=[section(key, every, tables, figures) for key in TITLES],
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


def _apart(row: Mapping[Any, Any]) -> str:
    low, high = 100 * row["difference_ci_low"], 100 * row["difference_ci_high"]
    return f"{100 * row['max_is_better']:+.2f} ({low:+.2f} to {high:+.2f})"


ROWS = {"shifts": _shifts, "padding": _padding, "pooling": _pooling}
