"""Names as figures can write them: narrow enough, and in fonts that have their letters."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from pathlib import Path

import matplotlib as mpl
from matplotlib import font_manager

ELLIPSIS = "…"
FINE = 720  # pixels an inch, of which letters are measured in 64ths
LEFT_TO_RIGHT = "\u200e"  # has no width
# Fonts that have a sign for every letter, the same for all; and fonts of pictures, not of outlines.
NOT_LETTERS = re.compile("last ?resort|adobe blank|color emoji", re.IGNORECASE)
NORMAL = ("400", "normal", "regular", "book")  # weights


def names(class_names: Sequence[str], width: float, points: float) -> list[str]:
    """Returns the class names as figures write them, in order, each at most `width` inches wide.

    A name that is wider is cut in its middle; cut names that would be equal end in their label. A
    name with a letter that no installed font has becomes `class <label>`.
    """
    lines = [_one_line(name) for name in class_names]
    readable = [
        line if line and not _lacking(line) else f"class {label}"
        for label, line in enumerate(lines)
    ]
    short = [cut(line, width, points) for line in readable]
    count = Counter(short)
    return [
        _numbered(line, label, width, points) if count[text] > 1 else text
        for label, (line, text) in enumerate(zip(readable, short, strict=True))
    ]


def _numbered(line: str, label: int, width: float, points: float) -> str:
    number = f" ({label})"
    return cut(line, width - measured(number, points), points) + number


def key(class_names: Sequence[str], written: Sequence[str]) -> str:
    """Returns a sentence with the whole names of those that are written otherwise; "" for none."""
    lines = [_one_line(name) for name in class_names]
    pairs = zip(written, lines, strict=True)
    others = [f"“{text}” is “{line}”" for text, line in pairs if text != line]
    return f"In the figure {'; '.join(others)}." if others else ""


def cut(text: str, width: float, points: float) -> str:
    """Returns a line of text, without its middle if it is wider than `width` inches.

    A letter that no installed font has becomes a question mark.
    """
    lacking = _lacking(text)
    text = "".join("?" if letter in lacking else letter for letter in _one_line(text))
    whole = measured(text, points)
    if whole <= width:
        return text
    kept = min(len(text) - 1, int(len(text) * width / whole) + 1)
    while kept and measured(_without_middle(text, kept), points) > width:
        kept -= 1
    return _without_middle(text, max(0, kept))


def _without_middle(text: str, kept: int) -> str:
    """Returns so many letters of the text or fewer: no accent stands without its letter."""
    stop, start = kept - kept // 2, len(text) - kept // 2
    while stop and unicodedata.category(text[stop]).startswith("M"):
        stop -= 1
    while start < len(text) and unicodedata.category(text[start]).startswith("M"):
        start += 1
    return text[:stop].rstrip() + ELLIPSIS + text[start:].lstrip()


def before_others(name: str) -> str:
    """Returns the name with a mark if it is written from right to left.

    Without the mark a number that comes after it would be put before it.
    """
    is_from_right = any(unicodedata.bidirectional(letter) in {"R", "AL"} for letter in name)
    return f"{name}{LEFT_TO_RIGHT}" if is_from_right else name


def measured(text: str, points: float) -> float:
    """Returns the width of a line of text in inches."""
    return _measured(text, points, tuple(fonts([text])))


@lru_cache(maxsize=10_000)
def _measured(text: str, points: float, families: tuple[str, ...]) -> float:
    properties = [font_manager.FontProperties(family=[family]) for family in families]
    font = font_manager.get_font([font_manager.findfont(each) for each in properties])
    font.set_size(points, FINE)
    font.set_text(text)
    return font.get_width_height()[0] / 64 / FINE


def fonts(texts: Iterable[str]) -> list[str]:
    """Returns the families that the texts are drawn in, each for letters that those before lack."""
    families, _ = _fallbacks(frozenset("".join(texts)) - _usual())
    return [*mpl.rcParams["font.family"], *families]


def _lacking(text: str) -> frozenset[str]:
    """Returns the letters that no installed font has."""
    return _fallbacks(frozenset(text) - _usual())[1]


@cache
def _usual() -> frozenset[str]:
    """Returns the letters of the font that figures are drawn in, and what ends a line."""
    font = font_manager.get_font(font_manager.findfont(font_manager.FontProperties()))
    return frozenset("\n").union(map(chr, font.get_charmap()))


@cache
def _fallbacks(letters: frozenset[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Returns the families that have most of the letters, and the letters that none has."""
    families: list[str] = []
    if letters:
        having = {family: _having(family, letters) for family in _installed()}
        while having:
            family = max(having, key=lambda name: len(having[name] & letters))
            if not having[family] & letters:
                break
            families.append(family)
            letters -= having[family]
    return tuple(families), letters


def _installed() -> list[str]:
    """Returns the families to look in, those without serifs first."""
    own = Path(mpl.get_data_path())  # of mathematics, but for the usual one
    families = {
        font.name
        for font in font_manager.fontManager.ttflist
        if not NOT_LETTERS.search(font.name)
        and not Path(font.fname).is_relative_to(own)
        and font.style == "normal"
        and str(font.weight) in NORMAL
    }
    return sorted(families, key=lambda name: ("Sans" not in name, name))


def _having(family: str, letters: frozenset[str]) -> frozenset[str]:
    properties = font_manager.FontProperties(family=[family])
    try:
        path = font_manager.findfont(properties, fallback_to_default=False)
        codes = font_manager.get_font(path).get_charmap()
    except (OSError, RuntimeError, ValueError):  # uninstalled since, or damaged
        return frozenset()
    return frozenset(letter for letter in letters if ord(letter) in codes)


def _one_line(text: str) -> str:
    return " ".join(text.split())
