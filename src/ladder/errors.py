"""The one error that a person can mend, and how a stage reports it."""

import signal
import sys
from collections.abc import Callable


class InputError(Exception):
    """Something given from outside is not as expected: expected, received, what to do."""

    def __init__(self, where: str, *, expected: str, received: object, advice: str):
        super().__init__(f"{where}: expected {expected}. Received: {received}. {advice}")


def run(main: Callable[[], None]) -> None:
    """Runs a stage; an `InputError` ends it with its message alone and exit status 1.

    A termination becomes SystemExit, so that temporary files go and the MLflow run is closed.
    """
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        main()
    except InputError as error:
        sys.exit(f"\nladder: {error}\n")
