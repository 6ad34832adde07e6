"""Commands that do not outlive the process that runs them, and the ports of servers."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ladder import errors


@contextmanager
def session(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], **streams: Any
) -> Iterator["subprocess.Popen[str]"]:
    """Yields a command that runs in a session of its own, and waits for its end.

    What ends this process meanwhile, Ctrl-C or a termination, terminates all of the session: a DVC
    that alone is ended leaves its stage running. If this process is killed, the command's standard
    input ends. `streams` are Popen's.
    """
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        start_new_session=True,
        text=True,
        errors="replace",
        **{"stdin": subprocess.PIPE, **streams},
    ) as process:
        try:
            yield process
        except BaseException:
            # Not SIGINT: a stage that is importing its libraries would print where it was.
            with suppress(ProcessLookupError):  # it has just ended
                os.killpg(process.pid, signal.SIGTERM)
            process.wait()  # Popen itself waits no longer after Ctrl-C
            raise


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> int:
    """Runs a command as a `session` and returns its exit status."""
    with session(command, folder, environment) as process:
        return process.wait()


def check_port(port: int) -> None:
    """Checks that a server may listen at a port of 127.0.0.1.

    Raises:
        InputError: it may not.
    """
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            free.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise errors.InputError(
                "port",
                expected="a free port",
                received=f"{port} ({error})",
                advice="Choose another one: --port 5002.",
            ) from error
