"""What makes a climb of a seed count again; `test_pipeline.py` climbs."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ladder import artifacts, errors, provenance, rungs, tracking
from ladder.climbs import climbs, experiments, recipes, seeds
from ladder.evidence import answers

ROOT = Path(__file__).parents[2]
PARAMS: dict[str, Any] = {
    "seed": 0,
    "dataset": {"name": "cifar10", "source": "cifar10", "sha256": None},
    "split": {"shuffle_train_labels": False},
    "runtime": {"precision": "auto"},
    "fine_tune": {"epochs": 2},
}
IDENTITY = provenance.Identity(PARAMS, "1a2b", "float32", "2.21.0", "3.15.1")
MACHINE = {"policy": "float32", "threads": "2"}
PREDICTIONS = pd.DataFrame(
    {
        "id": ["a", "b", "c", "d"],
        "label": [0, 1] * 2,
        "probability": [0.1, 0.7, 0.2, 0.4],
        "subset": ["validation"] * 2 + ["test"] * 2,
    }
)
REPORTS = Path("reports/cifar10")
PLAN = recipes.Plan("cifar10", ("a=b",), REPORTS, REPORTS / "studies", "cifar10", ())


def climb(seed: int, *, right: bool | None = None) -> pd.DataFrame:
    """Returns one seed's answers of one rung, of which the last is wrong, or as `right` says."""
    frame = answers.of_predictions(PREDICTIONS, "scratch", seed)
    return frame if right is None else frame.assign(right=right)


def of_seeds(*numbers: int, right: bool | None = None) -> seeds.Seeds:
    machines = pd.DataFrame({"seed": [*numbers], **MACHINE})
    together = pd.concat([climb(seed, right=right) for seed in numbers], ignore_index=True)
    return seeds.Seeds(together, machines)


def assert_equal(one: seeds.Seeds, other: seeds.Seeds) -> None:
    """Columns may stand in another order; numbers of threads are read as such."""
    pd.testing.assert_frame_equal(one.answers, other.answers, check_like=True)
    ours, theirs = (each.machines.astype(str) for each in (one, other))
    pd.testing.assert_frame_equal(ours, theirs)


def test_a_study_is_read_as_it_was_written(tmp_path: Path) -> None:
    seeds.write(tmp_path, of_seeds(0, 2), IDENTITY)
    assert_equal(seeds.read(tmp_path), of_seeds(0, 2))
    assert provenance.read(tmp_path / "seeds.json") == IDENTITY
    summary = pd.read_csv(tmp_path / "seeds_summary.csv").set_index("subset")
    assert summary["seeds"].tolist() == [2, 2]
    assert summary["mean"].tolist() == [1.0, 0.5]
    values = pd.read_csv(tmp_path / "seeds.csv")
    assert values.to_dict("list") == {
        "rung": ["scratch"] * 4,
        "subset": ["validation", "test"] * 2,
        "seed": [0, 0, 2, 2],
        "accuracy": [1.0, 0.5] * 2,
    }
    machines = pd.read_csv(tmp_path / "seeds_climbs.csv", dtype=str).to_dict("records")
    assert machines == [{"seed": seed, **MACHINE} for seed in ("0", "2")]
    assert (tmp_path / "seeds_steps.csv").is_file()


def test_seeds_are_joined_in_their_order() -> None:
    assert_equal(of_seeds(3).plus(of_seeds(0, 2)), of_seeds(0, 2, 3))
    joined = seeds.NONE.plus(of_seeds(1))
    assert_equal(joined, of_seeds(1))
    assert joined.answers["right"].dtype == bool
    assert joined.answers["seed"].dtype == joined.machines["seed"].dtype == int


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (dataclasses.replace(IDENTITY, fingerprint="3c4d"), "fingerprint: 1a2b, 3c4d"),
        (
            dataclasses.replace(IDENTITY, policy="mixed_bfloat16"),
            "policy: float32, mixed_bfloat16",
        ),
        (dataclasses.replace(IDENTITY, tensorflow="2"), "tensorflow: 2.21.0, 2"),
        (dataclasses.replace(IDENTITY, keras="3"), "keras: 3.15.1, 3"),
        (
            dataclasses.replace(IDENTITY, params={**PARAMS, "fine_tune": {"epochs": 3}}),
            "fine_tune.epochs: 2, 3",
        ),
    ],
)
def test_seeds_of_another_identity_give_way_and_the_reason_is_printed(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    other: provenance.Identity,
    reason: str,
) -> None:
    studies = tmp_path / "studies"
    rung: tuple[rungs.Rung] = ("scratch",)
    assert seeds.known(tmp_path, studies, IDENTITY, rung).machines.empty
    seeds.write(studies, of_seeds(0, 2), IDENTITY)
    assert_equal(seeds.known(tmp_path, studies, IDENTITY, rung), of_seeds(0, 2))
    assert capsys.readouterr().err == ""
    known = seeds.known(tmp_path, studies, other, rung)
    assert known.machines.empty
    assert known.answers.empty
    assert capsys.readouterr().err == f"ladder: the seeds of {studies} give way; {reason}\n"
    seeds.write(studies, known.plus(of_seeds(1)), other)
    assert_equal(seeds.known(tmp_path, studies, other, rung), of_seeds(1))


