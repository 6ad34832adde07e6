"""Folders of many small pictures: seconds, memory and room of what is done before any training.

`python -m benchmarks.many_pictures` draws the pictures, measures every step and prints a table.
The pictures that it draws must stay as they are: if anything changes them, it fails.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from benchmarks import clone, machine, processes
from benchmarks.report import tables
from ladder import errors, settings
from ladder.cache import FOLDER
from ladder.climbs import proposals, recipes
from ladder.pictures import sources

SIZES = (10_000, 30_000, 100_000)
KEPT, ADDED = 20_000, 50  # pictures
IMAGE_SIZES = (48, 96)  # pixels, to which pictures are decoded
CLASS_NAMES = ("elm", "oak")
GRID, SIDE, QUALITY = 16, 48, 85  # of a picture: pixels of the noise, pixels, and that of its JPEG
DATASET = "many"


@dataclass(frozen=True)
class Step:
    """What one step took with one number of pictures."""

    name: str
    count: int
    seconds: float
    peak_bytes: int


@dataclass(frozen=True)
class Room:
    """Bytes of the disk's blocks that a folder, DVC's copies and its lists of files take."""

    pictures: int
    copies: int
    lists: int


def draw(folder: Path, numbers: range) -> None:
    """Writes a JPEG for each number, `elm/000000.jpg`, `oak/000001.jpg` …; no two look alike."""
    for class_name in CLASS_NAMES:
        (folder / class_name).mkdir(parents=True, exist_ok=True)
    for number in tqdm(numbers, "draw", unit="picture", disable=None):
        noise = np.random.default_rng(number).integers(0, 256, (GRID, GRID, 3), np.uint8)
        picture = Image.fromarray(noise).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        class_name = CLASS_NAMES[number % len(CLASS_NAMES)]
        picture.save(folder / class_name / f"{number:06d}.jpg", quality=QUALITY)


def room(folder: Path, cache: Path) -> Room:
    """Returns what a folder of pictures and the cache of DVC take; what links share counts once."""
    cached = [path for path in cache.rglob("*") if path.is_file()]
    return Room(
        pictures=_blocks(path for path in folder.rglob("*") if path.is_file()),
        copies=_blocks(path for path in cached if path.suffix != FOLDER),
        lists=_blocks(path for path in cached if path.suffix == FOLDER),
    )


def _blocks(files: Iterable[Path]) -> int:
    statuses = [path.lstat() for path in files]
    return sum({(s.st_dev, s.st_ino): s.st_blocks * 512 for s in statuses}.values())


@contextmanager
def project(count: int) -> Iterator[tuple[clone.Clone, Path]]:
    """Yields a clone that climbs on a folder of drawn pictures, and the folder.

    Raises:
        RuntimeError: the pictures were changed.
    """
    with tempfile.TemporaryDirectory() as scratch, clone.cloned("", "", quick=False) as fresh:
        folder = Path(scratch) / DATASET
        draw(folder, range(count))
        before = _states(folder)
        environment = {**fresh.environment, sources.PICTURES_VARIABLE: str(folder)}
        yield clone.Clone(fresh.folder, environment), folder
        after = _states(folder)
        if before.items() - after.items():
            raise RuntimeError("the pictures were changed")


def _states(folder: Path) -> dict[Path, tuple[int, ...]]:
    """Returns what tells a change of a file: also a link to it, or other permissions."""
    statuses = {path: path.lstat() for path in folder.rglob("*.jpg")}
    return {path: (s.st_ino, s.st_nlink, s.st_ctime_ns) for path, s in statuses.items()}


def describe(fresh: clone.Clone, folder: Path) -> list[str]:
    """Writes into the clone's params what a climb on the folder decides, and returns it."""
    own = sources.own(folder)
    overrides = proposals.recipe(DATASET, own.layout.pictures, fresh.params)
    overrides |= {"dataset.sha256": own.digest(), "image_size": str(IMAGE_SIZES[-1])}
    lines = [f"{key}={value}" for key, value in overrides.items()]
    recipes.write(fresh.folder / settings.PARAMS, lines)
    return lines


