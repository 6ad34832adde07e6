"""DVC as a climb runs it, `python -m ladder.climbs.dvc_command …`: it prints less and ends whole.

It is started by `processes.session`, as the first process of a session.
"""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from functools import wraps
from typing import Any

from dvc.cli import main
from dvc.repo.experiments.queue.base import BaseStashQueue
from dvc.ui import ui

ENDS = {signal.SIGINT, signal.SIGTERM}
LEVELS = {
    "dvc_data.index.checkout": "ERROR",  # each output that the lock of another dataset lacks
    "dvc.dvcfile": "WARNING",  # each stage of which the lock is written
    "dvc.repo.reproduce": "WARNING",  # empty lines
}
COMMAND = "%s %s"  # the form of the lines that repeat a stage's command


def run() -> int:
    """Runs DVC with this process's arguments and returns its exit status.

    A termination, or the end of the process that started this one, ends the running stage first;
    then DVC removes its copy of the project. It says nothing about it.
    """
    _print_less()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a shell ignores it
    signal.signal(signal.SIGTERM, _end)
    BaseStashQueue._stash_exp = _whole(BaseStashQueue._stash_exp)
    threading.Thread(target=_end_when_left, daemon=True).start()
    try:
        return int(main(sys.argv[1:]))
    except KeyboardInterrupt:  # where DVC itself does not expect one
        return 128 + signal.SIGINT


def _print_less() -> None:
    """Leaves of DVC's lines a line per stage, warnings and errors."""
    for name, level in LEVELS.items():
        logging.getLogger(name).setLevel(level)
    logging.getLogger("dvc.stage.run").addFilter(lambda record: record.msg != COMMAND)
    ui.enable = lambda: None  # names of experiments, and what else DVC could do with them


def _end(_number: int, _frame: Any) -> None:
    """Ends DVC as Ctrl-C does, which it ignores while a stage runs: that one ends by itself."""
    logging.disable()
    sys.excepthook = lambda *_: None
    signal.raise_signal(signal.SIGINT)


def _end_when_left() -> None:
    """Waits for the end of the process that holds the other end of standard input, then ends all.

    That one may be killed, and then ends nothing itself.
    """
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.killpg(0, signal.SIGTERM)


def _whole(act: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a function during which no signal ends this process.

    DVC puts the changes of the workspace aside for a moment: they would be lost to sight.
    """

    @wraps(act)
    def whole(*arguments: Any, **options: Any) -> Any:
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
        try:
            return act(*arguments, **options)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)

    return whole


if __name__ == "__main__":
    sys.exit(run())
