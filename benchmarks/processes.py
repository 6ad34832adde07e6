"""Processes that are timed. Their peak memory is known when they have ended."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from ladder import processes

ROOT = Path(__file__).resolve().parent.parent


class WorkerError(Exception):
    """A worker could not do its work; the message is its own."""


def without_paths(error: WorkerError) -> str:
    """Returns the last line of an error's message, without folders of this machine."""
    last = next(reversed(str(error).strip().splitlines()), "")
    return last.replace(str(ROOT), ".").replace(str(Path.home()), "~")


@dataclass(frozen=True)
class Finished:
    """A process that has ended."""

    status: int
    seconds: float
    peak_bytes: int
    output: str


def measure(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Finished:
    """Returns a command's output, both streams in one, its wall time and its peak memory.

    The peak is that of the largest process among it and all that it started. Linux counts the
    starting process too, so the process that measures must be small: it imports no TensorFlow.
    """
    started = time.perf_counter()
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with processes.session(command, folder, environment, **streams) as process:
        assert process.stdout is not None  # noqa: S101
        output = process.stdout.read()
        peak = _wait(process)
    return Finished(process.returncode, time.perf_counter() - started, peak, output)


def _wait(process: "subprocess.Popen[str]") -> int:
    """Waits for a process to end and returns the peak memory of the largest one in it, in bytes."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


class Worker:
    """A module of `benchmarks.workers` that runs in a process of its own and answers questions.

    `peak_bytes` is known when the worker has been left as a context.
    """

    def __init__(self, module: str, request: Mapping[str, Any], python: str = sys.executable):
        self.module, self.peak_bytes = module, 0
        self._errors = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(
            [python, "-m", f"benchmarks.workers.{module}", json.dumps(request)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        assert self._process.stdin is not None  # noqa: S101
        assert self._process.stdout is not None  # noqa: S101
        self._questions, self._answers = self._process.stdin, self._process.stdout

    def ask(self) -> dict[str, Any]:
        """Returns the answer to another question: the next repetition.

        Raises:
            WorkerError: there is none.
        """
        with suppress(BrokenPipeError):  # the worker died; `receive` gives the reason
            self._questions.write("\n")
            self._questions.flush()
        return self.receive()

    def receive(self) -> dict[str, Any]:
        """Returns the next answer.

        Raises:
            WorkerError: the worker has ended, or answers that it cannot.
        """
        line = self._answers.readline()
        if not line:
            self._errors.seek(0)
            reason = self._errors.read()[-2000:]
            raise WorkerError(f"{self.module} ended without an answer: {reason}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Ends the worker: it has no more questions, or after an error it is killed."""
        if kind is not None:
            self._process.kill()
        with suppress(BrokenPipeError):  # it died and left a question unread
            self._questions.close()
        self.peak_bytes = _wait(self._process)
        self._answers.close()
        self._errors.close()
