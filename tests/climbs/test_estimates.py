from pathlib import Path
from typing import Any

import pytest
import yaml

import graph
from ladder import settings
from ladder.climbs import estimates
from ladder.paths import Subset

PICTURES: dict[Subset, int] = {"train": 600, "validation": 200, "test": 200}
RATES = {"base": 20.0, "scratch": 100.0}


def seconds(params: dict[str, Any]) -> dict[str, float]:
    return estimates.seconds(
        settings.checked(params, "params.yaml"), PICTURES, 50.0, RATES, start=6.0
    )


def test_extraction_takes_a_pass_of_every_picture_and_of_every_view(params: dict[str, Any]) -> None:
    params["augmentation"]["views"] = 4
    parts = seconds(params)
    assert parts["features"] == pytest.approx((1000 + 4 * 600) / 20)
    assert parts["pictures"] == pytest.approx(2 * 1000 / 50)


def test_trainings_from_scratch_take_their_epochs_and_validations(params: dict[str, Any]) -> None:
    for section in ("train_scratch", "train_scratch_augmented"):
        params[section] |= {"epochs": 10, "validate_every": 5}
    per_epoch = (600 + 400 / 3 / 5) / 100  # a validation is a forward pass, a third of a step
    assert seconds(params)["from scratch"] == pytest.approx(2 * 10 * per_epoch)


def test_epochs_on_small_pictures_cost_as_little_as_these_are_small(params: dict[str, Any]) -> None:
    params["image_size"] = 96
    params["train_scratch_augmented"] |= {"epochs": 10, "validate_every": 1}
    all_large = seconds(params)["from scratch"]
    params["train_scratch_augmented"] |= {"small_share": 0.6, "small_image_size": 48}
    saved = 6 * (600 * (1 - 1 / 4) + 400 / 3) / 100  # and not validated
    assert seconds(params)["from scratch"] == pytest.approx(all_large - saved)


def test_fresh_views_go_through_the_base_in_every_epoch(params: dict[str, Any]) -> None:
    params["train_end_to_end"]["epochs"], params["fine_tune"]["epochs"] = 12, 8
    stored = seconds(params)
    params["augmentation"]["views"] = 0
    fresh = seconds(params)
    assert fresh["heads"] > 12 * 600 / 20
    assert fresh["fine-tuning"] == pytest.approx(8 * 600 * 3 / 20)
    assert stored["heads"] + stored["fine-tuning"] < fresh["heads"] / 4
    assert fresh["features"] == pytest.approx(1000 / 20)


def test_room_is_that_of_pixels_features_and_activations(params: dict[str, Any]) -> None:
    params["image_size"], params["augmentation"]["views"] = 150, 4
    params["extraction"]["storage"] = "float16"
    room = estimates.room(settings.checked(params, "params.yaml"), PICTURES, originals=7_000)
    features = 4 * 4 * 512 + 9 * 9 * 512  # of VGG16 at 150 pixels: block5_pool, block4_pool
    once = 7_000 + 1000 * 150 * 150 * 3 + (1000 + 4 * 600) * features * 2
    assert room == 2 * once  # in DVC's cache as well


def test_a_base_of_another_size_stores_its_pictures_and_what_they_give(
    params: dict[str, Any],
) -> None:
    params["image_size"], params["augmentation"]["views"] = 96, 0
    params["fine_tune"]["unfreeze_from"] = params["interpretation"]["filter_layers"] = "auto"
    params["base"] |= {"name": "efficientnet_lite0", "image_size": 224, "cut": "auto"}
    params["interpretation"] |= {"pattern_size": 112, "steps": 10}  # five layers, 3 filters of each
    room = estimates.room(settings.checked(params, "params.yaml"), PICTURES, originals=0)
    numbers = 7 * 7 * 192 + 1280  # block6d_add; averages of 1,280 maps
    assert room == 2 * (1000 * (96 * 96 + 224 * 224) * 3 + 1000 * numbers * 2)
    assert seconds(params)["patterns"] == pytest.approx(5 * 3 * 10 * (112 / 224) ** 2 * 3 / 20)
    assert seconds(params)["pictures"] == pytest.approx(3 * 1000 / 50)


def test_every_stage_has_to_start_and_patterns_are_drawn(params: dict[str, Any]) -> None:
    params["image_size"] = 64
    params["interpretation"] |= {"pattern_size": 32, "steps": 10}  # 2 layers, 3 filters of each
    parts = seconds(params)
    assert parts["patterns"] == pytest.approx(2 * 3 * 10 * (32 / 64) ** 2 * 3 / 20)
    assert parts["the rest"] == pytest.approx(26 * 3 + 19 * 6 + 2 * 400 / 100)


def test_as_many_stages_start_as_the_graph_has(monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(__file__).parents[2]
    monkeypatch.chdir(root)
    stages = yaml.safe_load((root / "dvc.yaml").read_text())["stages"]
    scripts = [
        Path((stage.get("do") or stage)["cmd"].split()[1])
        for stage in stages.values()
        for _ in stage.get("foreach", [None])
    ]
    assert len(scripts) == estimates.STAGES
    with_networks = [s for s in scripts if "networks.runtime" in graph.reached(s, at_the_top=True)]
    assert len(with_networks) == estimates.NETWORK_STAGES
