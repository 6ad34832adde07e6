"""Fixtures that several test files share; none of them needs TensorFlow."""

import io
import json
import shutil
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import hypothesis
import numpy as np
import pytest
import yaml
from PIL import Image
from xdist.scheduler import LoadScopeScheduling

from ladder import artifacts, provenance, settings
from ladder.climbs import experiments
from ladder.pictures import archives, drawing, sources

if TYPE_CHECKING:
    from selenium import webdriver

ROOT = Path(__file__).parent.parent
Climb = Callable[..., subprocess.CompletedProcess[str]]

hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeatable")  # the same examples every time, none stored

needs_chromium = pytest.mark.skipif(
    shutil.which("chromedriver") is None,
    reason="needs Chromium and its driver (Debian: chromium chromium-driver)",
)

FIT = {
    "epochs": 2,
    "batch_size": 4,
    "learning_rate": 1e-3,
    "schedule": "constant",
    "patience": 2,
    "minimum_epochs": 1,
    "validate_every": 1,
}
PARAMS: dict[str, Any] = {
    "seed": 0,
    "dataset": {"name": "cifar10", "source": "cifar10", "sha256": None},
    "split": {
        "train": 4,
        "validation": 2,
        "test": 2,
        "group": None,
        "hash_distance": 20,
        "unreadable_share": 0.01,
        "train_used_per_class": None,
        "shuffle_train_labels": False,
        "corrections": None,
    },
    "class_weight": "none",
    "image_size": 48,
    "base": {
        "name": "vgg16",
        "image_size": None,
        "weights": "none",
        "weights_file": None,
        "weights_sha256": None,
        "preprocessing": "imagenet",
        "cut": "block4_pool",
        "output": "auto",
    },
    "augmentation": {
        "views": 2,
        "rotation_degrees": 40,
        "shift_fraction": 0.2,
        "shear_degrees": 0.2,
        "zoom_fraction": 0.2,
        "horizontal_flip": True,
    },
    "extraction": {"batch_size": 4, "storage": "float16"},
    "audit": {"hash_distance": 70, "folds": 2, "inverse_regularization": 8.0},
    "evaluation": {"margin_points": 2.0},
    "runtime": {"precision": "float32", "threads": 1},
    "train_scratch": {**FIT, "dropout": 0.0},
    "train_scratch_augmented": {
        **FIT,
        "dropout": 0.5,
        "small_share": 0.0,
        "small_image_size": 48,
    },
    "train_head": {**FIT, "dropout": 0.5},
    "train_end_to_end": {**FIT, "dropout": 0.0, "unfreeze_from": "flatten"},
    "fine_tune": {**FIT, "unfreeze_from": "block5_conv1"},
    "interpretation": {
        "picture": 0,
        "pictures_per_gallery": 2,
        "filter_layers": ["block1_conv1", "block3_conv2"],
        "filters_per_layer": 3,
        "pattern_size": 32,
        "steps": 2,
    },
}


class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # xdist's class is untyped
    """Keeps a file's tests in one process, and in one all that look at the one climb."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "climb" if Path(file).stem in {"test_browser", "test_pipeline"} else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    # Not `--dist loadgroup`: xdist 3.8.0 loses the groups with pytest 9.2 (2026-11).
    return ByFile(config, log)


@pytest.fixture
def params() -> dict[str, Any]:
    """A whole and valid params.yaml for tiny pictures, the test's own to change."""
    copy: dict[str, Any] = json.loads(json.dumps(PARAMS))
    return copy


@pytest.fixture
def at_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the working directory, as the project's root is for a stage."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write_params(at_root: Path) -> Callable[[Mapping[str, Any]], Path]:
    """Writes params.yaml into the working directory, which is `tmp_path`, and returns its path."""

    def write(content: Mapping[str, Any]) -> Path:
        path = at_root / settings.PARAMS
        path.write_text(json.dumps(content, indent=2))  # JSON is YAML
        return path

    return write


