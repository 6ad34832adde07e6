"""Class names in figures: cut, in fonts that have their letters, or by number."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder  # type: ignore[import-untyped]
from fontTools.pens.ttGlyphPen import TTGlyphPen  # type: ignore[import-untyped]
from matplotlib import font_manager
from matplotlib.figure import Figure

from ladder.page import lettering, png

POINTS = 8
RARE = "\U0001d800\U0001d801"  # SignWriting, which no usual font has
FAMILY = "Drawn Sans"


@pytest.fixture
def without_fonts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leaves only the fonts that come with Matplotlib."""
    own = mpl.get_data_path()
    fonts = [font for font in font_manager.fontManager.ttflist if font.fname.startswith(own)]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", fonts)
    lettering._fallbacks.cache_clear()
    yield
    lettering._fallbacks.cache_clear()


@pytest.fixture
def with_a_font(without_fonts: None, tmp_path: Path) -> None:
    """Installs a font of one letter, 猫, which is a black square, and of no other."""
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for point in ((100, 800), (900, 800), (900, 0)):
        pen.lineTo(point)
    pen.closePath()
    square, empty = pen.glyph(), TTGlyphPen(None).glyph()
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder([".notdef", "square"])
    font.setupCharacterMap({ord("猫"): "square"})
    font.setupGlyf({".notdef": empty, "square": square})
    font.setupHorizontalMetrics({".notdef": (1000, 0), "square": (1000, 100)})
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": FAMILY, "styleName": "Regular"})
    font.setupOS2(usWeightClass=400)
    font.setupPost()
    font.save(tmp_path / "drawn.ttf")
    font_manager.fontManager.addfont(tmp_path / "drawn.ttf")


def drawn(text: str, folder: Path) -> bytes:
    """Returns the PNG of a text, drawn as figures draw it; a warning is an error."""
    figure = Figure(figsize=(3, 1))
    figure.text(0.1, 0.5, text, parse_math=False, fontfamily=lettering.fonts([text]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        png.write(folder / "text.png", figure)
    return (folder / "text.png").read_bytes()


def test_names_that_fit_are_written_as_they_are() -> None:
    names = ["cat", "Äpfel", "A\u0308pfel", "العربية", "яблоко", "$y$", "<b>x</b> & $y$"]
    assert lettering.names(names, 2, POINTS) == names
    assert lettering.key(names, names) == ""


def test_plain_names_are_drawn_in_the_usual_font_alone() -> None:
    assert lettering.fonts(["cat", "Äpfel"]) == mpl.rcParams["font.family"]


def test_a_long_name_is_cut_in_its_middle() -> None:
    (written,) = lettering.names(["quercus robur subspecies in winter"], 1, POINTS)
    start, end = written.split("…")
    assert "quercus robur subspecies in winter".startswith(start)
    assert "quercus robur subspecies in winter".endswith(end)
    assert 0.8 < lettering.measured(written, POINTS) <= 1


def test_what_is_measured_is_what_is_drawn() -> None:
    text = Figure(figsize=(9, 1), dpi=720).text(0, 0, "Wwilderness، العربية", fontsize=POINTS)
    width = text.get_window_extent().width / 720
    assert lettering.measured(text.get_text(), POINTS) == pytest.approx(width, rel=0.03)


@pytest.mark.parametrize("width", [0.01, 0.3, 0.6, 1.0])
def test_no_width_is_too_small(width: float) -> None:
    assert lettering.cut("W" * 30, width, POINTS).count("…") == 1
    assert "…" in lettering.cut("WW", 0.01, POINTS)


def test_no_accent_stands_without_its_letter() -> None:
    for width in np.linspace(0.1, 1, 30):
        start, end = lettering.cut("a\u0301\u0301" * 15, float(width), POINTS).split("…")
        for part in (start, end):
            assert part.count("\u0301") == 2 * part.count("a") or not part.startswith("\u0301")


def test_cut_names_stay_apart() -> None:
    names = ["a" * 50 + letter + "c" * 50 for letter in "xyz"]
    written = lettering.names(names, 1, POINTS)
    assert len(set(written)) == 3
    assert [name[-4:] for name in written] == [" (0)", " (1)", " (2)"]
    assert max(lettering.measured(name, POINTS) for name in written) <= 1.01


def test_lines_and_blanks_are_one_blank() -> None:
    assert lettering.names(["two\nlines", "  "], 1, POINTS) == ["two lines", "class 1"]


def test_a_name_that_no_font_has_is_a_number_and_the_key_tells_it(
    without_fonts: None, tmp_path: Path
) -> None:
    names = ["dog", "猫", RARE]
    written = lettering.names(names, 1, POINTS)
    assert written == ["dog", "class 1", "class 2"]
    assert (
        lettering.key(names, written) == f"In the figure “class 1” is “猫”; “class 2” is “{RARE}”."
    )
    assert lettering.cut("猫/7.jpg", 1, POINTS) == "?/7.jpg"
    drawn(" ".join(written), tmp_path)


def test_a_name_of_a_class_that_is_called_by_a_number_stays_apart(without_fonts: None) -> None:
    assert lettering.names(["猫", "class 0"], 2, POINTS) == ["class 0 (0)", "class 0 (1)"]


def test_a_font_that_has_the_letters_is_found_and_draws_them(
    with_a_font: None, tmp_path: Path
) -> None:
    assert lettering.names(["dog", "猫", "猫 dog"], 1, POINTS) == ["dog", "猫", "猫 dog"]
    assert lettering.fonts(["猫 dog"]) == [*mpl.rcParams["font.family"], FAMILY]
    square, letters = drawn("猫", tmp_path), drawn("■", tmp_path)
    assert square != letters
    assert lettering.names([f"猫{RARE}"], 1, POINTS) == ["class 0"]


def test_a_font_that_was_uninstalled_since_has_no_letters(
    with_a_font: None, tmp_path: Path
) -> None:
    (tmp_path / "drawn.ttf").unlink()
    assert lettering.names(["猫"], 1, POINTS) == ["class 0"]


@pytest.mark.parametrize("name", ["cat", "$y$", "Äpfel"])
def test_a_name_from_left_to_right_needs_no_mark(name: str) -> None:
    assert lettering.before_others(name) == name


@pytest.mark.parametrize("name", ["العربية", "חתול"])
def test_a_number_after_a_name_from_right_to_left_stays_after_it(name: str) -> None:
    assert lettering.before_others(name) == f"{name}\u200e"
