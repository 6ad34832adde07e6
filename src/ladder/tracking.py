"""The only import of MLflow: one run per rung; a lost server never costs a trained model."""

import logging
import os
import socket
import sqlite3
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "5")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

import filelock
import mlflow
import numpy as np
import pandas as pd
import psutil
from mlflow.entities import LifecycleStage, LoggedModelOutput, Metric, Run
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema, TensorSpec
from numpy.typing import NDArray

from ladder import artifacts, errors, paths, processes, rungs, settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

logging.getLogger("mlflow").setLevel(logging.WARNING)  # or it narrates its own set-up

WEIGHTS_TAG = "ladder.weights_sha256"
RESTORED_TAG = "ladder.restored"
FIGURES_TAG = "ladder.figures_sha256"
# Where MLflow 3's database holds places of artifacts.
PLACES = {
    "experiments": {"artifact_location"},
    "runs": {"artifact_uri"},
    "logged_models": {"artifact_location"},
    "model_versions": {"source", "storage_location"},
}
PROCESS_TAG = "ladder.process"  # host and number
REGISTERED_TAG = "ladder.registered_sha256"
CHAMPION = "champion"  # MLflow's word for the version to use

# What decides a training besides the seed and the rung's own section of params.yaml.
COMMON = (
    "dataset",
    "split",
    "class_weight",
    "image_size",
    "base",
    "augmentation",
    "extraction",
    "runtime",
)


@contextmanager
def _store() -> Iterator[str]:
    """Points MLflow at the project's store and gives its address, alone at it while inside.

    The first use creates the database, and two at once would break it.
    """
    home = paths.root()
    database = home / "mlflow.db"
    uri = os.environ.get("MLFLOW_TRACKING_URI", f"sqlite:///{database}")
    mlflow.set_tracking_uri(uri)
    with filelock.FileLock(home / ".mlflow.lock", timeout=120):
        if database.is_file():
            _follow(database, home)
        yield uri


def _follow(database: Path, home: Path) -> None:
    """Corrects the places of artifacts in the database of a project that was moved or copied.

    MLflow keeps them absolute: else new runs would be written into the folder of before.
    """
    with closing(sqlite3.connect(database)) as connection, connection:
        held = {table: _columns(connection, table) & columns for table, columns in PLACES.items()}
        if not held["experiments"]:
            return
        rows = connection.execute("SELECT name, artifact_location FROM experiments").fetchall()
        homes = {
            place.removesuffix(f"/mlruns/{name}")
            for name, place in rows
            if (place or "").startswith("file:")
            and place.endswith(f"/mlruns/{name}")
            and (home / "mlruns" / name).is_dir()  # it came along
        }
        for before in homes - {home.as_uri()}:
            for table, column in [(name, each) for name in held for each in held[name]]:
                connection.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?) "  # noqa: S608
                    f"WHERE substr({column}, 1, ?) = ?",
                    (home.as_uri(), len(before) + 1, len(before) + 8, f"{before}/mlruns/"),
                )


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}


def connect(experiment: str) -> str:
    """Points MLflow at the project's store and returns the experiment's id; creates it if need be.

    One that was deleted is restored with its runs: MLflow reserves its name, and takes no run.
    """
    with _store() as uri:
        existing = mlflow.get_experiment_by_name(experiment)
        if existing is None:
            local = uri.startswith("sqlite:")
            location = (paths.root() / "mlruns" / experiment).as_uri() if local else None
            return str(mlflow.create_experiment(experiment, artifact_location=location))
        if existing.lifecycle_stage == LifecycleStage.DELETED:
            mlflow.MlflowClient().restore_experiment(existing.experiment_id)
            message = f"the deleted MLflow experiment {experiment} is restored"
            print(f"ladder: {message}", file=sys.stderr)
        return str(existing.experiment_id)


@contextmanager
def run(
    rung: rungs.Rung,
    experiment: str,
    seed: int,
    parameters: Mapping[str, Any],
    *,
    restored: bool = False,
) -> Iterator[None]:
    """Opens the rung's run; an error inside marks it FAILED, an interruption KILLED.

    Its params are the seed, `parameters` (the rung's own section) and `section.key` of params.yaml.
    Runs whose process was killed could not say so: they are marked first.
    """
    tags = _origin() | {"ladder.rung": rung} | ({RESTORED_TAG: "true"} if restored else {})
    with _opened(experiment, rung, {"seed": seed, **parameters}, tags):
        with _best_effort():
            mlflow.log_params(_common_params(rung))  # it needs a params.yaml that can be read
        yield


@contextmanager
def experiment_run(
    experiment: str, name: str, seed: int, parameters: Mapping[str, Any]
) -> Iterator[None]:
    """Opens the run of a network that is no rung, as `run` opens that of a rung."""
    with _opened(experiment, name, {"seed": seed, **parameters}, _origin()):
        yield


