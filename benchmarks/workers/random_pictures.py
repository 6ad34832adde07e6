"""Writes random pictures as decode writes pictures: uint8 (n, S, S, 3) in a .npy file."""

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.workers import channel, vgg16


def main(request: dict[str, Any]) -> None:
    """Writes them."""
    np.save(Path(request["path"]), vgg16.pictures(request["pictures"], request["image_size"]))


if __name__ == "__main__":
    main(channel.request())
