"""How a worker receives questions and answers them: lines of JSON on its input and output."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, TextIO

Repetition = Callable[[], Mapping[str, Any]]
Start = Callable[[dict[str, Any]], tuple[Mapping[str, Any], Repetition]]


def request() -> dict[str, Any]:
    """Returns the request that the worker was started with."""
    content: dict[str, Any] = json.loads(sys.argv[1])
    return content


def take_stdout() -> TextIO:
    """Returns the standard output for lines of JSON. What libraries print goes to stderr."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return answers


def serve(start: Start) -> None:
    """Answers once with the details of `start`, then with a repetition for every line received.

    An exception becomes the answer `{"error": …}` and ends the worker: that a framework cannot do
    something is a result too.
    """
    with take_stdout() as answers:
        try:
            details, repetition = start(request())
            print(json.dumps(details), file=answers)
            for _ in sys.stdin:
                print(json.dumps(repetition()), file=answers)
        except Exception as error:
            reason = next(iter(str(error).splitlines()), "")
            message = f"{type(error).__name__}: {reason}"[:300]
            print(json.dumps({"error": message}), file=answers)
