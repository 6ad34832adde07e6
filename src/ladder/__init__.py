"""Ladder: up the five rungs of small-data image classification, reproducibly."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ladder.networks.deployed import Model

# Figures are drawn to files. A notebook leaves a backend here that other environments lack.
os.environ["MPLBACKEND"] = "agg"


def load(name_or_folder: str | Path, rung: str | None = None) -> "Model":
    """Returns a model to use: `ladder.load("photos").predict(paths)`; see `networks.deployed`.

    Raises:
        InputError: there is no such model, or its files are damaged.
    """
    from ladder.networks import deployed  # its libraries take a while

    return deployed.load(name_or_folder, rung)