def test_every_seed_of_shuffled_labels_has_a_deal_of_its_own() -> None:
    as_they_are, shuffled = ({"split": {"shuffle_train_labels": deal}} for deal in (False, 1))
    assert seeds.of_seed(3, as_they_are) == ["seed=3"]
    assert seeds.of_seed(0, shuffled) == ["seed=0", "split.shuffle_train_labels=1"]
    assert seeds.of_seed(3, shuffled) == ["seed=3", "split.shuffle_train_labels=4"]


def write_reports(reports: Path, seed: int) -> None:
    """Writes the reports of a climb of this seed."""
    identity = dataclasses.replace(IDENTITY, params={**PARAMS, "seed": seed})
    provenance.write(reports / "climb.json", identity, pictures="5e6f")
    artifacts.write_json(reports / "runtime.json", {"fine_tuned": MACHINE})
    for rung in rungs.RUNGS:
        artifacts.write_csv(reports / f"predictions/{rung}.csv", PREDICTIONS)


def test_the_ladder_in_the_reports_is_a_seed_of_its_own_code_and_params(tmp_path: Path) -> None:
    reports, studies = tmp_path, tmp_path / "studies"
    write_reports(reports, seed=4)
    known = seeds.known(reports, studies, IDENTITY, rungs.RUNGS)
    assert known.machines.to_dict("records") == [{"seed": 4, **MACHINE}]
    assert known.machines["seed"].dtype == int
    assert known.answers.groupby("rung").size().to_dict() == dict.fromkeys(rungs.RUNGS, 4)
    assert known.answers["right"].tolist() == [True, True, True, False] * 5
    seeds.write(studies, known, IDENTITY)
    again = seeds.known(reports, studies, IDENTITY, rungs.RUNGS)
    assert len(again.machines) == 1  # and not twice
    assert_equal(seeds.Seeds(again.answers, known.machines), known)
    other = dataclasses.replace(IDENTITY, fingerprint="3c4d")
    assert seeds.known(reports, studies, other, rungs.RUNGS).machines.empty


def test_the_seeds_of_a_study_and_the_ladder_in_the_reports_count_together(tmp_path: Path) -> None:
    write_reports(tmp_path, seed=1)
    every = [
        answers.of_predictions(PREDICTIONS, rung, seed) for seed in (0, 2) for rung in rungs.RUNGS
    ]
    study = seeds.Seeds(pd.concat(every), of_seeds(0, 2).machines)
    seeds.write(tmp_path / "studies", study, IDENTITY)
    known = seeds.known(tmp_path, tmp_path / "studies", IDENTITY, rungs.RUNGS)
    assert known.machines["seed"].tolist() == [0, 1, 2]
    assert known.answers.groupby("seed").size().to_dict() == dict.fromkeys(range(3), 20)


