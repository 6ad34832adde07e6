"""Processes that are timed, and whose peak memory is known when they have ended."""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ladder.processes import session

ROOT = Path(__file__).resolve().parent.parent


class WorkerError(Exception):
    """A worker could not do what it was asked; the message is its own."""


@dataclass(frozen=True)
class Finished:
    """A process that has ended."""

    status: int
    seconds: float
    peak_bytes: int
    output: str


def measure(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Finished:
    """Returns what a command said on both outputs, its wall time and its peak memory.

    The peak is that of the largest process of it and all that it started and waited for. Linux
    counts the starting process in, so the one that measures must be small: it imports no
    TensorFlow.
    """
    started = time.perf_counter()
    with session(
        command,
        folder,
        environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None  # noqa: S101
        output = process.stdout.read()
        peak = _wait(process)
    return Finished(process.returncode, time.perf_counter() - started, peak, output)


def _wait(process: "subprocess.Popen[str]") -> int:
    """Waits for a process to end and returns the peak memory of the largest one in it, in bytes."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return _bytes(usage)


def _bytes(usage: resource.struct_rusage) -> int:
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


class Worker:
    """A module of `benchmarks.workers` that runs in a process of its own and is asked questions."""

    def __init__(self, module: str, request: Mapping[str, Any], python: str = sys.executable):
        self.module, self.peak_bytes = module, 0
        self._said = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(
            [python, "-m", f"benchmarks.workers.{module}", json.dumps(request)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
        )

    def ask(self) -> dict[str, Any]:
        """Returns the answer to another question: the next repetition.

        Raises:
            WorkerError: there is none.
        """
        assert self._process.stdin is not None  # noqa: S101
        with suppress(BrokenPipeError):  # `receive` says why
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        return self.receive()

    def receive(self) -> dict[str, Any]:
        """Returns the next answer.

        Raises:
            WorkerError: the worker has ended, or answers that it cannot.
        """
        assert self._process.stdout is not None  # noqa: S101
        line = self._process.stdout.readline()
        if not line:
            self._said.seek(0)
            raise WorkerError(f"{self.module} ended without an answer: {self._said.read()[-2000:]}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yields answers until the worker ends by itself."""
        assert self._process.stdout is not None  # noqa: S101
        yield from map(json.loads, self._process.stdout)
        self.close()
        if self._process.returncode:
            self._said.seek(0)
            raise WorkerError(f"{self.module} failed: {self._said.read()[-2000:]}")

    def close(self) -> None:
        """Tells the worker that there are no more questions and waits for its end."""
        if self._process.returncode is None:
            assert self._process.stdin is not None  # noqa: S101
            with suppress(BrokenPipeError):  # it died, with a question that it did not read
                self._process.stdin.close()
            self.peak_bytes = _wait(self._process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None and self._process.returncode is None:
            self._process.kill()
        self.close()
        for stream in (self._process.stdout, self._said):
            assert stream is not None  # noqa: S101
            stream.close()
