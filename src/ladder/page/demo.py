"""What `ladder demo` does: it checks what it needs, and starts Streamlit's server of `demo_app`."""

import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from ladder import errors, processes
from ladder.networks import deployed

APP = Path(__file__).with_name("demo_app.py")
HOST = "127.0.0.1"
OPTIONS = {  # whatever ~/.streamlit/config.toml says
    "browser.gatherUsageStats": "false",  # nothing is sent anywhere
    "client.showErrorDetails": "none",  # the terminal shows them
    "client.toolbarMode": "minimal",
    "global.developmentMode": "false",
    "logger.level": "warning",
    "server.address": HOST,
    "server.allowedHosts": HOST,  # not a name that a stranger's site gives to this address
    "server.fileWatcherType": "none",
    "server.headless": "true",  # no question for an e-mail address
}


def run(name: str | None, rung: str | None, port: int) -> int:
    """Serves the page of a model of `models/` on 127.0.0.1 until Ctrl-C; returns the exit status.

    By default the only model that is there, and the advised rung.

    Raises:
        InputError: there is no such model or rung, the port is taken, or Streamlit is missing.
    """
    files = deployed.find(name, rung)
    processes.check_port(port)
    _check_streamlit()
    print(f"ladder: model {files.name}, rung {files.rung}", flush=True)
    options = [f"--{key}={value}" for key, value in (OPTIONS | {"server.port": port}).items()]
    command = [sys.executable, "-m", "streamlit", "run", *options, str(APP)]
    model = [str(files.weights.parent.absolute()), files.rung]
    with (
        suppress(KeyboardInterrupt),
        processes.session(
            [*command, "--", *model], Path(), os.environ, stdout=subprocess.DEVNULL
        ) as server,
    ):
        if _listens(server, port):
            print(f"http://{HOST}:{port} is its page. Ctrl-C ends it.", flush=True)
        return server.wait()
    return 0


def _check_streamlit() -> None:
    if find_spec("streamlit") is None:
        raise errors.InputError(
            "demo",
            expected="the package streamlit",
            received="none",
            advice="Install it: pip install 'ladder[demo]'.",
        )


def _listens(server: "subprocess.Popen[str]", port: int) -> bool:
    """Waits until the server listens, or has ended; returns whether it listens."""
    while server.poll() is None:
        with socket.socket() as knock:
            if knock.connect_ex((HOST, port)) == 0:
                return True
        time.sleep(0.1)
    return False
