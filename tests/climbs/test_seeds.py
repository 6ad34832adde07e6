"""What makes a climb of a seed count again; `test_pipeline.py` climbs."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from ruamel.yaml import YAML

from ladder import artifacts, paths, provenance, rungs
from ladder.climbs import seeds


def climb(seed: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": ["a", "b"] * 2,
            "label": [0, 1] * 2,
            "probability": [0.1, 0.7, 0.2, 0.4],
            "subset": ["validation"] * 2 + ["test"] * 2,
            "rung": "scratch",
            "seed": seed,
        }
    )


def test_seeds_of_other_code_give_way_and_the_others_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = tmp_path / "studies"
    assert [len(frame) for frame in seeds.known(tmp_path, made, "new")] == [0, 0]
    climbed = pd.DataFrame({"seed": [0, 1, 2], "digest": ["new", "old", "new"]})
    seeds.write(made, (pd.concat([climb(seed) for seed in range(3)]), climbed), {})
    predictions, same = seeds.known(tmp_path, made, "new")
    assert same["seed"].tolist() == [0, 2]
    assert "1 seeds of" in capsys.readouterr().out
    expected = pd.concat([climb(0), climb(2)], ignore_index=True)
    pd.testing.assert_frame_equal(predictions.reset_index(drop=True), expected)
    seeds.write(made, (predictions, same), {})
    summary = pd.read_csv(made / "seeds_summary.csv").set_index("subset")
    assert summary["seeds"].tolist() == [2, 2]
    assert summary["mean"].tolist() == [1.0, 0.5]


def test_every_seed_of_shuffled_labels_has_a_deal_of_its_own() -> None:
    as_they_are, shuffled = ({"split": {"shuffle_train_labels": deal}} for deal in (False, 1))
    assert seeds.of_seed(3, as_they_are) == ["seed=3"]
    assert seeds.of_seed(0, shuffled) == ["seed=0", "split.shuffle_train_labels=1"]
    assert seeds.of_seed(3, shuffled) == ["seed=3", "split.shuffle_train_labels=4"]


def test_the_ladder_in_the_reports_is_a_seed_of_its_own_code_and_params(tmp_path: Path) -> None:
    params, code = {"seed": 0, "fine_tune": {"epochs": 2}}, {"src/ladder/models.py": "md5"}
    reports, digest = tmp_path, provenance.digest(params, code)
    stages: dict[str, dict[str, Any]] = {
        "train": {"deps": [{"path": path, "md5": md5} for path, md5 in code.items()]},
        "render": {"deps": [{"path": "stages/render.py", "md5": "other"}]},
    }
    stages["train"]["params"] = {"params.yaml": {**params, "seed": 4}}
    artifacts.write_json(reports / "climb.lock", {"stages": stages})  # JSON is YAML
    artifacts.write_json(reports / "runtime.json", {"fine_tuned": {"policy": "float32"}})
    for rung in rungs.RUNGS:
        artifacts.write_csv(reports / f"predictions/{rung}.csv", climb(4).drop(columns="rung"))
    predictions, climbed = seeds.known(reports, reports / "studies", digest)
    only_code = provenance.digest({}, code)
    row = {"seed": 4, "digest": digest, "code": only_code, "policy": "float32"}
    assert climbed.to_dict("records") == [row]
    assert climbed["seed"].dtype == int
    assert predictions.groupby("rung").size().to_dict() == dict.fromkeys(rungs.RUNGS, 4)
    seeds.write(reports / "studies", (predictions, climbed), params)
    again = seeds.known(reports, reports / "studies", digest)
    assert len(again[1]) == 1  # and not twice
    pd.testing.assert_frame_equal(again[0], predictions.reset_index(drop=True))
    assert len(seeds.known(reports, reports / "studies", "other")[1]) == 0


def test_a_study_of_other_classes_leaves_no_column_behind(tmp_path: Path) -> None:
    climbed = pd.DataFrame({"seed": [0], "digest": ["old"]})
    seeds.write(tmp_path / "studies", (climb(0), climbed), {})
    three = climb(0).drop(columns="probability").assign(probability_0=1.0, probability_1=0.0)
    one = three, climbed.assign(digest="new")
    predictions, _ = seeds.together(seeds.known(tmp_path, tmp_path / "studies", "new"), one)
    assert predictions.columns.tolist() == three.columns.tolist()
    assert predictions.notna().to_numpy().all()


def test_the_params_of_a_study_are_the_same_in_every_version_of_yaml(tmp_path: Path) -> None:
    climbed = pd.DataFrame({"seed": [0], "digest": ["new"]})
    params = {"seed": 0, "fine_tune": {"learning_rate": 2e-05, "schedule": "cosine"}}
    seeds.write(tmp_path, (climb(0), climbed), params)
    path = tmp_path / "seeds_params.yaml"
    assert yaml.safe_load(path.read_text()) == params  # YAML 1.1
    assert YAML(typ="safe", pure=True).load(path) == params  # 1.2, as DVC


def test_the_seeds_of_recipes_stand_beside_those_of_the_default(tmp_path: Path) -> None:
    climbed = pd.DataFrame({"seed": [0, 1], "digest": "new", "code": "new"})
    found = pd.concat([climb(0), climb(1)]), climbed
    seeds.compare(tmp_path)
    seeds.write(tmp_path / "studies", found, {})
    seeds.compare(tmp_path)
    beside = tmp_path / "studies/recipes_seeds.csv"
    assert not beside.exists()  # there is no recipe
    better = found[0].assign(probability=found[0]["label"].astype(float))
    seeds.write(tmp_path / "studies/mine", (better, climbed), {})
    seeds.compare(tmp_path)
    (row,) = pd.read_csv(beside).to_dict("records")
    assert (row["recipe"], row["default_mean"], row["mean"]) == ("mine", 0.5, 1.0)
    other = {"dataset": {"source": "drawn", "archive_sha256": "other"}}
    seeds.write(tmp_path / "studies/of_other_pictures", (better, climbed), other)
    seeds.write(tmp_path / "studies/of_other_code", (better, climbed.assign(code="old")), {})
    seeds.compare(tmp_path)
    assert pd.read_csv(beside)[["recipe", "digest"]].to_numpy().tolist() == [["mine", "new"]]
    seeds.write(tmp_path / "studies/mine", (better, climbed.drop(columns="code")), {})
    seeds.compare(tmp_path)
    assert not beside.exists()
