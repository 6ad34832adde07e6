import errno
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import psutil
import pytest
from matplotlib.figure import Figure
from PIL import Image

from ladder import errors, tracking
from ladder.networks import models, runtime

HISTORY = pd.DataFrame(
    {
        "epoch": [1, 2],
        "loss": [0.7, 0.5],
        "accuracy": [0.5, 0.75],
        "val_loss": [0.6, 0.65],
        "val_accuracy": [0.625, 0.5],
        "seconds": [2.0, 1.0],
    }
)
HASH = "ab" * 32
MACHINE = {"policy": "float32", "threads": "2", **runtime.versions()}


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv("DVC_STAGE", "train_scratch")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


def runs() -> list[Any]:
    experiment = tracking.connect("drawn")
    return list(mlflow.MlflowClient().search_runs([experiment]))


def log_training(tmp_path: Path) -> Any:
    """Logs a convnet with random weights and returns it."""
    manifest = tmp_path / "data/drawn/manifest.csv"
    manifest.parent.mkdir(parents=True)
    rows = {"id": ["dog.0", "cat.0"], "class_name": ["dog", "cat"], "label": [1, 0]}
    pd.DataFrame(rows).to_csv(manifest, index=False)
    model = models.build(
        models.Description(
            rung="scratch",
            image_size=48,
            class_names=["cat", "dog"],
            dropout=0.0,
            base=None,
            fed="images",
        )
    )
    with tracking.run("scratch", "drawn", 3, {"epochs": 2, "learning_rate": 1e-4}):
        tracking.log_training(HISTORY, model, HASH, manifest, ["cat", "dog"], MACHINE)
    return model


def test_a_run_holds_curves_parameters_tags_data_and_model(tmp_path: Path) -> None:
    model = log_training(tmp_path)
    (run,) = runs()
    assert run.info.run_name == "scratch"
    assert run.info.status == "FINISHED"
    assert run.data.params["learning_rate"] == "0.0001"
    assert run.data.tags["dvc.stage"] == "train_scratch"
    assert run.data.tags[tracking.WEIGHTS_TAG] == HASH
    described = {f"ladder.{name}": value for name, value in MACHINE.items()}
    assert described.items() <= run.data.tags.items()
    client = mlflow.MlflowClient()
    curve = client.get_metric_history(run.info.run_id, "val_accuracy")
    assert [(point.step, point.value) for point in curve] == [(1, 0.625), (2, 0.5)]
    assert [entry.dataset.name for entry in run.inputs.dataset_inputs] == ["drawn"]
    (logged,) = mlflow.search_logged_models([run.info.experiment_id], output_format="list")
    pixels = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 3), np.uint8)
    loaded = mlflow.pyfunc.load_model(logged.model_uri)
    outputs = loaded.predict(pixels)
    np.testing.assert_allclose(outputs, model.predict_on_batch(pixels), rtol=1e-6)
    assert loaded.metadata.metadata == {"class_names": ["cat", "dog"]}
    requirements = Path(mlflow.pyfunc.get_model_dependencies(logged.model_uri)).read_text()
    pinned = {f"{name}=={version}" for name, version in runtime.versions().items()}
    assert {*requirements.split()} == pinned | {f"mlflow=={mlflow.__version__}"}


