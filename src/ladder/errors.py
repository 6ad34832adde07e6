"""The errors that a person can mend, and how a stage reports them."""

import errno
import signal
import sys
from collections.abc import Callable

# Of the machine, not of the code: a full disk or quota, a folder that may not be written to.
PLACE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES}


class InputError(Exception):
    """Something given from outside is not as expected: expected, received, what to do."""

    def __init__(self, where: str, *, expected: str, received: object, advice: str):
        super().__init__(f"{where}: expected {expected}. Received: {received}. {advice}")


def run(main: Callable[[], None]) -> None:
    """Runs a stage; an error that a person can mend ends it with a message and exit status 1.

    A termination becomes SystemExit, so that temporary files go and the MLflow run is closed.
    """
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        main()
    except InputError as error:
        sys.exit(f"\nladder: {error}\n")
    except OSError as error:
        if error.errno not in PLACE:
            raise
        where = f" ({error.filename})" if error.filename else ""
        advice = "Make room or give access, and run `dvc repro` again."
        sys.exit(f"\nladder: {error.strerror}{where}. {advice}\n")