def log_metrics(metrics: Mapping[str, float]) -> None:
    """Logs figures to the open run."""
    with _best_effort():
        mlflow.log_metrics({name: float(value) for name, value in metrics.items()})


@contextmanager
def _opened(
    experiment: str, name: str, parameters: Mapping[str, Any], tags: Mapping[str, str]
) -> Iterator[None]:
    with _best_effort():
        experiment_id = connect(experiment)
        _mark_killed(experiment_id)
        mlflow.start_run(experiment_id=experiment_id, run_name=name, tags=tags)
        mlflow.log_params(parameters)
    status = "FINISHED"
    try:
        yield
    except BaseException as error:
        status = "FAILED" if isinstance(error, Exception) else "KILLED"
        raise
    finally:
        with _best_effort():
            mlflow.end_run(status)


def _common_params(rung: rungs.Rung) -> dict[str, Any]:
    """Returns the params that decide a rung besides its own section, by `section.key`.

    That of the folder that the stage runs in: a copy's has the experiment's overrides.
    """
    sections = {*COMMON}
    if start := rungs.TABLE[rung].starts_from:
        sections.add(rungs.TABLE[start].stage)
    params = settings.read(settings.PARAMS).model_dump(include=sections)
    flat = pd.json_normalize(params).to_dict("records")[0]
    return {str(key): value for key, value in flat.items()}


def _mark_killed(experiment_id: str) -> None:
    """Marks runs KILLED that still say RUNNING though their process, of this machine, is gone."""
    client = mlflow.MlflowClient()
    for run in client.search_runs([experiment_id], "attributes.status = 'RUNNING'"):
        host, _, number = run.data.tags.get(PROCESS_TAG, "").rpartition(" ")
        if host == socket.gethostname() and not _lives(int(number), run.info.start_time / 1000):
            client.set_terminated(run.info.run_id, "KILLED")


def _lives(number: int, since: float) -> bool:
    """Returns whether the process of that time still lives; a later one may have its number."""
    try:
        return bool(psutil.Process(number).create_time() <= since)
    except psutil.NoSuchProcess:
        return False


def _origin() -> dict[str, str]:
    tags = {PROCESS_TAG: f"{socket.gethostname()} {os.getpid()}"}
    for name, variable in (("dvc.stage", "DVC_STAGE"), ("dvc.experiment", "DVC_EXP_NAME")):
        if value := os.environ.get(variable):
            tags[name] = value
    return tags


@contextmanager
def _best_effort() -> Iterator[None]:
    """Turns an error of the tracking store into a warning: results lie in files already."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MLflow's own and its libraries'
            yield
    except Exception as error:
        name = type(error).__name__  # a KeyError says no more than its key
        print(f"ladder: not tracked in MLflow: {name}: {error}", file=sys.stderr)


def log_training(
    history: pd.DataFrame,
    model: Any,
    weights_sha256: str,
    manifest: Path,
    class_names: Sequence[str],
    runtime: Mapping[str, str],
) -> None:
    """Logs to the open run the hash that finds it again, curves, data and the Keras model.

    `runtime` becomes tags: the policy, threads and versions that it was trained with. The model's
    metadata hold `class_names`, in the order of the labels.
    """
    with _best_effort():
        active = mlflow.active_run()
        if active is None:
            return
        # First: without it, whatever failed after, every evaluation would restore another run.
        tags = {f"ladder.{name}": value for name, value in runtime.items()}
        mlflow.set_tags({WEIGHTS_TAG: weights_sha256, **tags})
        clock = time.time() - history["seconds"].sum() + history["seconds"].cumsum()
        mlflow.MlflowClient().log_batch(
            active.info.run_id,
            [
                Metric(name, float(value), int(1000 * at), int(epoch))
                for name in ("loss", "accuracy", "val_loss", "val_accuracy", "seconds")
                for value, at, epoch in zip(history[name], clock, history["epoch"], strict=True)
                if not np.isnan(value)  # an epoch that was not validated
            ],
        )
        _log_manifest(manifest)
        _log_model(model, class_names, runtime)


def _log_manifest(path: Path) -> None:
    digest = artifacts.sha256(path)[:32]
    dataset = mlflow.data.from_pandas(
        pd.read_csv(path), source=path.as_posix(), name=path.parent.name, digest=digest
    )
    mlflow.log_input(dataset, context="training")


def _log_model(model: Any, class_names: Sequence[str], runtime: Mapping[str, str]) -> None:
    """Logs the model in MLflow's Keras flavour: raw uint8 pixels → probabilities."""
    import mlflow.tensorflow

    pixels = TensorSpec(np.dtype(np.uint8), (-1, *model.input_shape[1:]), "pixels")
    output = TensorSpec(np.dtype(np.float32), (-1, *model.output_shape[1:]), "probabilities")
    mlflow.tensorflow.log_model(
        model,
        name="model",
        signature=ModelSignature(Schema([pixels]), Schema([output])),
        pip_requirements=[f"{name}=={runtime[name]}" for name in ("keras", "tensorflow")],
        metadata={"class_names": class_names},
    )