def test_the_seeds_of_recipes_are_compared_with_those_of_the_default(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seeds.compare(tmp_path)
    assert [*tmp_path.iterdir()] == []
    seeds.write(tmp_path / "studies", of_seeds(0, 1), IDENTITY)
    seeds.compare(tmp_path)
    table = tmp_path / "studies/recipes_seeds.csv"
    assert not table.exists()  # there is no recipe
    longer = dataclasses.replace(IDENTITY, params={**PARAMS, "fine_tune": {"epochs": 9}})
    seeds.write(tmp_path / "studies/mine", of_seeds(0, 1, right=True), longer)
    seeds.compare(tmp_path)
    (row,) = pd.read_csv(table).to_dict("records")
    assert (row["recipe"], row["default_mean"], row["mean"]) == ("mine", 0.5, 1.0)
    assert provenance.read(table.with_suffix(".json")) == IDENTITY
    assert capsys.readouterr().err == ""
    grouped = {**PARAMS, "split": {"shuffle_train_labels": False, "group": "[0-9]+"}}
    theirs = {**PARAMS, "dataset": {"name": "cifar10", "source": "cifar10", "sha256": "other"}}
    for recipe, other, reason in (
        (
            "of_other_code",
            dataclasses.replace(longer, fingerprint="3c4d"),
            "fingerprint: 1a2b, 3c4d",
        ),
        ("of_other_keras", dataclasses.replace(longer, keras="3"), "keras: 3.15.1, 3"),
        ("of_other_pictures", dataclasses.replace(longer, params=theirs), "other pictures"),
        ("of_other_groups", dataclasses.replace(longer, params=grouped), "other pictures"),
    ):
        seeds.write(tmp_path / "studies" / recipe, of_seeds(0, 1, right=True), other)
        seeds.compare(tmp_path)
        assert pd.read_csv(table)["recipe"].tolist() == ["mine"]
        line = f"ladder: seeds of {recipe} are not compared; {reason}"
        assert line in capsys.readouterr().err.splitlines()
    (tmp_path / "studies/mine/seeds.json").unlink()
    seeds.compare(tmp_path)
    assert not table.exists()
    assert not table.with_suffix(".json").exists()


@pytest.mark.parametrize(("dependent", "rows"), [("scratch", 0), ("fine_tuned", 1)])
def test_seeds_of_before_other_params_changed_are_not_compared(
    at_root: Path, capsys: pytest.CaptureFixture[str], dependent: str, rows: int
) -> None:
    """Those of the rungs that depend on the params; the seeds here are of the first rung."""
    artifacts.write_text(at_root / "recipes/mine.txt", "image_size=96\n")
    stages = {
        f"predict@{rung}": {
            "params": {"params.yaml": dict.fromkeys(("image_size", *more), 1)},
            "outs": [{"path": f"{rung}.csv", "md5": "3"}],
        }
        for rung in rungs.RUNGS
        for more in [("fine_tune",) if rung == dependent else ()]
    }
    reports = at_root / "reports/mine"
    artifacts.write_json(reports / "climb.lock", {"stages": stages})  # JSON is YAML
    seeds.write(reports / "studies", of_seeds(0, 1), IDENTITY)
    before = {**PARAMS, "image_size": 96, "fine_tune": {"epochs": 9}}
    of_recipe = dataclasses.replace(IDENTITY, params=before)
    seeds.write(reports / "studies/mine", of_seeds(0, 1, right=True), of_recipe)
    seeds.compare(reports)
    assert len(pd.read_csv(reports / "studies/recipes_seeds.csv")) == rows
    reason = f"ladder: {dependent} of mine is not compared; fine_tune.epochs: 2, 9\n"
    assert capsys.readouterr().err == reason


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, at_root: Path) -> list[tuple[str, list[str]]]:
    """The climbs that the command asks for, none of which is climbed."""
    runs: list[tuple[str, list[str]]] = []

    def climb(name: str, overrides: list[str], targets: Sequence[str]) -> str:
        runs.append((name, [*overrides, *targets]))
        return name

    def show(commit: str, path: Path) -> bytes:
        assert path.is_relative_to("reports/cifar10")
        if path.name == "climb.json":
            return json.dumps(dataclasses.asdict(IDENTITY)).encode()
        if path.name == "runtime.json":
            return json.dumps({"fine_tuned": {**MACHINE, "threads": commit[-1]}}).encode()
        return PREDICTIONS.to_csv(index=False).encode()

    def fetched(commit: str, path: Path) -> str:
        assert path.is_relative_to("data/cifar10")
        if path.suffix == ".json":
            machine = {**MACHINE, "tensorflow": "2.21.0", "keras": "3.15.1", "threads": commit[-1]}
            return json.dumps({"fingerprint": "1a2b", "runtime": machine})
        return PREDICTIONS.to_csv(index=False)

    monkeypatch.setattr(climbs, "planned", lambda _: IDENTITY)
    monkeypatch.setattr(experiments, "fetched", fetched)
    monkeypatch.setattr(experiments, "climb", climb)
    monkeypatch.setattr(experiments, "show", show)
    monkeypatch.setattr(experiments, "check_code_committed", lambda: None)
    monkeypatch.setattr(tracking, "group", lambda *_: None)
    return runs


def test_only_seeds_that_are_missing_are_climbed(asked: list[tuple[str, list[str]]]) -> None:
    write_reports(Path("reports/cifar10"), seed=1)
    seeds.run(3, PLAN)
    assert asked == [
        ("cifar10-seed-0", ["a=b", "seed=0", "evaluate"]),  # which needs every rung's predictions
        ("cifar10-seed-2", ["a=b", "seed=2", "evaluate"]),
    ]
    studies = Path("reports/cifar10/studies")
    study = seeds.read(studies)
    assert study.machines["seed"].tolist() == [0, 1, 2]
    assert study.machines["threads"].tolist() == [0, 2, 2]
    assert study.answers.groupby(["rung", "seed"]).size().tolist() == [4] * 15
    assert "scratch,test,2,0.5\n" in (studies / "seeds.csv").read_text()  # 2, and not 2.0
    seeds.run(3, PLAN)
    assert len(asked) == 2  # all count


