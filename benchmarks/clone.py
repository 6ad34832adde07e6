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
    """The clone's folder, the environment of its stages, and what counts after any recipe."""

    folder: Path
    environment: dict[str, str]
    last_overrides: tuple[str, ...] = ()

    @property
    def params(self) -> settings.Settings:
        return settings.read(self.folder / settings.PARAMS)

    def override(self, overrides: list[str]) -> settings.Settings:
        """Writes `section.key=value` into the clone's params.yaml, and returns it checked.

        Raises:
            InputError: there is no such key, or a value does not go with the others.
        """
        recipes.write(self.folder / settings.PARAMS, [*overrides, *self.last_overrides])
        return self.params

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
    overrides = recipes.plan(archive, name, recipe).overrides
    small = lines(processes.ROOT / "benchmarks/quick.txt") if quick else []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "ladder"
        git("clone", "--quiet", str(processes.ROOT), str(folder))
        clone = Clone(folder, experiments.environment_of_copy(), tuple(small))
        clone.override([*overrides])
        yield clone


def lines(recipe: Path) -> list[str]:
    """Returns the overrides of a list, each as `section.key=value`."""
    return [f"{key}={value}" for key, value in recipes.read_list(recipe).items()]


def commit() -> tuple[str, bool]:
    """Returns the current commit, and whether the workspace has changes that a clone lacks."""
    changes = git("status", "--short", "--", ".", ":!reports/benchmark")
    return git("rev-parse", "--short", "HEAD"), bool(changes)


def git(*arguments: str) -> str:
    """Returns the output of a git command in this project."""
    command = ["git", *arguments]
    return subprocess.check_output(command, cwd=processes.ROOT, text=True).strip()
