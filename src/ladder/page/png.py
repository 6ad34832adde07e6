"""Figures as PNG files."""

import io
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from ladder import artifacts

DPI = 120  # of all figures


def write(path: Path, figure: Figure) -> None:
    """Writes a figure in 256 colours, a third of the bytes; no version in it, so bytes repeat."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DPI)
    with Image.open(drawn) as picture, artifacts.whole(path) as temporary:
        few = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        few.save(temporary, optimize=True)
