"""Tables in Markdown, and how figures stand in them."""

from collections.abc import Iterable, Sequence

from benchmarks.spread import Spread
from ladder import base_names

Row = Sequence[str]


def table(header: Row, rows: Iterable[Row]) -> str:
    """Returns a table in Markdown. All columns but the first are set right."""
    rule = [":--", *("--:" for _ in header[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rule, *rows)) + "\n"


def text(value: Spread | None, digits: int = 1) -> str:
    """Returns a median, with its range if it has one; "" for None."""
    if value is None:
        return ""
    if value.low == value.high:
        return f"{value.median:,.{digits}f}"
    return f"{value.median:,.{digits}f} ({value.low:,.{digits}f} – {value.high:,.{digits}f})"


def megabytes(byte_count: float) -> str:
    """Returns bytes as MB, a million bytes."""
    return f"{byte_count / 1e6:,.0f}"


def title(base: str, image_size: int) -> str:
    """Returns the name of a base and the size of its pictures."""
    return f"{base_names.BASES[base].title} at {image_size} pixels"
