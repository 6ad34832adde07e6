"""Drawn pictures: stripes that tell a class, for climbs that need no photographs."""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

COLOURS = ((220, 90, 60), (60, 120, 220), (80, 190, 90), (210, 200, 70))


def draw(kind: int, size: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """Returns stripes (size, size, 3), uint8, whose direction, width and colour tell the class."""
    y, x = np.mgrid[:size, :size] * 2 * np.pi / (8 + 4 * (kind // 2))
    wave = np.sin((x if kind % 2 else y) + random.uniform(0, 2 * np.pi))
    pixels: NDArray[Any] = np.asarray(COLOURS[kind % len(COLOURS)]) * (0.7 + 0.3 * wave[..., None])
    pixels += random.normal(0, 20, pixels.shape)
    return pixels.clip(0, 255).astype(np.uint8)


def pictures(class_names: Sequence[str], count: int, size: int) -> dict[str, bytes]:
    """Returns PNGs `cat.0.png` … in Kaggle's layout; the same arguments draw the same."""
    members = {}
    for kind, class_name in enumerate(class_names):
        for number in range(count):
            content = io.BytesIO()
            pixels = draw(kind, size, np.random.default_rng([kind, number]))
            Image.fromarray(pixels).save(content, "PNG")
            members[f"train/{class_name}.{number}.png"] = content.getvalue()
    return members


def archive(target: Path, class_names: Sequence[str], count: int, size: int) -> None:
    """Writes `pictures` into a zip archive."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as members:
        for name, content in pictures(class_names, count, size).items():
            members.writestr(zipfile.ZipInfo(name), content)
