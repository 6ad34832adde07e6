"""How a worker is asked and answers: lines of JSON on its standard input and output."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, TextIO


def request() -> dict[str, Any]:
    """Returns what the worker was started with."""
    asked: dict[str, Any] = json.loads(sys.argv[1])
    return asked


def take_stdout() -> TextIO:
    """Returns the standard output for answers alone; what libraries print goes to stderr."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return answers


def answer(answers: TextIO, content: Mapping[str, Any]) -> None:
    """Writes one answer."""
    print(json.dumps(content), file=answers, flush=True)


def serve(start: Callable[[], tuple[Mapping[str, Any], Callable[[], Mapping[str, Any]]]]) -> None:
    """Answers once with what `start` tells, then with a repetition for every line asked.

    An exception becomes the answer `{"error": …}` and ends the worker: a framework that cannot do
    something is a result too.
    """
    with take_stdout() as answers:
        try:
            told, repetition = start()
            answer(answers, told)
            for _ in sys.stdin:
                answer(answers, repetition())
        except Exception as error:
            reason = next(iter(str(error).splitlines()), "")
            answer(answers, {"error": f"{type(error).__name__}: {reason}"[:300]})
