"""The errors that a person can mend, and how a stage reports them."""

import errno
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

# Of the machine, not of the code: a full disk or quota, a folder that may not be written to.
PLACE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES}


class InputError(Exception):
    """An input is not as expected: what was expected, what was received, what to do."""

    def __init__(self, where: str, *, expected: str, received: object, advice: str):
        super().__init__(f"{where}: expected {expected}. Received: {received}. {advice}")


def climb_first() -> str:
    """Returns the advice where results of a climb are missing, which may lie in another folder."""
    if Path("dvc.yaml").is_file():
        return "Climb first: `ladder climb PICTURES`, or `make repro`."
    return "Run this in the project's folder, in which dvc.yaml lies."


def run(main: Callable[[], None]) -> None:
    """Runs a stage; an error that a person can mend ends it with a message and exit status 1.

    A termination, or the terminal's end where that is not ignored (nohup), becomes SystemExit, so
    that temporary files go and the MLflow run is closed.
    """
    for signal_number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(signal_number) != signal.SIG_IGN:
            signal.signal(signal_number, lambda number, frame: sys.exit(128 + number))
    try:
        with _alone():
            main()
    except KeyboardInterrupt:  # whoever pressed Ctrl-C needs no traceback
        sys.exit(128 + signal.SIGINT)
    except InputError as error:
        sys.exit(f"\nladder: {error}\n{_blame()}")
    except Exception as error:
        if not isinstance(error, OSError) or error.errno not in PLACE:
            sys.stderr.write(_blame())
            raise
        where = f" ({error.filename})" if error.filename else ""
        advice = "Make room or give access, and run `dvc repro` again."
        sys.exit(f"\nladder: {error.strerror}{where}. {advice}\n")


def _blame() -> str:
    """Returns a line on outputs that are not what DVC stored, where a stage failed on them."""
    from ladder import cache

    try:
        changed = cache.changed_outputs() if _is_stage() else []
    except Exception:  # the stage's own error counts
        return ""
    if not changed:
        return ""
    return (
        f"ladder: {', '.join(map(str, changed[:3]))} differ from what DVC stored: the cache is "
        "damaged. Run `ladder cache`, then `dvc repro` again.\n"
    )


def _is_stage() -> bool:
    return Path(sys.argv[0]).parent.name == "stages"


@contextmanager
def _alone() -> Iterator[None]:
    """Stops a second process from running the same stage: one may outlive a killed DVC.

    Raises:
        InputError: another process is at it.
    """
    if not _is_stage():
        yield
        return
    name = "@".join([Path(sys.argv[0]).stem, *sys.argv[1:]])
    locks = Path("data/.locks")
    locks.mkdir(parents=True, exist_ok=True)
    lock, owner = filelock.FileLock(locks / name, timeout=0), locks / f"{name}.pid"
    try:
        held = lock.acquire()
    except filelock.Timeout as error:
        number = owner.read_text().strip() if owner.exists() else "unknown"
        raise InputError(
            f"stage {name}",
            expected="to be the only process at it",
            received=f"another one, process {number}, perhaps left by a DVC that was killed",
            advice=f"Wait for it to end, or end it (kill {number}); then run `dvc repro` again.",
        ) from error
    with held:
        owner.write_text(f"{os.getpid()}\n")
        yield
