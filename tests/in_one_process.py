"""Runs stages one after another in one process, which others can start: see `test_every_base`.

Each by itself would start TensorFlow for longer than it works on a few pictures.
"""

import os
import runpy
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ladder import settings
from ladder.networks import runtime


def begin(environment: Mapping[str, str]) -> None:
    """Sets the environment of a fresh process, and what TensorFlow computes with."""
    os.environ.update(environment)
    # threads cannot be set after the first operation, and not every stage sets them
    runtime.start(settings.Runtime(precision="float32", threads=2), seed=None)


def run(project: Path, commands: Sequence[str]) -> None:
    """Runs the stages of a project, such as `stages/predict.py scratch`."""
    os.chdir(project)
    for command in commands:
        sys.argv = command.split()
        try:
            runpy.run_path(sys.argv[0], run_name="__main__")
        except SystemExit as error:
            raise RuntimeError(f"{command}: {error}") from error
        runtime.keras.backend.clear_session()
