import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from ladder import processes

# A command like DVC: it starts another one, which writes its id into a file, and would leave it
# behind; from then on an interrupt is the other one's alone, and that takes its time to end.
CHILD = """
import os, pathlib, sys, time
pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))
try:
    time.sleep(600)
finally:
    time.sleep(1)
"""
COMMAND = f"""
import signal, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {CHILD!r}, sys.argv[1]])
signal.signal(signal.SIGINT, signal.SIG_IGN)
sys.exit(child.wait())
"""
RUNNER = f"""
import os, pathlib, sys
from ladder import errors, processes
command = [sys.executable, "-c", {COMMAND!r}, sys.argv[1]]
errors.run(lambda: sys.exit(processes.run(command, pathlib.Path(), os.environ)))
"""


def test_the_exit_status_is_the_commands(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import os, sys; sys.exit(os.getcwd() == os.environ['HERE'])"]
    environment = {**os.environ, "HERE": str(tmp_path.resolve())}
    assert processes.run(command, tmp_path, environment) == 1
    assert processes.run(command, Path(), environment) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_nothing_is_left_behind(tmp_path: Path, number: signal.Signals) -> None:
    started = tmp_path / "pid"
    with subprocess.Popen(
        [sys.executable, "-c", RUNNER, str(started)],
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # whatever ignores it: nohup, &
    ) as runner:
        try:
            deadline = time.monotonic() + 60
            while not (started.exists() and started.read_text()):
                assert time.monotonic() < deadline
                time.sleep(0.02)
            child = psutil.Process(int(started.read_text()))
            runner.send_signal(number)
            assert runner.wait(60) != 0
        finally:
            runner.kill()
    if number != signal.SIGINT:  # which the command waits out
        psutil.wait_procs([child], timeout=60)
    assert not child.is_running()