def has_run(experiment: str, weights_sha256: str) -> bool:
    """Returns whether a finished run trained these weights; True where the store is lost."""
    is_known = True
    with _best_effort():
        is_known = _find(connect(experiment), weights_sha256) is not None
    return is_known


def _find(experiment_id: str, weights_sha256: str) -> str | None:
    runs = mlflow.MlflowClient().search_runs(
        [experiment_id],
        f"tags.`{WEIGHTS_TAG}` = '{weights_sha256}' and attributes.status = 'FINISHED'",
        order_by=["attributes.start_time DESC"],
        max_results=1,
    )
    return str(runs[0].info.run_id) if runs else None


def log_results(
    experiment: str,
    weights_sha256: str,
    metrics: Mapping[str, float],
) -> None:
    """Adds what was measured to the newest run of these weights; again changes nothing."""
    with _best_effort():
        run_id = _find(connect(experiment), weights_sha256)
        if run_id is None:
            return
        client, now = mlflow.MlflowClient(), int(1000 * time.time())
        known = client.get_run(run_id).data.metrics
        new = [Metric(k, float(v), now, 0) for k, v in metrics.items() if known.get(k) != v]
        if new:
            client.log_batch(run_id, new)


def group(
    experiment: str, study: str, rung: str, measured: Mapping[int, Mapping[str, float]]
) -> None:
    """Makes the newest runs of a rung, one per seed, children of one run named after the study.

    `measured` tells a seed's run from others of that seed: its metrics equal these. The parent
    gets their mean and standard deviation. MLflow gives a run one parent: a run that two studies
    share, because DVC's run cache trained it once, stays a child of the first of them, and the
    other has it in its mean alone.
    """
    with _best_effort():
        experiment_id, client = connect(experiment), mlflow.MlflowClient()
        name = f"{rung}, {study}"
        of_study = f"tags.`ladder.study` = '{study}' and tags.`ladder.rung` = '{rung}'"
        parents = client.search_runs([experiment_id], of_study, max_results=1)
        tags = {"ladder.study": study, "ladder.rung": rung}
        parent = parents[0] if parents else client.create_run(experiment_id, None, tags, name)
        for seed, metrics in measured.items():
            runs = client.search_runs(
                [experiment_id],
                f"params.seed = '{seed}' and tags.`ladder.rung` = '{rung}' "
                "and attributes.status = 'FINISHED'",
                order_by=["attributes.start_time DESC"],
            )
            same = [run for run in runs if metrics.items() <= run.data.metrics.items()]
            free = [run for run in same if _parent(run) in (None, parent.info.run_id)]
            for run in free[:1]:
                client.set_tag(run.info.run_id, "mlflow.parentRunId", parent.info.run_id)
        frame = pd.DataFrame(list(measured.values()))
        for column in frame:
            client.log_metric(parent.info.run_id, f"{column}_mean", float(frame[column].mean()))
            if len(frame) > 1:
                spread = float(frame[column].std())
                client.log_metric(parent.info.run_id, f"{column}_standard_deviation", spread)
        client.set_terminated(parent.info.run_id)


def _parent(run: Run) -> str | None:
    """Returns the id of the run's parent; None if it has none, or one that was deleted."""
    try:
        parent = mlflow.MlflowClient().get_parent_run(run.info.run_id)
    except MlflowException:  # deleted for good
        return None
    lives = parent is not None and parent.info.lifecycle_stage == LifecycleStage.ACTIVE
    return str(parent.info.run_id) if lives else None


def log_figures(
    experiment: str,
    weights_sha256: str,
    charts: Mapping[str, "Figure"],
    heatmaps: Path,
    images: Sequence[NDArray[np.uint8]],
) -> None:
    """Adds charts, by file name, and heatmaps to the newest run of these weights.

    Again with the same heatmaps changes nothing. The images stand in the order of their steps, so
    that the UI shows those of several runs side by side.
    """
    with _best_effort():
        run_id = _find(connect(experiment), weights_sha256)
        client, digest = mlflow.MlflowClient(), artifacts.sha256(heatmaps)
        if run_id is None or client.get_run(run_id).data.tags.get(FIGURES_TAG) == digest:
            return
        for name, figure in charts.items():
            client.log_figure(run_id, figure, name)
        client.log_artifact(run_id, str(heatmaps))
        for step, image in enumerate(images):
            client.log_image(run_id, image, key="heatmaps", step=step, synchronous=True)
        client.set_tag(run_id, FIGURES_TAG, digest)


