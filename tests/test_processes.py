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
# behind.
CHILD = """
import os, pathlib, sys, time
pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))
time.sleep(600)
"""
COMMAND = f"""
import subprocess, sys
sys.exit(subprocess.run([sys.executable, "-c", {CHILD!r}, sys.argv[1]]).returncode)
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
    psutil.wait_procs([child], timeout=60)
    assert not child.is_running()


def test_the_commands_input_ends_when_this_process_is_killed(tmp_path: Path) -> None:
    ended = tmp_path / "ended"
    command = "import pathlib, sys; sys.stdin.read(); pathlib.Path(sys.argv[1]).touch()"
    killed = f"""
import os, pathlib, signal, sys
from ladder import processes
command = [sys.executable, "-c", {command!r}, sys.argv[1]]
with processes.session(command, pathlib.Path(), os.environ):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", killed, str(ended)], check=False)
    deadline = time.monotonic() + 60
    while not ended.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
