"""What a base is for the benchmark: one interface, which a module for each base fills in."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.workers.networks.layers import Layer


@dataclass(frozen=True)
class Network:
    """A base without its classifier: pixels in [0, 1] → features."""

    layers: Callable[[], list[Layer]]
    image_size: int  # pixels, that it is measured with
    parameters: int  # of all its layers, with the statistics of batch normalisations
