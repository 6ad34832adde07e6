"""The graph of chapter/dvc.yaml, and its stages on drawn digits."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from numpy.typing import NDArray

import graph
from ladder import artifacts
from ladder.experiments import plan

ROOT = Path(__file__).parent.parent
STAGES: dict[str, Any] = yaml.safe_load((ROOT / "chapter/dvc.yaml").read_text())["stages"]


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def script(name: str) -> Path:
    return Path(STAGES[name]["cmd"].split()[1])


@pytest.mark.parametrize("name", STAGES)
def test_declared_packages_are_the_packages_imported(name: str) -> None:
    declared = [dep for dep in STAGES[name]["deps"] if dep.startswith(("src/", "chapter/"))]
    assert {*declared} == graph.code_deps(script(name))


@pytest.mark.parametrize("name", STAGES)
def test_declared_params_are_those_that_the_stage_reads(name: str) -> None:
    (declared,) = STAGES[name].get("params", [{"chapter/params.yaml": []}])
    read = set(re.findall(r"settings\.(\w+)", script(name).read_text()))
    assert {*declared["chapter/params.yaml"]} == read


def test_every_section_is_read_and_every_script_is_a_stage() -> None:
    declared = [stage.get("params", [{"chapter/params.yaml": []}])[0] for stage in STAGES.values()]
    assert {key for each in declared for key in each["chapter/params.yaml"]} == {
        *plan.Chapter.model_fields
    }
    scripts = {path.relative_to(ROOT) for path in (ROOT / "chapter/stages").glob("*.py")}
    assert {script(name) for name in STAGES} == scripts


def drawn(count: int) -> dict[str, Any]:
    """Bars, whose place is the label, with noise."""
    random = np.random.default_rng(count)
    labels = random.integers(0, 10, count).astype(np.uint8)
    images = random.integers(0, 60, (count, 28, 28)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4:24, 4 + 2 * label : 6 + 2 * label] = 255
    return {"images": images, "labels": labels}


# Little of everything.
SMALL: dict[str, dict[str, Any]] = {
    "digits": {"epochs": 1},
    "shifts": {"test_pictures": 100},
    "pooling": {"train_pictures": 300, "epochs": 1},
    "animals": {"train": 64, "validation": 20, "test": 32},
    "blocks": {"train_pictures": 40},
    "views": {"train_pictures": 32, "count": 2},
    "heads": {"epochs": 3, "batch_size": 8},
    "fine_tuning": {"epochs": 1, "batch_size": 16, "pasted_pictures": 4},
    "unfreezing": {"train_pictures": 16, "head_epochs": 1, "epochs": 1, "batch_size": 8},
    "amounts": {"train_pictures": [16, 32], "seen": 64, "batch_size": 8, "head_seen": 64},
}


def write_small_params(project: Path) -> None:
    params = yaml.safe_load((ROOT / plan.PARAMS).read_text()) | {"seeds": 2}
    for name, values in SMALL.items():
        for key, value in values.items():
            params[name][key] = value
    artifacts.write_text(project / plan.PARAMS, yaml.safe_dump(params))


def write_pictures(project: Path) -> None:
    """Writes drawn digits, and animals that differ in their colour."""
    train, test = drawn(2000), drawn(300)
    arrays = {f"x_{n}": a["images"] for n, a in (("train", train), ("test", test))}
    arrays |= {f"y_{n}": a["labels"] for n, a in (("train", train), ("test", test))}
    artifacts.write_npz(project / plan.MNIST, arrays)
    random = np.random.default_rng(0)
    animals: dict[str, NDArray[np.uint8]] = {}
    for subset, count in (("train", 64), ("validation", 20), ("test", 32)):
        labels = (np.arange(count) % 2).astype(np.uint8)
        images = random.integers(0, 100, (count, 32, 32, 3)).astype(np.uint8)
        images[labels == 1, ..., 0] += 120
        animals |= {f"{subset}_images": images, f"{subset}_labels": labels}
    artifacts.write_npz(project / plan.ANIMALS, animals)


@pytest.mark.slow
def test_the_stages_end_in_tables_and_a_page(tmp_path: Path) -> None:
    write_small_params(tmp_path)
    write_pictures(tmp_path)
    shutil.copytree(ROOT / "chapter/stages", tmp_path / "chapter/stages")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DVC_", "MLFLOW_"))}
    for name in [name for name in STAGES if name not in ("mnist", "animals")]:
        command = [sys.executable, str(script(name))]
        source = {"PYTHONPATH": str(ROOT / "src")}
        subprocess.run(command, cwd=tmp_path, env=environment | source, check=True, timeout=900)
    outs = [out for stage in STAGES.values() for out in stage["outs"]]
    for out in outs:
        assert (tmp_path / (out if isinstance(out, str) else next(iter(out)))).exists()
    headline = artifacts.read_json(tmp_path / plan.REPORTS / "digits.json")
    digits = artifacts.read_npz(tmp_path / plan.DIGITS)
    assert headline["test_accuracy"] == pytest.approx(digits["convnet"].mean())
    assert headline["test_accuracy"] > 0.5
    claims = pd.read_csv(tmp_path / plan.REPORTS / "claims.csv")
    page = (tmp_path / plan.PAGE).read_text()
    assert all(f"Here: {verdict}." in page for verdict in claims["verdict"])
    counted = claims[claims["claim"].str.contains("coefficients")]
    assert counted["verdict"].tolist() == ["holds"]
    depth = pd.read_csv(tmp_path / plan.REPORTS / "depth.csv").set_index("block")
    assert depth.loc["block1_pool", "animals"] == 1  # by their colour
