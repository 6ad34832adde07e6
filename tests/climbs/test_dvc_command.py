"""A climb of one stage that is ended from outside leaves nothing, and the next one succeeds."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

SOURCE = Path(__file__).parents[2] / "src"
GRAPH = """stages:
  wait:
    cmd: python wait.py
    deps: [wait.py]
    outs: [result.txt]
"""
# Where LADDER_STARTED is a file already, it ends at once. The end of its clean-up shows.
STAGE = """
import os, pathlib, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
started = pathlib.Path(os.environ["LADDER_STARTED"])
try:
    if not started.exists():
        started.write_text(str(os.getpid()))
        time.sleep(600)
    pathlib.Path("result.txt").write_text("result")
finally:
    time.sleep(0.5)
    started.with_name("cleaned").touch()
"""
CLIMB = """
from ladder import errors
from ladder.climbs import experiments
errors.run(lambda: print(experiments.climb("toy", [])))
"""


@dataclass(frozen=True)
class Project:
    """A project of one stage, in git, and the files in which the stage says where it is."""

    folder: Path

    @property
    def started(self) -> Path:
        return self.folder.parent / "started"

    @property
    def cleaned(self) -> Path:
        return self.folder.parent / "cleaned"

    def copies(self) -> list[Path]:
        return [*self.folder.glob(".dvc/tmp/exps/standalone/tmp*")]

    def climb(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-c", CLIMB],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": "src", "LADDER_STARTED": str(self.started)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a group of its own, as a terminal makes
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def git(self, *arguments: str) -> str:
        author = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
        command = ["git", *author, *arguments]
        done = subprocess.run(command, cwd=self.folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.delenv("DVC_ROOT", raising=False)
    project = Project(tmp_path / "project")
    project.folder.mkdir()
    (project.folder / "dvc.yaml").write_text(GRAPH)
    (project.folder / "wait.py").write_text(STAGE)
    (project.folder / ".gitignore").write_text("/src\n/result.txt\n")
    (project.folder / "src").symlink_to(SOURCE)
    project.git("init", "--quiet")
    command = [sys.executable, "-m", "dvc", "init", "--quiet"]
    subprocess.run(command, cwd=project.folder, check=True)
    project.git("add", ".")
    project.git("commit", "--quiet", "--message", "toy")
    return project


def interrupt(climb: "subprocess.Popen[str]") -> None:
    """Does what a terminal does at Ctrl-C."""
    os.killpg(climb.pid, signal.SIGINT)


def kill(climb: "subprocess.Popen[str]") -> None:
    """Kills what stands in the terminal, and not DVC and its stage."""
    os.killpg(climb.pid, signal.SIGKILL)


def kill_all(climb: "subprocess.Popen[str]") -> None:
    """Ends all processes at once, as a machine that stops."""
    ladder = psutil.Process(climb.pid)
    family = [ladder, *ladder.children(recursive=True)]
    for process in family:
        process.suspend()
    for process in family:
        process.kill()


@pytest.mark.parametrize("end", [interrupt, kill, kill_all])
def test_what_ends_a_climb_leaves_nothing_that_the_next_one_does_not_remove(
    project: Project, end: Callable[["subprocess.Popen[str]"], None]
) -> None:
    head = project.git("symbolic-ref", "HEAD")
    (project.folder / "wait.py").write_text(STAGE + "# not committed\n")
    climb = project.climb()
    wait_for(lambda: project.started.exists() and project.started.read_text() != "", climb)
    stage, dvc = psutil.Process(int(project.started.read_text())), psutil.Process(climb.pid)
    family = [stage, *dvc.children()]
    assert len(project.copies()) == 1
    end(climb)
    _, messages = climb.communicate(timeout=60)
    psutil.wait_procs(family, timeout=60)
    assert not [process for process in family if process.is_running()]
    assert project.cleaned.exists() == (end is not kill_all)
    assert "Traceback" not in messages
    if end is interrupt:
        assert messages.splitlines()[-1].startswith("ladder: stopped. Run the same command again")
        assert climb.returncode == 128 + signal.SIGINT
    if end is not kill_all:
        assert project.copies() == []
    again = project.climb()
    printed, messages = again.communicate(timeout=120)
    assert again.returncode == 0, messages
    line, commit = printed.splitlines()  # DVC's only line, and what the climb returns
    assert line == "Running stage 'wait':"
    assert project.git("show", f"{commit}:dvc.lock").startswith("schema")
    assert project.copies() == []
    assert project.git("symbolic-ref", "HEAD") == head
    assert project.git("stash", "list") == ""
    assert project.git("status", "--porcelain") == "M wait.py"


def wait_for(condition: Callable[[], bool], climb: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert climb.poll() is None, climb.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