def test_of_a_recipe_only_the_rungs_are_climbed_that_it_changes(
    asked: list[tuple[str, list[str]]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    logged: dict[str, Mapping[str, float]] = {}
    monkeypatch.setattr(experiments, "sha256", lambda _, path: path.name)
    monkeypatch.setattr(
        tracking, "log_results", lambda _, sha256, metrics: logged.update({sha256: metrics})
    )
    default, reports = Path("reports/cifar10"), Path("reports/cifar10/mine")
    for folder in (default, reports):
        write_reports(folder, seed=0)
    changed: tuple[rungs.Rung, ...] = ("features", "fine_tuned")
    for rung in changed:
        other = PREDICTIONS.assign(probability=1 - PREDICTIONS["probability"])
        artifacts.write_csv(reports / f"predictions/{rung}.csv", other)
    studies = default / "studies/mine"
    plan = dataclasses.replace(PLAN, reports=reports, studies=studies, recipes=("mine",))
    seeds.run(2, plan)
    targets = [f"predict@{rung}" for rung in changed]
    assert asked == [("cifar10-seed-1", ["a=b", "seed=1", *targets])]
    accuracies = {"validation_accuracy": 1.0, "test_accuracy": 0.5}
    assert logged == {f"{rung}.weights.h5": accuracies for rung in changed}
    study = seeds.read(studies)
    assert study.answers.groupby(["rung", "seed"]).size().to_dict() == {
        (rung, seed): 4 for rung in changed for seed in (0, 1)
    }
    (step,) = pd.read_csv(studies / "seeds_steps.csv").to_dict("records")
    assert (step["rung"], step["other"]) == ("fine_tuned", "features")
    artifacts.write_csv(default / "predictions/scratch.csv", PREDICTIONS.iloc[1:])
    assert climbs.rungs_that_differ(reports, default) == ("scratch", *changed)
    seeds.run(2, plan)
    assert "give way; without scratch\n" in capsys.readouterr().err
    assert seeds.read(studies).answers["rung"].unique().tolist() == ["scratch", *changed]


def test_where_no_ladder_is_to_compare_with_all_rungs_count(tmp_path: Path) -> None:
    write_reports(tmp_path / "mine", seed=0)
    assert climbs.rungs_that_differ(tmp_path / "mine", tmp_path) == rungs.RUNGS
    assert climbs.rungs_that_differ(tmp_path, tmp_path) == rungs.RUNGS
    write_reports(tmp_path, seed=0)  # with the same answers
    assert climbs.rungs_that_differ(tmp_path / "mine", tmp_path) == rungs.RUNGS


def test_a_change_half_way_ends_the_study_and_keeps_what_was_climbed(
    asked: list[tuple[str, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = dataclasses.replace(IDENTITY, fingerprint="3c4d")
    monkeypatch.setattr(climbs, "planned", lambda _: changed if len(asked) == 2 else IDENTITY)
    with pytest.raises(
        errors.InputError, match="a change since the first: fingerprint: 1a2b, 3c4d"
    ):
        seeds.run(3, PLAN)
    assert seeds.read(Path("reports/cifar10/studies")).machines["seed"].tolist() == [0, 1]


def test_a_climb_from_another_machines_cache_is_no_seed_of_the_study(
    asked: list[tuple[str, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """DVC's run cache knows neither the policy nor the versions of libraries."""
    monkeypatch.setattr(
        climbs, "planned", lambda _: dataclasses.replace(IDENTITY, tensorflow="2.99.0")
    )
    with pytest.raises(errors.InputError, match=r"run cache: tensorflow: 2\.99\.0, 2\.21\.0"):
        seeds.run(2, PLAN)
    assert len(asked) == 1
    assert not Path("reports/cifar10/studies").exists()


def test_one_seed_is_no_study(asked: list[tuple[str, list[str]]]) -> None:
    with pytest.raises(errors.InputError, match=r"N: expected at least 2 seeds\. Received: 1"):
        seeds.run(1, PLAN)
    assert asked == []


COMMITTED = sorted(path.parent for path in (ROOT / "reports").glob("*/studies/**/seeds.csv"))


@pytest.mark.parametrize("studies", COMMITTED, ids=lambda path: path.parent.name + path.name)
def test_a_committed_study_holds_what_its_tables_are_made_of(studies: Path) -> None:
    study, identity = seeds.read(studies), provenance.read(studies / "seeds.json")
    values = pd.read_csv(studies / "seeds.csv")
    assert {*values["seed"]} == {*study.machines["seed"]} == {*study.answers["seed"]}
    by = ["rung", "subset", "seed"]
    accuracies = study.answers.groupby(by)["right"].mean().sort_index()
    pd.testing.assert_series_equal(
        values.set_index(by)["accuracy"].sort_index(), accuracies, check_names=False
    )
    assert {*study.machines["policy"]} == {identity.policy}
