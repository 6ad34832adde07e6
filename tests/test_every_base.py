"""Every base goes through all stages of dvc.yaml, with random weights, on drawn pictures.

The stages of a climb run in one process here. One base goes by DVC: see test_pipeline.
"""

import multiprocessing
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

import in_one_process
from conftest import drawn_pictures, write_zip
from graph import flat_stages, rerun_by
from ladder import artifacts, base_names, paths, rungs, settings
from ladder.evidence import evaluation
from ladder.networks import bases, digests
from ladder.page import grids
from ladder.pictures import archives, sources

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
FILES = paths.DatasetPaths("dogs_vs_cats")
Climb = Callable[..., Path]
# EfficientNet-Lite1 and -Lite2 are Lite0 with other numbers: see tests/networks/test_bases.py.
NAMES = [
    name for name in base_names.BASES if name not in ("efficientnet_lite1", "efficientnet_lite2")
]
FRESH_VIEWS = {"mobilenet", "mobilenet_v2"}  # climb without stored views as well
# Rungs 3 to 5 have the same network; these alone have all three looked at, and a page.
LOOKED_AT = {"vgg16", "mobilenet"}
LOOKS = {"interpret@features", "interpret@features_augmented", "render"}
EPOCH = {"epochs": 1, "minimum_epochs": 1, "batch_size": 4, "validate_every": 1}


@pytest.fixture(scope="module")
def climb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Climb]:
    """Climbs with a base; its convnets from scratch are those of the first climb."""
    folder = tmp_path_factory.mktemp("bases") / "ladder"
    for name in ("stages", "reports/quick"):
        shutil.copytree(ROOT / name, folder / name)
    archive = write_zip(drawn_pictures(), folder.parent / "pictures.zip")
    environment = {sources.PICTURES_VARIABLE: str(archive)}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, in_one_process.begin, (environment,)) as process:

        def climb(name: str, stages: set[str], views: int = 1, output: str = settings.AUTO) -> Path:
            params = params_of(name, views, archives.sha256(archive))
            params["base"]["output"] = output
            (folder / "params.yaml").write_text(yaml.safe_dump(params))
            is_first = not (folder / FILES.predictions("scratch")).exists()
            commands = [
                content["cmd"].removeprefix("python ")
                for stage, content in flat_stages().items()
                if stage in stages or (is_first and stage not in LOOKS)
            ]
            process.submit(in_one_process.run, folder, commands).result()
            return folder

        yield climb


def params_of(name: str, views: int, sha256: str) -> dict[str, Any]:
    """Returns the project's params for tiny pictures, a base, and its smallest pictures."""
    params: dict[str, Any] = yaml.safe_load((ROOT / "params.yaml").read_text())
    size = base_names.BASES[name].smallest_size
    params["dataset"] = {"name": FILES.name, "source": "dogs_vs_cats", "sha256": sha256}
    params["split"] |= {"train": 4, "validation": 2, "test": 2}
    params["image_size"] = 48
    params["base"] |= {"name": name, "weights": "none", "image_size": size}
    params["augmentation"]["views"] = views
    params["audit"]["folds"] = 2
    params["runtime"] = {"precision": "float32", "threads": 2}
    params["interpretation"] |= {
        "pictures_per_gallery": 1,
        "filters_per_layer": 2,
        "pattern_size": size,
        "steps": 2,
    }
    for section in params.values():
        if isinstance(section, dict) and "epochs" in section:
            section |= EPOCH
    return params


@pytest.mark.parametrize("name", NAMES)
def test_a_base_goes_through_all_stages(climb: Climb, name: str) -> None:
    stages = rerun_by("base") | {"decode"}
    check(climb(name, stages if name in LOOKED_AT else stages - LOOKS), name)
    if name in FRESH_VIEWS:
        check(climb(name, rerun_by("augmentation.views") - LOOKS, views=0), name)


@pytest.mark.parametrize(
    ("name", "output", "cut"),
    [("vgg16", "block4_pool", "block3_pool"), ("mobilenet", "conv_pw_9_relu", "conv_pw_7_relu")],
)
def test_the_first_layers_of_a_base_go_through_all_stages(
    climb: Climb, name: str, output: str, cut: str
) -> None:
    stages = rerun_by("base") | {"decode"}
    check(climb(name, stages, output=output), name, cut)


def check(project: Path, name: str, cut: str = "") -> None:
    """Checks what a climb with a base left."""
    row, reports = bases.BASES[name], project / FILES.reports
    ladder = pd.read_csv(reports / "ladder.csv").set_index("rung")
    assert tuple(ladder.index) == rungs.RUNGS
    trained = ladder.loc[list(rungs.RUNGS[2:]), "trainable_parameters"]
    assert trained["features"] == trained["features_augmented"] < trained["fine_tuned"]
    for rung in rungs.RUNGS[2:]:
        about = artifacts.read_json(project / FILES.description(rung))["model"]
        assert (about["base"]["name"], about["base"]["cut"]) == (name, cut or row.cut)
        # in prediction a rung is fed what it was fed in training: then it answers the same
        history = pd.read_csv(project / FILES.history(rung)).iloc[-1]
        predictions = pd.read_csv(project / FILES.predictions(rung))
        validation = predictions[predictions["subset"] == "validation"]
        measured = evaluation.measure(validation)
        assert measured["accuracy"] == history["val_accuracy"]
        if validation["probability"].between(1e-4, 1 - 1e-4).all():  # not rounded to 0 or 1
            assert measured["loss"] == pytest.approx(history["val_loss"], rel=1e-3)
        weights = digests.weights(project / FILES.weights(rung))
        assert weights == artifacts.read_json(reports / "weights.json")[rung]
    about = artifacts.read_json(project / FILES.description("fine_tuned"))["model"]
    seen = artifacts.read_npz(project / FILES.interpretation("fine_tuned"))
    blocks = bases.ends_of_blocks(settings.BuiltBase(**about["base"]))
    assert len(blocks) > 1 or not row.pooled
    assert {*blocks} <= {*seen["layers"].tolist()}
    for method in grids.METHODS:
        assert ((seen[method] >= 0) & (seen[method] <= 1)).all()
    size = base_names.BASES[name].smallest_size
    patterns = artifacts.read_npz(project / FILES.interpretation("base"))
    assert tuple(patterns) == row.filter_layers
    assert {pattern.shape for pattern in patterns.values()} == {(2, size, size, 3)}
    handed_over = artifacts.read_json(project / FILES.model / "fine_tuned.json")["model"]
    assert handed_over["base"]["name"] == name
    assert (reports / "ladder.html").is_file() or name not in LOOKED_AT
