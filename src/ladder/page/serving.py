"""A climb's model for other programs: in MLflow's registry, and behind MLflow's own server."""

import hashlib
import shutil
import tempfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from ladder import artifacts, errors, paths, processes, tracking
from ladder.networks import deployed

PROGRAM = Path(__file__).with_name("served.py")
PACKAGE = Path(__file__).parent.parent
# What it needs of this package: what stands above stays out, as does what only this project uses.
LEFT_OUT = (
    *("__pycache__", "climbs", "page", "evidence", "cli.py", "tracking.py"),
    *("exported.py", "standalone.py"),
)
LIBRARIES = (
    *("filelock", "keras", "numpy", "opencv-python-headless", "pandas", "pillow", "psutil"),
    *("pydantic", "ruamel.yaml", "tqdm"),
)
OPTIONAL = ("pillow-heif",)
TENSORFLOW = ("tensorflow-cpu", "tensorflow")  # both bring the package `tensorflow`


def register(name: str | Path) -> str | None:
    """Makes a model of `models/` the champion of its name in MLflow; returns its version.

    A model that is registered already, with this code, gets no second version. None stands for a
    lost server, which costs a warning.

    Raises:
        InputError: there is no such model.
    """
    return _register(deployed.find(name))


def _register(files: deployed.Files) -> str | None:
    folder = files.weights.parent
    if not (folder / deployed.SUMMARY).is_file():  # `find` took it from the trained models
        raise errors.InputError(
            str(paths.MODELS / files.name),
            expected=f"{files.weights.name} and {files.description.name}",
            received="not both",
            advice="Climb again, or copy the folder again.",
        )
    summary = artifacts.read_json(folder / deployed.SUMMARY)
    tags = {tracking.WEIGHTS_TAG: artifacts.sha256(files.weights), "ladder.rung": files.rung}
    if test := summary.get("test_accuracy"):
        tags |= {f"ladder.test_{key}": str(value) for key, value in test.items()}
    with tempfile.TemporaryDirectory() as place:
        alone, package = Path(place) / files.name, Path(place) / "code/ladder"
        alone.mkdir()
        for path in (folder / deployed.SUMMARY, files.weights, files.description):
            shutil.copyfile(path, alone / path.name)  # without the other rungs
        shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns(*LEFT_OUT))
        code = sorted(path for path in package.rglob("*") if path.is_file())
        return tracking.register(
            files.name,
            alone,
            tracking.Program(PROGRAM, package, requirements()),
            deployed.class_columns(summary["class_names"]),
            digest=_digest([files.weights, files.description, PROGRAM, *code]),
            tags=tags,
        )


def _digest(files: Iterable[Path]) -> str:
    """Returns a hash of what decides a prediction: weights, how to build the network, code."""
    hashes = "\n".join(f"{file.name} {artifacts.sha256(file)}" for file in files)
    return hashlib.sha256(hashes.encode()).hexdigest()


def requirements() -> list[str]:
    """Returns the libraries that a registered model needs, as installed here: `keras==3.15.1`."""
    versions = {name: _version(name) for name in (*LIBRARIES, *OPTIONAL, *TENSORFLOW)}
    installed = [name for name, version in versions.items() if version]
    names = [name for name in installed if name not in TENSORFLOW]
    names += [name for name in installed if name in TENSORFLOW][:1]
    return [f"{name}=={versions[name]}" for name in names]


def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def serve(name: str | None, port: int) -> int:
    """Serves a model of `models/` on 127.0.0.1 until Ctrl-C; returns MLflow's exit status.

    By default the only one that is there. It becomes the champion of its name in MLflow first, so
    that the server says what `ladder predict` says.

    Raises:
        InputError: there is no such model, the port is taken, or MLflow's registry is lost.
    """
    files = deployed.find(name)
    processes.check_port(port)
    version = _register(files)
    if version is None:
        raise errors.InputError(
            "serve",
            expected="MLflow's registry, to serve a model from",
            received="none, for the reason above",
            advice="Start its server, or unset MLFLOW_TRACKING_URI to use this project's own.",
        )
    print(
        f"ladder: {files.name}, version {version}: {files.rung}. Ctrl-C ends the server.\n"
        "When it says that its startup is complete, ask it in another terminal:\n"
        f"{curl(port, 'PICTURE')}",
        flush=True,
    )
    return tracking.serve(files.name, port)


def curl(port: int, picture: str) -> str:
    """Returns the shell's line that sends a picture's file to the server."""
    return (
        f"""printf '{{"dataframe_records": [{{"picture": "%s"}}]}}' """
        f""""$(base64 < {picture} | tr -d '\\n')" | """
        f"curl http://127.0.0.1:{port}/invocations -H 'Content-Type: application/json' -d @-"
    )
