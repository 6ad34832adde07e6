"""A fresh clone of this project to climb in. It has no data, no cache and its own params."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import processes
from ladder import settings
from ladder.climbs import experiments, recipes


@dataclass(frozen=True)
class Clone:
    """The clone's folder, and the environment that its stages run in."""

    folder: Path
    environment: dict[str, str]

    @property
    def params(self) -> settings.Settings:
        return settings.read(self.folder / settings.PARAMS)

    def dvc(self, *arguments: str) -> processes.Finished:
        """Runs a command of DVC.

        Raises:
            RuntimeError: it failed; the message has the end of its output.
        """
        finished = processes.measure(["dvc", *arguments], self.folder, self.environment)
        if finished.status:
            raise RuntimeError(f"dvc {' '.join(arguments)} failed:\n{finished.output[-3000:]}")
        return finished


@contextmanager
def cloned(archive: str, recipe: str, quick: bool) -> Iterator[Clone]:
    """Yields a clone of the current commit in a temporary folder.

    Archive and recipe, or "" for neither, mean what they mean to every climb. A quick clone climbs
    on few pictures.
    """
    name = recipes.BOOK if archive or recipe else ""
    overrides = [*recipes.plan(archive, name, recipe).overrides]
    if quick:
        extra = recipes.read_list(processes.ROOT / "benchmarks/quick.txt")
        overrides += [f"{key}={value}" for key, value in extra.items()]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "ladder"
        git("clone", "--quiet", str(processes.ROOT), str(folder))
        recipes.write(folder / settings.PARAMS, overrides)
        yield Clone(folder, experiments.environment_of_copy())


def commit() -> tuple[str, bool]:
    """Returns the current commit, and whether the workspace has changes that a clone lacks."""
    changes = git("status", "--short", "--", ".", ":!reports/benchmark")
    return git("rev-parse", "--short", "HEAD"), bool(changes)


def git(*arguments: str) -> str:
    """Returns the output of a git command in this project."""
    command = ["git", *arguments]
    return subprocess.check_output(command, cwd=processes.ROOT, text=True).strip()
