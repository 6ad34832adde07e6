"""Commands that do not outlive the process that runs them."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> int:
    """Runs a command in a session of its own and returns its exit status.

    What ends this process meanwhile, Ctrl-C or a termination, ends all of the session: a DVC that
    alone is told to end leaves the stage that it runs behind.
    """
    with subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True) as process:
        try:
            return process.wait()
        except BaseException as error:
            interrupted = isinstance(error, KeyboardInterrupt)
            os.killpg(process.pid, signal.SIGINT if interrupted else signal.SIGTERM)
            raise