def steps(count: int) -> Iterator[Step]:
    """Yields what each step takes with so many pictures.

    Raises:
        RuntimeError: a step failed.
    """

    def step(name: str, *command: str) -> Step:
        finished = processes.measure(command, fresh.folder, fresh.environment)
        if finished.status:
            raise RuntimeError(f"{name} failed:\n{finished.output[-3000:]}")
        return Step(name, count, finished.seconds, finished.peak_bytes)

    def stage(name: str, title: str = "") -> Step:
        return step(title or name, "dvc", "repro", "--single-item", name)

    with project(count) as (fresh, folder):
        ladder = (sys.executable, "-m", "ladder.cli")
        yield step("ladder climb --dry-run", *ladder, "climb", str(folder), "--dry-run")
        lines = describe(fresh, folder)
        yield stage("download")
        yield stage("split")
        for image_size in IMAGE_SIZES:
            recipes.write(fresh.folder / settings.PARAMS, [f"image_size={image_size}"])
            yield stage("decode", f"decode to {image_size} pixels")
        yield step("dvc repro decode, nothing to do", "dvc", "repro", "decode")
        changes = [f"--set-param={line}" for line in lines]
        climb = ("dvc", "exp", "run", "--temp", *changes, "decode")
        yield step("the three stages in a copy, from the cache", *climb)


def adding() -> tuple[Room, Room]:
    """Returns what `KEPT` pictures take, and what `KEPT` and `ADDED` take."""
    with project(KEPT) as (fresh, folder):
        rooms = []
        for numbers in (range(0), range(KEPT, KEPT + ADDED)):
            draw(folder, numbers)
            describe(fresh, folder)
            fresh.dvc("repro", "--single-item", "download")
            rooms.append(room(folder, fresh.folder / ".dvc/cache"))
    before, after = rooms
    return before, after


def table(rows: Sequence[Step]) -> str:
    """Returns a table in Markdown: a row per step, and its seconds for each number of pictures.

    Then what a picture takes with the most pictures, divided by what it takes with the fewest, and
    the peak memory with the most.
    """
    counts = sorted({row.count for row in rows})
    cells = {(row.name, row.count): row for row in rows}
    lines = []
    for name in dict.fromkeys(row.name for row in rows):
        of_step = [cells[name, count] for count in counts]
        fewest, most = of_step[0], of_step[-1]
        growth = (most.seconds / most.count) / (fewest.seconds / fewest.count)
        seconds = [f"{row.seconds:,.0f}" for row in of_step]
        lines.append([name, *seconds, f"{growth:.1f}", tables.megabytes(most.peak_bytes)])
    columns = [f"{count:,} pictures, seconds" for count in counts]
    return tables.table(["step", *columns, "a picture, times", "peak, MB"], lines)


def sentence(before: Room, after: Room) -> str:
    """Returns in words what more pictures take in DVC's cache."""
    pictures, copies, lists = (
        (getattr(after, name) - getattr(before, name)) / 1e6 for name in before.__annotations__
    )
    return (
        f"Copies of {KEPT:,} pictures take {before.copies / before.pictures:.2f} times the room of "
        f"the pictures in DVC's cache. {ADDED} more take {pictures:.2f} MB, their copies "
        f"{copies:.2f} MB, and a new list of all files {lists:.1f} MB.\n"
    )


def main() -> None:
    """Draws, measures and prints."""
    parser = argparse.ArgumentParser("python -m benchmarks.many_pictures", description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, metavar="n", help="numbers of pictures")
    rows = []
    for count in parser.parse_args().sizes or SIZES:
        for row in steps(count):
            rows.append(row)
            print(f"{row.count:,}, {row.name}: {row.seconds:.1f} s", file=sys.stderr, flush=True)
    print(f"{machine.text(machine.describe())}\n\n{table(rows)}\n{sentence(*adding())}")


if __name__ == "__main__":
    errors.run(main)
