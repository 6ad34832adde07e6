import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ladder.pictures import archives, drawing


def test_stripes_run_across_one_direction() -> None:
    for kind, along in ((0, 1), (1, 0)):
        pixels = drawing.draw(kind, 48, np.random.default_rng(0)).astype(float)
        varied = pixels.mean(axis=along).std(axis=0).mean()
        even = pixels.mean(axis=1 - along).std(axis=0).mean()
        assert varied > 4 * even


def test_classes_differ_in_colour() -> None:
    means = [drawing.draw(k, 48, np.random.default_rng(0)).mean(axis=(0, 1)) for k in range(4)]
    assert all(np.abs(means[i] - means[j]).max() > 30 for i in range(4) for j in range(i))


def test_an_archive_is_in_a_known_layout_and_repeats(tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        drawing.archive(tmp_path / name, ("cat", "dog"), count=3, size=16)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    members = archives.members(tmp_path / "a.zip")
    assert members.groupby("class_name")["number"].agg(list).to_dict() == {
        "cat": [0, 1, 2],
        "dog": [0, 1, 2],
    }


@pytest.mark.parametrize("number", [0, 2])
def test_a_picture_does_not_depend_on_how_many_there_are(number: int) -> None:
    name = f"train/dog.{number}.png"
    few = drawing.pictures(("cat", "dog"), count=3, size=16)[name]
    many = drawing.pictures(("cat", "dog"), count=5, size=16)[name]
    assert few == many
    assert Image.open(io.BytesIO(few)).size == (16, 16)
