"""How much is measured: the whole, or little of everything to try it out."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Numbers of pictures, steps and repetitions; a repetition gives one value of a spread."""

    image_size: int  # of limits, extraction and growth; book_way and pipeline take their pictures'
    batch_size: int  # of extraction
    extraction_repetitions: int
    extraction_seconds: float  # a repetition takes about as long,
    most_batches: int  # but no more batches than these
    matrix_sizes: tuple[int, ...]
    limit_repetitions: int
    rate_seconds: float  # a rate is the mean over about as long
    copied_bytes: int
    growth_counts: tuple[int, ...]
    growth_views: tuple[int, ...]  # of the smallest count
    growth_repetitions: int
    change_repetitions: int
    change_seconds: float  # of one way of a change
    book_steps: int  # an even number: validation takes half as many
    book_repetitions: int
    climbs: int
    repeats: int  # of `dvc repro` with nothing to do, and after a change


FULL = Plan(
    image_size=150,
    batch_size=50,
    extraction_repetitions=7,
    extraction_seconds=8.0,
    most_batches=40,
    matrix_sizes=(1024, 2048, 4096, 8192),
    limit_repetitions=20,
    rate_seconds=1.0,
    copied_bytes=2**29,
    growth_counts=(500, 1000, 2000, 4000),
    growth_views=(1, 2, 4, 8),
    growth_repetitions=1,
    change_repetitions=5,
    change_seconds=5.0,
    book_steps=20,
    book_repetitions=5,
    climbs=3,
    repeats=5,
)

QUICK = Plan(
    image_size=96,
    batch_size=4,
    extraction_repetitions=3,
    extraction_seconds=0.5,
    most_batches=4,
    matrix_sizes=(256, 512, 1024),
    limit_repetitions=3,
    rate_seconds=0.2,
    copied_bytes=2**26,
    growth_counts=(20, 40, 80, 160),
    growth_views=(1, 2, 4, 8),
    growth_repetitions=1,
    change_repetitions=2,
    change_seconds=0.5,
    book_steps=4,
    book_repetitions=2,
    climbs=1,
    repeats=2,
)
