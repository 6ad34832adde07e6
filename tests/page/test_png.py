import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from ladder.page import png


def drawn() -> Figure:
    figure = Figure(figsize=(3, 2))
    figure.subplots().imshow(np.random.default_rng(0).random((40, 40, 3)))
    return figure


def test_a_figure_has_the_same_bytes_twice_and_no_version(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        png.write(tmp_path / name, drawn())
    first = (tmp_path / "a.png").read_bytes()
    assert first.startswith(b"\x89PNG")
    assert b"Software" not in first
    assert first == (tmp_path / "b.png").read_bytes()


def test_a_figure_is_written_in_256_colours_at_its_size(tmp_path: Path) -> None:
    png.write(tmp_path / "figures/a.png", drawn())
    with Image.open(tmp_path / "figures/a.png") as picture:
        assert picture.mode == "P"
        assert picture.size == (3 * png.DPI, 2 * png.DPI)
        assert 128 < len(picture.getcolors() or ()) <= 256


def test_a_figure_that_cannot_be_drawn_leaves_no_file(tmp_path: Path) -> None:
    figure = Figure()
    figure.text(0.5, 0.5, "$\\nosuchsymbol$")
    with pytest.raises(ValueError, match="nosuchsymbol"):
        png.write(tmp_path / "a.png", figure)
    assert list(tmp_path.iterdir()) == []


def test_a_backend_that_a_notebook_left_does_no_harm(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from ladder.page import png\n"
        "from matplotlib.figure import Figure; png.write(Path('a.png'), Figure())"
    )
    environment = {**os.environ, "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "a.png").is_file()
