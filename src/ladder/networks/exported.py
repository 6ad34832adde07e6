"""A network as other programs run it: written with a program of its own, without Ladder."""

import json
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ladder import artifacts, errors, processes
from ladder.networks import deployed

CLASS_NAMES, PROGRAM = "class_names.json", "predict.py"
DECODING = "ladder_pictures"  # the folder with the way from a file to pixels
MODULES = ("images", "reading", "colours", "containers", "formats")  # that it consists of
SOURCE = Path(__file__).parent.parent
# Runs a program as where Ladder is not installed.
WITHOUT_LADDER = """
import runpy, sys
sys.modules["ladder"] = None
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@dataclass(frozen=True)
class Format:
    """A format of networks: what Keras calls it, its file, and packages as pip knows them."""

    keras: str
    file: str
    runtime: str  # the package that runs it
    packages: tuple[str, ...] = ()  # those of the extra `export` that write and run it


FORMATS = {
    "saved_model": Format("tf_saved_model", "saved_model", "tensorflow"),
    "onnx": Format("onnx", "model.onnx", "onnxruntime", ("onnx", "onnxruntime", "tf2onnx")),
    "litert": Format("litert", "model.tflite", "ai-edge-litert", ("ai-edge-litert",)),
}


def format_named(name: str) -> Format:
    """Returns the format of this name; TensorFlow is not needed.

    Raises:
        InputError: there is none, or a package that it takes is missing.
    """
    if name not in FORMATS:
        raise errors.InputError(
            "the format",
            expected=f"one of {', '.join(FORMATS)}",
            received=name,
            advice="Choose one: --format FORMAT.",
        )
    needed = FORMATS[name].packages
    missing = [package for package in needed if find_spec(package.replace("-", "_")) is None]
    if missing:
        raise errors.InputError(
            f"the format {name}",
            expected="the packages of the extra `export`",
            received=f"no {' and no '.join(missing)}",
            advice="Install them: pip install 'ladder[export]'.",
        )
    return FORMATS[name]


def write(model: deployed.Model, wanted: Format, folder: Path) -> None:
    """Writes into a folder: the network, `class_names.json`, `predict.py` and what it imports.

    The network maps raw RGB pixels (n, S, S, 3) float32 in [0, 255] to the probabilities (n, k) of
    all classes, in order of the labels. It computes in the precision of `model`.
    """
    from ladder.networks import runtime

    with runtime.quiet_stderr(), warnings.catch_warnings():
        # 2026-11: Keras 3.15.1 mends tf2onnx 1.17.0 for numpy 2.
        warnings.filterwarnings("ignore", "In the future `np.object`", FutureWarning)
        network = every_class(model.network)
        pixels = np.zeros((1, model.image_size, model.image_size, 3), np.float32)
        network(pixels)  # 2026-11: to ONNX, Keras 3.15.1 exports what was called before
        network.export(folder / wanted.file, format=wanted.keras, verbose=False)
    artifacts.write_text(folder / CLASS_NAMES, json.dumps(list(model.class_names)) + "\n")
    _copy(SOURCE / "networks/standalone.py", folder / PROGRAM)
    artifacts.write_text(folder / DECODING / "__init__.py", '"""From files to pixels."""\n')
    for module in MODULES:
        _copy(SOURCE / f"pictures/{module}.py", folder / DECODING / f"{module}.py")


def every_class(network: Any) -> Any:
    """Returns a network that gives the probabilities of all classes, of two classes both."""
    from ladder.networks.runtime import keras

    second = network.output
    if second.shape[1] > 1:
        return network
    both = keras.ops.concatenate([1 - second, second], axis=1)
    return keras.Model(network.input, both, name=network.name)


def _copy(source: Path, target: Path) -> None:
    """Copies a module, which then imports its neighbours from the copy and not from Ladder."""
    text = source.read_text(encoding="utf-8")
    artifacts.write_text(
        target, text.replace("from ladder.pictures import", f"from {DECODING} import")
    )


def run(
    folder: Path, pictures: Sequence[Path], update: Callable[[], object]
) -> NDArray[np.float32]:
    """Returns the probabilities (n, k) that an export's own `predict.py` gives of files.

    It runs in a process of its own, in which Ladder cannot be imported. `update` is called after
    each picture.

    Raises:
        InputError: it did not name the class of every picture.
    """
    rows = []
    with tempfile.TemporaryDirectory() as place:
        names, messages = Path(place, "names.txt"), Path(place, "messages.txt")
        names.write_bytes(b"\n".join(os.fsencode(path.absolute()) for path in pictures))
        command = [sys.executable, "-P", "-c", WITHOUT_LADDER, PROGRAM, f"@{names}"]
        with (
            messages.open("w") as stderr,
            processes.session(
                command, folder, os.environ, stdout=subprocess.PIPE, stderr=stderr
            ) as process,
        ):
            for line in process.stdout or ():
                rows.append([*json.loads(line)["probabilities"].values()])
                update()
        if process.returncode or len(rows) != len(pictures):
            *_, reason = ["nothing", *messages.read_text(errors="replace").strip().splitlines()]
            raise errors.InputError(
                str(folder / PROGRAM),
                expected="the class of every test picture",
                received=reason,
                advice="Tell the developers of Ladder.",
            )
    return np.array(rows, np.float32)
