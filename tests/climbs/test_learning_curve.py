"""What is asked of it; `test_pipeline.py` climbs."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from ladder import errors, provenance, rungs, settings
from ladder.climbs import climbs, experiments, learning_curve, recipes
from ladder.pictures import sources

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize(
    ("counts", "most"), [([50, 1001], 1000), ([0], 1000), ([50, 50], 1000), ([50, 201], 200)]
)
def test_numbers_of_pictures_that_there_are_not_are_refused_before_the_first_climb(
    counts: list[int], most: int
) -> None:
    with pytest.raises(errors.InputError, match="COUNTS: expected numbers of train pictures"):
        learning_curve.check(counts, most)


def test_as_many_pictures_as_there_are_are_allowed() -> None:
    learning_curve.check([1, 1000], 1000)
    learning_curve.check([200], 200)


@pytest.mark.parametrize(
    ("most", "counts"),
    [(1000, [50, 100, 250, 500, 1000]), (200, [10, 20, 50, 100, 200]), (3, [1, 2, 3]), (1, [1])],
)
def test_where_nobody_says_how_many_they_are_shares_of_all(most: int, counts: list[int]) -> None:
    assert learning_curve.shares(most) == counts
    learning_curve.check(counts, most)


def test_fewer_pictures_are_trained_on_for_as_long() -> None:
    params = settings.read(settings.PARAMS).model_dump()
    overrides = recipes.values(learning_curve.on_fewer(250, [1000], params))
    assert overrides["split.train_used_per_class"] == 250
    for section in ("train_head", "train_end_to_end", "fine_tune"):
        fit = params[section]
        epochs = overrides[f"{section}.epochs"]
        assert epochs * 2 * 250 == fit["epochs"] * 2 * 1000  # pictures seen
        validations = fit["epochs"] // fit["validate_every"]
        assert epochs // overrides[f"{section}.validate_every"] == validations
        assert overrides[f"{section}.patience"] == 4 * fit["patience"]


def test_on_all_pictures_nothing_is_changed() -> None:
    params = settings.read(settings.PARAMS).model_dump()
    overrides = recipes.values(learning_curve.on_fewer(1000, [1000], params))
    assert overrides.pop("split.train_used_per_class") == 1000
    assert all(params[key.split(".")[0]][key.split(".")[1]] == overrides[key] for key in overrides)


def test_of_classes_that_have_fewer_all_pictures_are_taken() -> None:
    params = settings.read(settings.PARAMS).model_dump()
    overrides = recipes.values(learning_curve.on_fewer(50, [30, 90, 120], params))
    epochs = params["train_end_to_end"]["epochs"]
    assert overrides["train_end_to_end.epochs"] * (30 + 50 + 50) == pytest.approx(
        epochs * (30 + 90 + 120), abs=0.5 * 130
    )
    assert overrides["split.train_used_per_class"] == 50


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([f"{name}/{i}.jpg" for name, n in (("oak", 10), ("elm", 5)) for i in range(n)], [3, 6]),
        (
            [
                f"{subset}/{name}/{i}.jpg"
                for subset, of_each in (("train", 7), ("val", 2), ("test", 3))
                for name in ("oak", "elm")
                for i in range(of_each)
            ],
            [7, 7],
        ),
    ],
)
def test_where_a_split_is_of_shares_the_folder_says_how_many_train_pictures_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: list[str], expected: list[int]
) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"\xff\xd8\xff")
    monkeypatch.setenv(sources.PICTURES_VARIABLE, str(tmp_path))
    split = {"train": 0.6, "validation": 0.2, "test": 0.2}
    assert learning_curve.train_pictures(split) == expected


def test_where_a_split_is_of_counts_it_says_them_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(sources.PICTURES_VARIABLE, raising=False)
    split = {"train": 1000, "validation": 500, "test": 500}
    assert learning_curve.train_pictures(split) == [1000]


@pytest.fixture
def planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> provenance.Identity:
    """The identity of every climb of a study whose results are written into `tmp_path`."""
    params = settings.read(settings.PARAMS).model_dump(mode="json")
    identity = provenance.Identity(params, "1a2b", "float32", "2.21.0", "3.15.1")
    monkeypatch.setattr(climbs, "planned", lambda _: identity)
    monkeypatch.setattr(experiments, "check_code_committed", lambda: None)
    return identity


@pytest.fixture
def plan(tmp_path: Path) -> recipes.Plan:
    return recipes.Plan("cifar10", ("a=b",), Path("reports/cifar10"), tmp_path, "cifar10", ())


MACHINE = {"policy": "float32", "tensorflow": "2.21.0", "keras": "3.15.1"}


def fetched(commit: str, path: Path) -> str:
    """Returns what a climb on so many pictures of two classes, as its commit says, left."""
    if path.suffix == ".json":
        return json.dumps({"fingerprint": "1a2b", "runtime": MACHINE})
    if path.name == "manifest.csv":
        frame = pd.DataFrame({"subset": ["train"] * 2 * int(commit) + ["test"] * 8})
    else:
        frame = pd.DataFrame({"id": [*"abcdefgh"], "label": [0, 1] * 4, "subset": "test"})
        frame["probability"] = [0.1, 0.9 if int(commit) > 50 else 0.2] * 4
    return frame.to_csv(index=False)


def test_a_study_climbs_on_every_number_and_keeps_its_identity(
    planned: provenance.Identity,
    plan: recipes.Plan,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs: list[tuple[str, list[str], list[str]]] = []

    def climb(name: str, overrides: Sequence[str], targets: Sequence[str]) -> str:
        runs.append((name, [*overrides], [*targets]))
        return name.rpartition("-")[2]

    monkeypatch.setattr(experiments, "climb", climb)
    monkeypatch.setattr(experiments, "fetched", fetched)
    learning_curve.run([50, 1000], plan)
    assert [name for name, *_ in runs] == ["cifar10-of-50", "cifar10-of-1000"]
    for (_, overrides, targets), count in zip(runs, (50, 1000), strict=True):
        assert overrides == ["a=b", *learning_curve.on_fewer(count, [1000], planned.params)]
        assert targets == [f"predict@{rung}" for rung in rungs.ON_A_BASE]
    curve = pd.read_csv(tmp_path / "learning_curve.csv")
    by_pictures = curve.groupby("train_pictures")["mean"].unique()
    assert {count: [*means] for count, means in by_pictures.items()} == {100: [0.5], 2000: [1.0]}
    gains = pd.read_csv(tmp_path / "learning_curve_gains.csv")
    assert gains["gain"].tolist() == [0.5] * 3
    assert provenance.read(tmp_path / "learning_curve.json") == planned


def test_a_change_half_way_ends_the_study_before_the_next_climb(
    planned: provenance.Identity,
    plan: recipes.Plan,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    climbed: list[str] = []
    changed = dataclasses.replace(planned, fingerprint="3c4d")

    def climb(name: str, *_: Sequence[str]) -> str:
        climbed.append(name)
        return name.rpartition("-")[2]

    monkeypatch.setattr(climbs, "planned", lambda _: changed if climbed else planned)
    monkeypatch.setattr(experiments, "climb", climb)
    monkeypatch.setattr(experiments, "fetched", fetched)
    with pytest.raises(errors.InputError, match="change since the first: fingerprint: 1a2b, 3c4d"):
        learning_curve.run([50, 1000], plan)
    assert climbed == ["cifar10-of-50"]
    assert [*tmp_path.iterdir()] == []


def test_a_rung_from_another_machines_cache_ends_the_study(
    planned: provenance.Identity, plan: recipes.Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = dataclasses.replace(planned, policy="mixed_bfloat16")
    monkeypatch.setattr(climbs, "planned", lambda _: other)
    monkeypatch.setattr(experiments, "climb", lambda name, *_: name.rpartition("-")[2])
    monkeypatch.setattr(experiments, "fetched", fetched)
    with pytest.raises(errors.InputError, match=r"run cache: policy: mixed_bfloat16, float32"):
        learning_curve.run([50, 1000], plan)