def write_zip(members: Mapping[str, bytes], path: Path, method: int = zipfile.ZIP_STORED) -> Path:
    """Writes a zip archive of the members and returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def zipped(tmp_path: Path) -> Callable[..., Path]:
    """Writes a zip archive of its members: `zipped({name: bytes}, path=…, method=…)`."""

    def write(
        members: Mapping[str, bytes],
        path: Path = tmp_path / "images.zip",
        method: int = zipfile.ZIP_STORED,
    ) -> Path:
        return write_zip(members, path, method)

    return write


def drawn_pictures(
    classes: tuple[str, ...] = ("cat", "dog"), count: int = 8, size: int = 48
) -> dict[str, bytes]:
    """Returns members `train/cat.0.jpg` … of an archive; the same arguments draw the same."""
    members = {}
    for kind, class_name in enumerate(classes):
        for number in range(count):
            pixels = drawing.draw(kind, size, np.random.default_rng([kind, number]))
            content = io.BytesIO()
            Image.fromarray(pixels).save(content, "JPEG", quality=95)
            members[f"train/{class_name}.{number}.jpg"] = content.getvalue()
    return members


@pytest.fixture
def drawn_archive(tmp_path: Path) -> Callable[..., Path]:
    """Writes a zip archive of `drawn_pictures(…)`, to `path` if there is one; returns its path."""

    def write(path: Path = tmp_path / "images.zip", **arguments: Any) -> Path:
        return write_zip(drawn_pictures(**arguments), path)

    return write


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes every look-up of a name and every connection fail the test."""

    def refuse(*_arguments: Any, **_options: Any) -> NoReturn:
        pytest.fail("the test reaches for the network")  # no Exception: nothing swallows it

    for name in ("getaddrinfo", "create_connection"):
        monkeypatch.setattr(socket, name, refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with params for a climb of a minute."""
    copy = tmp_path_factory.mktemp("project with a space") / "ladder"
    for name in (
        "stages",
        "src",
        ".dvc/config",
        ".dvcignore",
        ".gitignore",
        "data/.gitignore",
        "dvc.yaml",
        "reports/dogs_vs_cats/studies/README.md",
        "reports/quick",
    ):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name)
        else:
            shutil.copy(ROOT / name, copy / name)
    if not [*(copy / provenance.QUICK).glob("*/weights.json")]:  # none committed yet
        artifacts.write_json(copy / provenance.QUICK / "stored/weights.json", {})
    subprocess.run(["git", "init", "-q"], cwd=copy, check=True)
    return copy


def commit(copy: Path) -> None:
    author = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    for command in (["add", "."], [*author, "commit", "-qm", "copy"]):
        subprocess.run(["git", *command], cwd=copy, check=True)


@pytest.fixture(scope="session")
def dvc(copy: Path) -> Climb:
    archive = write_zip(drawn_pictures(count=16), copy.parent / "pictures.zip")
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["dataset"] = {
        "name": "dogs_vs_cats",
        "source": "dogs_vs_cats",
        "sha256": archives.sha256(archive),
    }
    params["split"] = {
        **params["split"],
        "train": 8,
        "validation": 4,
        "test": 4,
    }
    params["image_size"] = 48
    params["base"] |= {"weights": "none", "image_size": 64}
    params["augmentation"]["views"] = 2
    params["interpretation"] |= {"filters_per_layer": 3, "pattern_size": 32, "steps": 2}
    for section in params.values():
        if isinstance(section, dict) and "epochs" in section:
            section |= {"epochs": 2, "batch_size": 4}
    (copy / "params.yaml").write_text(yaml.safe_dump(params))
    commit(copy)
    environment = experiments.environment_of_copy() | {sources.PICTURES_VARIABLE: str(archive)}

    def run(*arguments: str, module: str = "dvc") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", module, *arguments]
        return subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture(scope="session")
def climbed(copy: Path, dvc: Climb) -> Path:
    done = dvc("repro")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return copy


@pytest.fixture(scope="module")
def browser() -> "Iterator[webdriver.Chrome]":
    """Starts Chromium without a window."""
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage"):
        options.add_argument(f"--{argument}")
    options.add_argument("--window-size=1400,1000")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, Service(shutil.which("chromedriver")))
    driver.set_page_load_timeout(120)
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of random weights of VGG16."""
    from ladder.networks import bases, models, weights  # TensorFlow, in the tests of networks alone

    model = bases.build("vgg16")
    weights.draw(model, seed=0)
    path = tmp_path_factory.mktemp("base") / "vgg16.weights.h5"
    models.write(model, path)
    return path
