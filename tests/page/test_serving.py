import base64
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from PIL import Image

import graph
import ladder
from ladder import artifacts, errors, paths, rungs
from ladder.networks import deployed, models
from ladder.networks.runtime import keras
from ladder.page import serving
from ladder.pictures import images
from ladder.pictures.drawing import draw

ROOT = Path(__file__).parent.parent.parent
SIZE = 48
CLASS_NAMES = ["cat", "dog", "label"]  # the last one is called like a column
COLUMNS = ["label", "confidence", "class cat", "class dog", "class label"]
CHAMPION = "models:/photos@champion"
# Loads the champion where this package cannot be imported, and prints its place and predictions.
ELSEWHERE = """
import base64, importlib.util, json, sys
sys.path = [path for path in sys.path if path != sys.argv[1]]
assert importlib.util.find_spec("ladder") is None
import mlflow, pandas as pd
model = mlflow.pyfunc.load_model("models:/photos@champion")
import ladder
pictures = [open(path, "rb").read() for path in sys.argv[2:]]
frame = model.predict(pd.DataFrame({"picture": pictures}))
print(json.dumps([ladder.__file__, frame.to_dict("list")]))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The working directory: a project with a model `photos`, whose random weights differ."""
    folder = tmp_path_factory.mktemp("a project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("DVC_ROOT", str(folder))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        Path("new").mkdir()
        for number in range(6):
            pixels = draw(number % 3, 60, np.random.default_rng(number))
            Image.fromarray(pixels).save(f"new/{number}.{'jpg' if number % 2 else 'png'}")
        deploy()
        yield folder


def deploy() -> None:
    description = models.Description(
        rung="scratch",
        image_size=SIZE,
        class_names=CLASS_NAMES,
        dropout=0.0,
        base=None,
        fed="images",
    )
    keras.utils.set_random_seed(7)
    network = models.build(description)
    last = network.get_layer("probabilities")
    pixels = np.stack([images.decode(path.read_bytes(), SIZE) for path in pictures()])
    features = keras.Model(network.input, last.input)(pixels.astype(np.float32)).numpy()
    kernel = np.random.default_rng(1).normal(0, 20, last.kernel.shape)
    last.set_weights([kernel, -(features @ kernel).mean(axis=0)])  # no class wins every picture
    files = paths.DatasetPaths("photos")
    for rung in rungs.RUNGS:
        artifacts.write_text(files.weights(rung), f"weights of {rung}")
        content = {"model": description.model_dump(), "runtime": {"policy": "float32"}}
        artifacts.write_json(files.description(rung), content)
    models.write(network, files.weights("scratch"))
    accuracy = {"accuracy": 0.9, "ci_low": 0.8, "ci_high": 0.95, "pictures": 40}
    deployed.deploy(files, "scratch", files.model, {"test_accuracy": accuracy})


@pytest.fixture(scope="module")
def version(project: Path) -> str | None:
    """The version that the model was registered as."""
    return serving.register("photos")


def pictures() -> list[Path]:
    return sorted(Path("new").iterdir())


def by_the_tool() -> pd.DataFrame:
    """Returns what `ladder predict` says of the pictures, without their paths."""
    return ladder.load("photos").predict(pictures()).frame[COLUMNS]


def assert_alike(frame: pd.DataFrame) -> None:
    """Checks labels and probabilities of the pictures against the tool's."""
    expected = by_the_tool()
    assert frame.columns.tolist() == COLUMNS
    assert frame["label"].tolist() == expected["label"].tolist()
    numbers = COLUMNS[1:]
    np.testing.assert_allclose(frame[numbers], expected[numbers], rtol=0, atol=1e-6)


def test_the_champion_says_what_the_tool_says_where_the_tool_is_not_installed(
    project: Path, version: str | None
) -> None:
    assert version == "1"
    assert len({*by_the_tool()["label"]}) > 1
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment["MLFLOW_TRACKING_URI"] = f"sqlite:///{project}/mlflow.db"
    source = str(Path(ladder.__file__).parent.parent)
    command = [sys.executable, "-c", ELSEWHERE, source, *map(str, pictures())]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    place, columns = json.loads(done.stdout.splitlines()[-1])
    assert Path(place).is_relative_to(project / "mlruns")
    assert_alike(pd.DataFrame(columns))


def test_it_is_registered_once_with_what_it_is(version: str | None) -> None:
    assert serving.register("photos") == version
    client = mlflow.MlflowClient()
    (registered,) = client.search_model_versions("name = 'photos'")
    weights = artifacts.sha256(Path("models/photos/scratch.weights.h5"))
    assert {
        "ladder.rung": "scratch",
        "ladder.test_accuracy": "0.9",
        "ladder.test_pictures": "40",
        "ladder.weights_sha256": weights,
    }.items() <= registered.tags.items()
    kept = {path.name for path in Path("mlruns").rglob("artifacts/photos/*")}
    assert kept == {"model.json", "scratch.json", "scratch.weights.h5"}  # no other rung
    signature = mlflow.models.get_model_info(CHAMPION).signature
    assert [(each.name, each.type.name) for each in signature.inputs] == [("picture", "binary")]
    outputs = [(each.name, each.type.name) for each in signature.outputs]
    assert outputs == [("label", "string"), *((name, "float") for name in COLUMNS[1:])]


def test_pictures_come_as_bytes_or_base64_and_one_that_cannot_be_read_is_named(
    version: str | None,
) -> None:
    champion = mlflow.pyfunc.load_model(CHAMPION)
    contents = [path.read_bytes() for path in pictures()]
    encoded = [base64.b64encode(contents[0]).decode(), base64.encodebytes(contents[1])]
    assert_alike(champion.predict(pd.DataFrame({"picture": [*encoded, *contents[2:]]})))
    for bad, reason in ((b"text", "not a picture"), (None, "NoneType"), ("", "empty")):
        with pytest.raises(mlflow.MlflowException, match=rf"picture 2: expected .*{reason}"):
            champion.predict(pd.DataFrame({"picture": [contents[0], bad]}))


def test_its_libraries_are_those_that_its_code_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    program = graph.SOURCE / "page/served.py"
    modules = graph.reached(program)
    assert not {name for name in modules if name.split(".")[0] in serving.LEFT_OUT}
    files = [graph.SOURCE / f"{name.replace('.', '/')}.py" for name in modules]
    text = "\n".join(path.read_text() for path in [program, *files])
    imported = {*re.findall(r"^\s*(?:import|from) (\w+)", text, re.MULTILINE)}
    distributions = {
        "PIL": "pillow",
        "cv2": "opencv-python-headless",
        "pillow_heif": "pillow-heif",
        "pydantic_core": "pydantic",
        "ruamel": "ruamel.yaml",
    }
    ours = {"ladder", "mlflow", *sys.stdlib_module_names}  # MLflow pins itself
    libraries = {distributions.get(name, name) for name in imported - ours}
    assert libraries == {*serving.LIBRARIES, *serving.OPTIONAL, "tensorflow"}
    pinned = dict(line.split("==") for line in serving.requirements())
    assert libraries - {*serving.OPTIONAL, "tensorflow"} <= pinned.keys()
    assert len(pinned.keys() & {*serving.TENSORFLOW}) == 1


def test_a_model_whose_weights_lie_elsewhere_is_refused(project: Path) -> None:
    weights, aside = Path("models/photos/scratch.weights.h5"), Path("aside.h5")
    weights.rename(aside)
    try:
        with pytest.raises(errors.InputError, match=r"models/photos: expected scratch\.weights"):
            serving.register("photos")
    finally:
        aside.rename(weights)


def test_serve_checks_model_and_port_first(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(errors.InputError, match="one of photos"):
        serving.serve("oaks", 5001)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(errors.InputError, match=rf"(?s)port.*{port}.*--port"):
            serving.serve("photos", port)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # nobody listens there
    with pytest.raises(errors.InputError, match="MLflow's registry"):
        serving.serve("photos", port)
    assert capsys.readouterr().out == ""


def wait(port: int, process: "subprocess.Popen[str]", seconds: float = 120) -> None:
    """Waits until the server answers."""
    end = time.monotonic() + seconds
    while True:
        assert process.poll() is None, "the server ended"
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=5).close()
            return
        except OSError:
            assert time.monotonic() < end, "no server"
            time.sleep(0.5)


def post(port: int, content: object) -> pd.DataFrame:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/invocations",
        json.dumps(content).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
        return pd.DataFrame(json.load(response)["predictions"])


@pytest.mark.slow
def test_the_server_says_what_the_tool_says_and_ends_with_ctrl_c(
    project: Path, version: str | None
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = f"import sys; from ladder.page import serving; sys.exit(serving.serve(None, {port}))"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # where `&` ignores it
    ) as process:
        try:
            assert process.stdout is not None
            first = [process.stdout.readline() for _ in range(3)]
            wait(port, process)
            texts = [base64.b64encode(path.read_bytes()).decode() for path in pictures()]
            records = [{"picture": text} for text in texts]
            for content in (
                {"dataframe_records": records},
                {"dataframe_split": {"columns": ["picture"], "data": [[text] for text in texts]}},
                {"inputs": {"picture": texts}},
                {"instances": records},
            ):
                assert_alike(post(port, content))
            with pytest.raises(urllib.error.HTTPError) as refused:
                post(port, {"dataframe_records": [records[0], {"picture": "dGV4dA=="}]})
            assert refused.value.code == 400
            assert "picture 2: expected a picture" in refused.value.read().decode()
            refused.value.close()
            line = first[2].replace("PICTURE", str(pictures()[1]))
            if shutil.which("curl"):
                asked = ["bash", "-c", line.replace("curl ", "curl -s ")]
                answer = subprocess.run(asked, capture_output=True, check=True).stdout
                of_curl = pd.DataFrame(json.load(io.BytesIO(answer))["predictions"])
                expected = by_the_tool().iloc[[1]].reset_index(drop=True)
                pd.testing.assert_frame_equal(
                    of_curl.astype(expected.dtypes), expected, rtol=0, atol=1e-6
                )
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        finally:
            process.terminate()  # its own server goes with it
    end = time.monotonic() + 10
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                assert time.monotonic() < end, "the server is still there"
                time.sleep(0.2)
        except OSError:
            break