def test_a_run_holds_the_params_that_decide_it_and_no_other_rungs(
    write_params: Callable[[Mapping[str, Any]], Path],
    params: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    params["base"]["preprocessing"] = "book"
    params["split"]["train_used_per_class"] = 3
    write_params(params)  # into the copy that DVC runs an experiment in
    workspace = tmp_path_factory.mktemp("workspace")
    (workspace / "params.yaml").write_text("base: {preprocessing: imagenet}")
    monkeypatch.setenv("DVC_ROOT", str(workspace))  # as `dvc exp run --temp` sets it
    with tracking.run("features", "drawn", 3, {"epochs": 2, "batch_size": 5}):
        pass
    (run,) = runs()
    assert run.data.params == {
        "seed": "3",
        "epochs": "2",
        "batch_size": "5",
        "dataset.name": "cifar10",
        "dataset.source": "cifar10",
        "dataset.sha256": "None",
        "class_weight": "none",
        "split.train": "4",
        "split.validation": "2",
        "split.test": "2",
        "split.group": "None",
        "split.hash_distance": "20",
        "split.unreadable_share": "0.01",
        "split.train_used_per_class": "3",
        "split.shuffle_train_labels": "False",
        "split.corrections": "None",
        "image_size": "48",
        "base.name": "vgg16",
        "base.image_size": "None",
        "base.weights_file": "None",
        "base.weights_sha256": "None",
        "base.weights": "none",
        "base.preprocessing": "book",
        "base.cut": "block4_pool",
        "base.output": "auto",
        "augmentation.views": "2",
        "augmentation.rotation_degrees": "40.0",
        "augmentation.shift_fraction": "0.2",
        "augmentation.shear_degrees": "0.2",
        "augmentation.zoom_fraction": "0.2",
        "augmentation.horizontal_flip": "True",
        "extraction.batch_size": "4",
        "extraction.storage": "float16",
        "runtime.precision": "float32",
        "runtime.threads": "1",
    }


def test_a_fine_tuned_run_holds_the_params_of_the_rung_that_it_starts_from(
    write_params: Callable[[Mapping[str, Any]], Path], params: dict[str, Any]
) -> None:
    write_params(params)
    with tracking.run("fine_tuned", "drawn", 3, {"epochs": 2}):
        pass
    (run,) = runs()
    before = params["train_end_to_end"]
    logged = {k: v for k, v in run.data.params.items() if k.startswith("train_end_to_end.")}
    assert logged == {f"train_end_to_end.{name}": str(value) for name, value in before.items()}
    assert run.data.params["epochs"] == "2"


@pytest.mark.parametrize("content", [None, "seed: [", "seed: 0"])
def test_a_run_is_tracked_without_params_that_can_be_read(
    content: str | None, at_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (at_root / "params.yaml").write_text(content)
    with tracking.run("scratch", "drawn", 3, {"epochs": 2}):
        pass
    (run,) = runs()
    assert run.info.status == "FINISHED"
    assert run.data.params == {"seed": "3", "epochs": "2"}
    assert "params.yaml" in capsys.readouterr().err


def test_a_run_whose_model_could_not_be_logged_is_found_by_its_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("mlflow.tensorflow.log_model", refuse)
    log_training(tmp_path)
    assert os.strerror(errno.ENOSPC) in capsys.readouterr().err
    assert tracking.has_run("drawn", HASH)


def test_a_deleted_experiment_is_restored_with_its_runs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with tracking.run("scratch", "drawn", 3, {}):
        pass
    mlflow.delete_experiment(tracking.connect("drawn"))
    with tracking.run("features", "drawn", 3, {}):
        pass
    message = capsys.readouterr().err
    assert {run.info.run_name for run in runs()} == {"scratch", "features"}
    assert "the deleted MLflow experiment drawn is restored" in message
    assert "not tracked" not in message


def test_the_ui_restores_no_experiment(monkeypatch: pytest.MonkeyPatch) -> None:
    default = tracking.connect("Default")
    mlflow.delete_experiment(default)
    monkeypatch.setenv("PORT", "none")
    with pytest.raises(errors.InputError, match="PORT"):
        tracking.ui()
    assert mlflow.get_experiment(default).lifecycle_stage == "deleted"


def trained(seed: int, accuracy: float) -> str:
    """Tracks a rung's training with its result and returns the run's id."""
    with tracking.run("scratch", "drawn", seed, {}):
        mlflow.log_metric("test_accuracy", accuracy)
        active = mlflow.active_run()
        assert active is not None
    return str(active.info.run_id)


def children(study: str) -> set[str]:
    (parent,) = [run for run in runs() if run.data.tags.get("ladder.study") == study]
    parents = {run.info.run_id: run.data.tags.get("mlflow.parentRunId") for run in runs()}
    return {child for child, its_parent in parents.items() if its_parent == parent.info.run_id}


def test_a_run_that_two_studies_share_stays_with_the_first_and_counts_in_both() -> None:
    shared, ours, theirs = trained(0, 0.5), trained(1, 0.75), trained(1, 1.0)
    measured = {seed: {"test_accuracy": value} for seed, value in ((0, 0.5), (1, 0.75))}
    others = {**measured, 1: {"test_accuracy": 1.0}}
    for _ in range(2):
        tracking.group("drawn", "default seeds", "scratch", measured)
        tracking.group("drawn", "recipe seeds", "scratch", others)
    assert children("default seeds") == {shared, ours}
    assert children("recipe seeds") == {theirs}
    (parent,) = [run for run in runs() if run.data.tags.get("ladder.study") == "recipe seeds"]
    assert parent.data.metrics["test_accuracy_mean"] == 0.75
    assert parent.data.metrics["test_accuracy_standard_deviation"] == pytest.approx(0.125**0.5)


def test_a_study_takes_the_newest_run_that_no_other_holds() -> None:
    older, newer = trained(0, 0.5), trained(0, 0.5)
    measured = {0: {"test_accuracy": 0.5}}
    tracking.group("drawn", "recipe seeds", "scratch", measured)
    tracking.group("drawn", "default seeds", "scratch", measured)
    assert children("recipe seeds") == {newer}
    assert children("default seeds") == {older}


@pytest.mark.parametrize("for_good", [False, True])
def test_a_run_whose_parent_was_deleted_gets_a_new_one(for_good: bool) -> None:
    child = trained(0, 0.5)
    tracking.group("drawn", "default seeds", "scratch", {0: {"test_accuracy": 0.5}})
    (parent,) = [run for run in runs() if run.info.run_id != child]
    mlflow.delete_run(parent.info.run_id)
    if for_good:
        uri = mlflow.get_tracking_uri()
        stores = ["--backend-store-uri", uri, "--tracking-uri", uri]
        command = [sys.executable, "-m", "mlflow", "gc", *stores]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    tracking.group("drawn", "default seeds", "scratch", {0: {"test_accuracy": 0.5}})
    assert children("default seeds") == {child}


def test_a_logged_model_loads_without_ladder(tmp_path: Path) -> None:
    log_training(tmp_path)
    (run,) = runs()
    (logged,) = mlflow.search_logged_models([run.info.experiment_id], output_format="list")
    code = (
        "import sys; sys.modules['ladder'] = None\n"
        "import mlflow, numpy as np\n"
        f"model = mlflow.pyfunc.load_model({logged.artifact_location!r})\n"
        "print(model.predict(np.zeros((1, 48, 48, 3), np.uint8)).shape)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.stdout.endswith("(1, 1)\n"), done.stderr  # after a progress bar


@pytest.mark.parametrize(
    ("error", "status"), [(ValueError, "FAILED"), (KeyboardInterrupt, "KILLED")]
)
def test_a_run_that_breaks_says_so(error: type[BaseException], status: str) -> None:
    with pytest.raises(error), tracking.run("scratch", "drawn", 3, {}):
        raise error
    assert [run.info.status for run in runs()] == [status]


OPENS_A_RUN = """
import sys, time
from ladder import tracking
with tracking.run("scratch", "drawn", 3, {}):
    print("running", flush=True)
    time.sleep(600)
"""


def test_a_run_whose_process_was_killed_is_marked_by_the_next() -> None:
    command = [sys.executable, "-c", OPENS_A_RUN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        with tracking.run("features", "drawn", 3, {}):
            pass  # leaves a living process its run
        assert sorted(run.info.status for run in runs()) == ["FINISHED", "RUNNING"]
        process.kill()
    assert sorted(run.info.status for run in runs()) == ["FINISHED", "RUNNING"]  # it cannot say so
    with tracking.run("features", "drawn", 4, {}):
        pass
    assert sorted(run.info.status for run in runs()) == ["FINISHED", "FINISHED", "KILLED"]


def test_a_later_process_of_the_same_number_does_not_keep_a_run_alive() -> None:
    tags = {tracking.PROCESS_TAG: f"{socket.gethostname()} {os.getpid()}"}
    before = int(1000 * (psutil.Process().create_time() - 1))
    experiment, client = tracking.connect("drawn"), mlflow.MlflowClient()
    client.create_run(experiment, before, {**tags, "mlflow.runName": "of an earlier process"})
    client.create_run(experiment, before, {"mlflow.runName": "of who knows whom"})
    with tracking.run("scratch", "drawn", 3, {}):
        pass
    assert {run.info.run_name: run.info.status for run in runs()} == {
        "of an earlier process": "KILLED",
        "of who knows whom": "RUNNING",
        "scratch": "FINISHED",
    }


def test_results_join_the_run_of_the_weights_and_twice_changes_nothing(tmp_path: Path) -> None:
    log_training(tmp_path)
    assert tracking.has_run("drawn", HASH)
    assert not tracking.has_run("drawn", "cd" * 32)
    for _ in range(2):
        tracking.log_results("drawn", HASH, {"test_accuracy": 0.875})
    tracking.log_results("drawn", "cd" * 32, {"test_accuracy": 0.5})  # no such run
    (run,) = runs()
    client = mlflow.MlflowClient()
    assert run.data.metrics["test_accuracy"] == 0.875
    assert len(client.get_metric_history(run.info.run_id, "test_accuracy")) == 1


def trained_with_weights() -> str:
    """Tracks a rung's training of weights with the hash and returns the run's id."""
    with tracking.run("scratch", "drawn", 3, {}):
        mlflow.set_tag(tracking.WEIGHTS_TAG, HASH)
    return str(runs()[0].info.run_id)


def chart() -> Figure:
    figure = Figure()
    figure.subplots().plot([3, 1])
    return figure


def test_figures_join_the_run_of_the_weights_and_twice_changes_nothing(tmp_path: Path) -> None:
    heatmaps = tmp_path / "heatmaps_scratch.png"
    heatmaps.write_bytes(b"heatmaps")
    run_id, client = trained_with_weights(), mlflow.MlflowClient()
    charts = {"history.png": chart(), "confusion_test.png": chart()}
    images = [np.full((4, 6, 3), shade, np.uint8) for shade in (10, 200)]
    tracking.log_figures("drawn", HASH, charts, heatmaps, images)
    kept = [file.path for file in client.list_artifacts(run_id)]
    assert sorted(kept) == ["confusion_test.png", heatmaps.name, "history.png", "images"]
    tracking.log_figures("drawn", HASH, {"another.png": chart()}, heatmaps, images)
    tracking.log_figures("drawn", "cd" * 32, charts, heatmaps, images)  # no such run
    (run,) = runs()
    assert [file.path for file in client.list_artifacts(run_id)] == kept
    logged = [file.path for file in client.list_artifacts(run.info.run_id, "images")]
    full = sorted(path for path in logged if path.endswith(".png"))
    assert [path.split("+")[:3] for path in full] == [
        ["images/heatmaps", "step", "0"],
        ["images/heatmaps", "step", "1"],
    ]
    with Image.open(client.download_artifacts(run.info.run_id, full[1])) as image:
        np.testing.assert_array_equal(np.asarray(image), images[1])


def test_figures_with_other_heatmaps_join_the_run_again(tmp_path: Path) -> None:
    heatmaps = tmp_path / "heatmaps_scratch.png"
    run_id, client = trained_with_weights(), mlflow.MlflowClient()
    for content in (b"before", b"after"):
        heatmaps.write_bytes(content)
        tracking.log_figures("drawn", HASH, {"history.png": chart()}, heatmaps, [])
    assert Path(client.download_artifacts(run_id, heatmaps.name)).read_bytes() == b"after"


def test_a_restored_run_is_tagged() -> None:
    with tracking.run("scratch", "drawn", 3, {}, restored=True):
        pass
    assert runs()[0].data.tags[tracking.RESTORED_TAG] == "true"


def test_the_store_lies_at_the_projects_root_wherever_the_stage_runs(
    store: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("copy"))
    with tracking.run("scratch", "drawn", 3, {}):
        pass
    assert (store / "mlflow.db").is_file()
    assert runs()[0].info.artifact_uri.startswith((store / "mlruns/drawn").as_uri())


def test_a_project_that_was_moved_takes_its_artifacts_along(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = (tmp_path_factory.mktemp("a project") / name for name in ("before", "after"))
    elsewhere = (before.parent / "elsewhere/mlruns/drawn").as_uri()
    before.mkdir()
    monkeypatch.setenv("DVC_ROOT", str(before))
    heatmaps = before / "heatmaps_scratch.png"
    heatmaps.write_bytes(b"heatmaps")
    trained_with_weights()
    tracking.log_figures("drawn", HASH, {}, heatmaps, [])
    mlflow.create_experiment("a person's own", artifact_location=elsewhere)
    before.rename(after)
    monkeypatch.setenv("DVC_ROOT", str(after))
    monkeypatch.delenv("MLFLOW_TRACKING_URI")  # where this process still has its store
    with tracking.run("features", "drawn", 3, {}):
        mlflow.log_text("text", "of_after.txt")
    assert not before.exists()
    assert {run.info.run_name for run in runs()} == {"scratch", "features"}
    for run in runs():
        assert run.info.artifact_uri.startswith((after / "mlruns/drawn").as_uri())
    (old,) = [run for run in runs() if run.info.run_name == "scratch"]
    kept = mlflow.MlflowClient().download_artifacts(old.info.run_id, heatmaps.name)
    assert Path(kept).read_bytes() == b"heatmaps"
    own = mlflow.get_experiment_by_name("a person's own")
    assert own is not None and own.artifact_location == elsewhere


def test_a_lost_server_costs_a_warning_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # nobody listens there
    finished = False
    with tracking.run("scratch", "drawn", 3, {}):
        finished = True
    tracking.log_results("drawn", HASH, {"test_accuracy": 0.5})
    tracking.log_figures("drawn", HASH, {"history.png": chart()}, Path(__file__), [])
    assert finished
    assert "not tracked in MLflow: MlflowException: " in capsys.readouterr().err


def test_first_use_by_several_processes_at_once_is_safe(store: Path) -> None:
    code = "from ladder import tracking\nwith tracking.run('scratch', 'drawn', 3, {}):\n    pass"
    environment = {**os.environ, "DVC_ROOT": str(store)}
    together = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    errors = [process.communicate()[1].decode() for process in together]
    assert not any("not tracked" in error for error in errors), errors
    assert [run.info.status for run in runs()] == ["FINISHED"] * 3


def test_a_taken_port_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv("PORT", str(port))
        with pytest.raises(errors.InputError, match=rf"(?s)PORT.*{port}.*make ui PORT="):
            tracking.ui()


MODEL = """
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel
from kept import answer

class Constant(PythonModel):
    def load_context(self, context):
        self.label = answer.read(context.artifacts["model"])

    def predict(self, context, model_input: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"label": [self.label] * len(model_input)})

set_model(Constant())
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tracking.Program:
    """A model's program that answers with the text in its folder."""
    script, package = tmp_path / "program.py", tmp_path / "kept"
    package.mkdir()
    script.write_text(MODEL)
    (package / "answer.py").write_text(
        "from pathlib import Path\n\ndef read(folder):\n    return Path(folder, 'a').read_text()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    return tracking.Program(script, package, ["pandas==3.1.1"])


@pytest.fixture
def register(tmp_path: Path, program: tracking.Program) -> Callable[[str], str | None]:
    """Registers a model that answers with a text, which is its digest too."""

    def register(answer: str) -> str | None:
        folder = tmp_path / "models/drawn"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "a").write_text(answer)
        tags = {tracking.WEIGHTS_TAG: HASH, "ladder.rung": "scratch"}
        return tracking.register("drawn", folder, program, ["cat"], digest=answer, tags=tags)

    return register


def answers(uri: str) -> str:
    """Returns what a registered model answers."""
    frame = mlflow.pyfunc.load_model(uri).predict(pd.DataFrame({"picture": [b"picture"]}))
    return str(frame["label"].item())


def test_a_registered_model_is_the_champion_and_belongs_to_its_run(
    register: Callable[[str], str | None],
) -> None:
    run_id = trained_with_weights()
    assert register("oak") == "1"
    client = mlflow.MlflowClient()
    version = client.get_model_version_by_alias("drawn", "champion")
    assert (version.run_id, version.version) == (run_id, 1)
    assert version.tags["ladder.rung"] == "scratch"
    assert version.tags[tracking.WEIGHTS_TAG] == HASH
    (output,) = client.get_run(run_id).outputs.model_outputs
    assert version.source == f"models:/{output.model_id}"
    assert answers("models:/drawn@champion") == "oak"
    info = mlflow.models.get_model_info("models:/drawn@champion")
    assert info.signature.inputs.to_dict() == [
        {"name": "picture", "type": "binary", "required": True}
    ]
    assert info.signature.outputs.input_names() == ["label", "confidence", "cat"]
    kept = [*Path(client.get_logged_model(output.model_id).artifact_location[7:]).rglob("*")]
    assert not [path for path in kept if path.suffix == ".pkl"]
    assert "program.py" in {path.name for path in kept}


def test_the_same_model_is_registered_once_and_one_of_before_becomes_the_champion_again(
    register: Callable[[str], str | None],
) -> None:
    assert [register(answer) for answer in ("oak", "oak", "elm", "oak")] == ["1", "1", "2", "1"]
    assert answers("models:/drawn@champion") == "oak"
    assert answers("models:/drawn/2") == "elm"


def test_a_model_whose_files_are_lost_is_registered_again(
    store: Path, register: Callable[[str], str | None]
) -> None:
    register("oak")
    shutil.rmtree(store / "mlruns")
    assert register("oak") == "2"
    assert answers("models:/drawn@champion") == "oak"


def test_a_lost_server_costs_a_warning_and_no_version(
    register: Callable[[str], str | None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # nobody listens there
    assert register("oak") is None
    assert "not tracked in MLflow: MlflowException: " in capsys.readouterr().err
