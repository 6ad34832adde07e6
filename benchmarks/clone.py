"""A fresh clone of this project to climb in: no data, no cache, its own params."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import processes
from ladder import climbs, errors, settings


@dataclass(frozen=True)
class Clone:
    """Where it lies, and the environment that its stages run in."""

    folder: Path
    environment: dict[str, str]

    @property
    def params(self) -> settings.Settings:
        """The settings that it climbs with."""
        return settings.read(self.folder / settings.PARAMS)

    def dvc(self, *arguments: str) -> processes.Finished:
        """Runs a command of DVC.

        Raises:
            InputError: it failed; the message is the end of what it said.
        """
        done = processes.measure(["dvc", *arguments], self.folder, self.environment)
        if done.status:
            raise errors.InputError(
                f"dvc {' '.join(arguments)}",
                expected="to end well",
                received=f"exit status {done.status}\n{done.output[-3000:]}",
                advice="Correct what it says, and run the benchmark's part again.",
            )
        return done


@contextmanager
def cloned(archive: str, recipe: str, quick: bool) -> Iterator[Clone]:
    """Yields a clone of the current commit in a temporary folder.

    It climbs on what an archive and a recipe, or neither (""), mean to every climb. A quick one
    climbs on a few pictures.

    Raises:
        InputError: this is no git repository, or archive or recipe are not there.
    """
    overrides = [*climbs.plan(archive, recipe).overrides]
    if quick:
        overrides += climbs.read_list(processes.ROOT / "benchmarks/quick.txt")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "ladder"
        git("clone", "--quiet", str(processes.ROOT), str(folder))
        climbs.override(folder / settings.PARAMS, climbs.values(overrides))
        yield Clone(folder, climbs.environment_of_copy())


def commit() -> tuple[str, bool]:
    """Returns the current commit, and whether the workspace holds changes that it has not.

    A clone is of the commit: such changes are not measured in it. Results of this benchmark are
    none.
    """
    changes = git("status", "--short", "--", ".", ":!reports/benchmark")
    return git("rev-parse", "--short", "HEAD"), bool(changes)


def git(*arguments: str) -> str:
    """Returns what git says in this project.

    Raises:
        InputError: it failed.
    """
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=processes.ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise errors.InputError(
            " ".join(command[:2]),
            expected="a git repository, which the benchmark clones",
            received=done.stderr.strip(),
            advice="Run it in a clone of this project.",
        )
    return done.stdout.strip()