def ui() -> None:
    """Prints the address of the chart that compares the rungs, and serves the MLflow UI.

    Raises:
        InputError: the port, from the environment's PORT or 5000, is taken.
    """
    with _store():
        experiments = mlflow.search_experiments()
    port = os.environ.get("PORT", "5000")
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            free.bind(("127.0.0.1", int(port)))
        except (OSError, ValueError, OverflowError) as error:
            raise errors.InputError(
                "PORT",
                expected="a free port",
                received=f"{port} ({error})",
                advice="Choose another one: make ui PORT=5001.",
            ) from error
    for experiment in experiments:
        if experiment.name != "Default":
            print(
                f"{experiment.name}: http://127.0.0.1:{port}/#/experiments/"
                f"{experiment.experiment_id}/runs?compareRunsMode=CHART",
                flush=True,
            )
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    store = ["--backend-store-uri", mlflow.get_tracking_uri(), "--workers", "1"]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", port]
    with suppress(KeyboardInterrupt):
        subprocess.run([*command, *store], env=environment, check=True)


@dataclass(frozen=True)
class Program:
    """What a registered model runs: MLflow keeps copies of the files, and pickles nothing."""

    script: Path  # calls `mlflow.models.set_model`; finds the model's folder as artifact `model`
    package: Path  # the folder of a package that the script imports
    requirements: Sequence[str]  # such as keras==3.15.1


def register(
    name: str,
    folder: Path,
    program: Program,
    class_columns: Sequence[str],
    *,
    digest: str,
    tags: Mapping[str, str],
) -> str | None:
    """Makes the model in a folder the champion of its name; returns its version, None if lost.

    The model takes a column `picture` of bytes, and returns label, confidence and `class_columns`.
    A version that has this digest becomes the champion again; else there is a new one, and those
    of before stay. It belongs to the run that trained the weights, by the `tags`.
    """
    number = None
    with _best_effort():
        experiment_id, client = connect(name), mlflow.MlflowClient()
        tags = {**tags, REGISTERED_TAG: digest}
        number = _registered(name, digest)
        if number is None:
            run_id = _find(experiment_id, tags[WEIGHTS_TAG])
            model = client.create_logged_model(experiment_id, name, run_id, tags)
            _log_program(model.model_id, folder, program, class_columns)
            if run_id:
                client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=0)])
            with suppress(MlflowException):  # it is there; a lost server fails below
                client.create_registered_model(name)
            source = f"models:/{model.model_id}"
            version = client.create_model_version(
                name, source, run_id, tags, model_id=model.model_id
            )
            number = str(version.version)
        client.set_registered_model_alias(name, CHAMPION, number)
    return number


def _registered(name: str, digest: str) -> str | None:
    """Returns the newest version with this digest whose files are still there."""
    query = f"name = '{name}' and tags.`{REGISTERED_TAG}` = '{digest}'"
    versions = mlflow.MlflowClient().search_model_versions(query)
    for number in sorted((int(each.version) for each in versions), reverse=True):
        with suppress(MlflowException, OSError):
            mlflow.models.get_model_info(f"models:/{name}/{number}")
            return str(number)
    return None


def _log_program(
    model_id: str, folder: Path, program: Program, class_columns: Sequence[str]
) -> None:
    """Logs without an example of the input: MLflow would load the model and predict it."""
    outputs = [ColSpec(DataType.float, column) for column in ("confidence", *class_columns)]
    mlflow.pyfunc.log_model(
        model_id=model_id,
        python_model=str(program.script),
        code_paths=[str(program.package)],
        artifacts={"model": str(folder.resolve())},
        signature=ModelSignature(
            Schema([ColSpec(DataType.binary, "picture")]),
            Schema([ColSpec(DataType.string, "label"), *outputs]),
        ),
        pip_requirements=[*program.requirements],
    )


def serve(name: str, port: int) -> int:
    """Runs MLflow's scoring server of the champion until Ctrl-C; returns its exit status."""
    with _store() as uri:
        pass
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # it runs `uvicorn`
    quiet = {"MLFLOW_LOGGING_LEVEL": "WARNING"}
    environment = {**quiet, **os.environ, "PATH": path, "MLFLOW_TRACKING_URI": uri}
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--env-manager", "local"]
    address = ["--host", "127.0.0.1", "--port", str(port)]
    with suppress(KeyboardInterrupt):
        return processes.run(
            [*command, "-m", f"models:/{name}@{CHAMPION}", *address], Path(), environment
        )
    return 0
