"""How much is measured: the whole, or a little of everything to try it out."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Numbers of pictures, steps and repetitions. A repetition gives one value of a spread."""

    image_size: int | None = None  # of extraction; None: each base has its own
    batch_size: int = 50  # of extraction
    extraction_repetitions: int = 7
    extraction_seconds: float = 8.0  # about as long as a repetition takes
    most_batches: int = 40  # of a repetition
    matrix_sizes: tuple[int, ...] = (1024, 2048, 4096)  # rows and columns
    matrix_repetitions: int = 7
    matrix_seconds: float = 1.0  # about as long as a repetition takes for each size
    book_steps: int = 20  # an even number: validation has half as many
    book_repetitions: int = 5
    climbs: int = 3


FULL = Plan()
QUICK = Plan(
    image_size=96,
    batch_size=4,
    extraction_repetitions=3,
    extraction_seconds=0.5,
    most_batches=4,
    matrix_sizes=(256, 512),
    matrix_repetitions=2,
    matrix_seconds=0.05,
    book_steps=4,
    book_repetitions=2,
    climbs=1,
)
