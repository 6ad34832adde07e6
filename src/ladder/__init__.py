"""Ladder: up the five rungs of small-data image classification, reproducibly."""

import os

# Figures are drawn to files. A notebook leaves a backend here that other environments lack.
os.environ["MPLBACKEND"] = "agg"
