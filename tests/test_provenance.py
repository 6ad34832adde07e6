"""What makes two climbs alike, on params and locks written by hand."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ladder import artifacts, errors, provenance, rungs, settings

ROOT = Path(__file__).parent.parent
PARAMS: dict[str, Any] = {
    "seed": 0,
    "split": {"train": 8, "shuffle_train_labels": False},
    "runtime": {"precision": "auto"},
    "fine_tune": {"epochs": 8},
    "audit": {"folds": 5},
    "evaluation": {"margin_points": 2.0},
    "interpretation": {"steps": 2},
}
IDENTITY = provenance.Identity(PARAMS, "1a2b", "float32", "2.21.0", "3.15.1")


def with_params(**sections: Any) -> provenance.Identity:
    return dataclasses.replace(IDENTITY, params={**PARAMS, **sections})


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one source file and the results of two forms of the quick climb."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src/models.py").write_text("UNITS = 256\n")
    for form in ("stored", "fresh"):
        folder = tmp_path / provenance.QUICK / form
        artifacts.write_json(folder / "weights.json", {"scratch": "aa"})
        artifacts.write_json(folder / "runtime.json", {"threads": "2"})
        artifacts.write_csv(folder / "predictions/scratch.csv", pd.DataFrame({"probability": [1]}))
    return tmp_path


def test_a_renamed_or_edited_source_file_leaves_the_fingerprint_as_it_is(project: Path) -> None:
    before = provenance.fingerprint(project)
    (project / "src/models.py").rename(project / "src/networks.py")
    (project / "src/networks.py").write_text("# The units of the dense layer.\nUNITS = 256\n")
    assert provenance.fingerprint(project) == before
    assert len(before) == 16
    assert int(before, 16) >= 0


def test_the_fingerprint_is_the_same_wherever_the_project_lies(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = provenance.fingerprint(project)
    monkeypatch.chdir(project)
    assert provenance.fingerprint(Path()) == before
    moved = project.rename(project.with_name("moved"))
    assert provenance.fingerprint(moved) == before


def test_a_machine_that_climbed_the_quick_form_is_not_of_the_fingerprint(project: Path) -> None:
    before = provenance.fingerprint(project)
    artifacts.write_json(project / provenance.QUICK / "stored/runtime.json", {"threads": "64"})
    assert provenance.fingerprint(project) == before


def change_weights(quick: Path) -> None:
    artifacts.write_json(quick / "fresh/weights.json", {"scratch": "bb"})


def change_predictions(quick: Path) -> None:
    artifacts.write_csv(quick / "stored/predictions/scratch.csv", pd.DataFrame({"probability": []}))


def lose_a_result(quick: Path) -> None:
    (quick / "fresh/predictions/scratch.csv").unlink()


def add_a_rung(quick: Path) -> None:
    artifacts.write_csv(quick / "fresh/predictions/more.csv", pd.DataFrame({"probability": [1]}))


def rename_a_form(quick: Path) -> None:
    (quick / "fresh").rename(quick / "other")


@pytest.mark.parametrize(
    "change", [change_weights, change_predictions, lose_a_result, add_a_rung, rename_a_form]
)
def test_a_changed_result_makes_another_fingerprint(
    project: Path, change: Callable[[Path], None]
) -> None:
    before = provenance.fingerprint(project)
    change(project / provenance.QUICK)
    assert provenance.fingerprint(project) != before


def test_without_results_there_is_no_fingerprint(tmp_path: Path) -> None:
    (tmp_path / provenance.QUICK / "stored").mkdir(parents=True)
    with pytest.raises(
        errors.InputError,
        match=r"reports/quick: expected the committed results of the quick form\. Received: none",
    ):
        provenance.fingerprint(tmp_path)


@pytest.mark.parametrize(
    ("other", "reasons"),
    [
        (dataclasses.replace(IDENTITY), []),
        (with_params(seed=7), []),
        (with_params(audit={"folds": 9}, interpretation={"steps": 3}), []),
        (with_params(evaluation={"margin_points": 1.0}), []),
        (dataclasses.replace(IDENTITY, params=dict(reversed(PARAMS.items()))), []),
        (dataclasses.replace(IDENTITY, fingerprint="3c4d"), ["fingerprint: 1a2b, 3c4d"]),
        (
            dataclasses.replace(IDENTITY, policy="mixed_bfloat16"),
            ["policy: float32, mixed_bfloat16"],
        ),
        (dataclasses.replace(IDENTITY, tensorflow="2.20.0"), ["tensorflow: 2.21.0, 2.20.0"]),
        (dataclasses.replace(IDENTITY, keras="3.12.0"), ["keras: 3.15.1, 3.12.0"]),
        (with_params(fine_tune={"epochs": 4}), ["fine_tune.epochs: 8, 4"]),
        (with_params(image_size=64), ["image_size: nothing, 64"]),
        (with_params(fine_tune={}), ["fine_tune.epochs: 8, nothing"]),
        (
            dataclasses.replace(with_params(fine_tune={"epochs": 4}), fingerprint="3c4d"),
            ["fingerprint: 1a2b, 3c4d", "fine_tune.epochs: 8, 4"],
        ),
    ],
)
def test_every_reason_why_two_climbs_are_not_alike_is_named(
    other: provenance.Identity, reasons: list[str]
) -> None:
    assert provenance.differences(IDENTITY, other) == reasons


def test_a_deal_of_labels_goes_with_the_seed() -> None:
    none, one, other = (
        with_params(split=PARAMS["split"] | {"shuffle_train_labels": deal})
        for deal in (False, 1, 2)
    )
    assert provenance.differences(one, other) == []
    assert provenance.differences(none, one) == ["split.shuffle_train_labels: False, True"]
    deals = [identity.params["split"]["shuffle_train_labels"] for identity in (none, one, other)]
    assert deals == [False, 1, 2]


def test_params_may_differ_between_climbs_that_are_compared_but_the_code_may_not() -> None:
    fewer_epochs = with_params(fine_tune={"epochs": 4})
    assert provenance.differences_of_code(IDENTITY, fewer_epochs) == []
    for name in ("fingerprint", "tensorflow", "keras", "policy"):
        change: dict[str, Any] = {name: "other"}
        changed = dataclasses.replace(fewer_epochs, **change)
        reasons = provenance.differences_of_code(IDENTITY, changed)
        assert reasons == [f"{name}: {getattr(IDENTITY, name)}, other"]


def test_the_policy_may_differ_where_the_params_ask_for_another_precision() -> None:
    bfloat16 = dataclasses.replace(
        with_params(runtime={"precision": "bfloat16"}), policy="mixed_bfloat16"
    )
    assert provenance.differences_of_code(IDENTITY, bfloat16) == []
    another_machine = dataclasses.replace(IDENTITY, policy="mixed_bfloat16")  # of the same params
    reasons = provenance.differences_of_code(IDENTITY, another_machine)
    assert reasons == ["policy: float32, mixed_bfloat16"]
    other_code = dataclasses.replace(bfloat16, fingerprint="3c4d")
    assert provenance.differences_of_code(IDENTITY, other_code) == ["fingerprint: 1a2b, 3c4d"]


def test_a_climb_has_the_policies_and_versions_of_all_its_rungs() -> None:
    runtime = {"policy": "float32", "tensorflow": "2.21.0", "keras": "3.15.1", "threads": "2"}
    alike = provenance.of_climb(PARAMS, ["1a2b", "1a2b"], [runtime, runtime])
    assert alike == IDENTITY
    newer = {**runtime, "keras": "3.16.0", "policy": "mixed_bfloat16"}
    mixed = provenance.of_climb(PARAMS, ["3c4d", "1a2b"], [newer, runtime])
    assert mixed.fingerprint == "1a2b, 3c4d"
    assert (mixed.policy, mixed.keras) == ("float32, mixed_bfloat16", "3.15.1, 3.16.0")
    assert mixed.tensorflow == "2.21.0"


def test_an_identity_is_read_as_it_was_written(tmp_path: Path) -> None:
    params = settings.read(ROOT / settings.PARAMS).model_dump(mode="json")
    identity = dataclasses.replace(IDENTITY, params=params)
    provenance.write(tmp_path / "climb.json", identity, pictures="5e6f")
    again = provenance.read(tmp_path / "climb.json")
    assert again == identity
    assert provenance.differences(again, identity) == []
    assert artifacts.read_json(tmp_path / "climb.json")["pictures"] == "5e6f"


def test_pictures_are_known_by_their_bytes_ids_and_subsets() -> None:
    manifest = pd.DataFrame(
        {
            "id": ["cat.0", "cat.1"],
            "path": ["a.jpg", "b.jpg"],
            "subset": ["train", "test"],
            "sha256": ["0" * 64, "1" * 64],
        }
    )
    pictures = provenance.pictures(manifest)
    assert provenance.pictures(manifest.assign(path=["c/a.jpg", "c/b.jpg"])) == pictures
    for changed in (
        manifest.assign(sha256=["0" * 64, "2" * 64]),  # an equal name in another archive
        manifest.assign(subset=["test", "train"]),
        manifest.assign(id=["cat.0", "cat.2"]),
        manifest[:1],
    ):
        assert provenance.pictures(changed) != pictures


def stage(deps: str, outs: str, **params: Any) -> dict[str, Any]:
    """Returns a stage as a lock has it."""
    read = [{"path": path, "md5": path.upper()} for path in deps.split()]
    written = [{"path": path, "md5": "1"} for path in outs.split()]
    return {"deps": read, "params": {"params.yaml": params}, "outs": written}


def write_lock(path: Path, stages: dict[str, Any]) -> Path:
    """Writes a lock whose rungs, where `stages` has none, come from nothing."""
    others = {f"predict@{rung}": stage("", f"{rung}.csv") for rung in rungs.RUNGS}
    artifacts.write_json(path, {"stages": others | stages})  # JSON is YAML
    return path


def test_a_rung_comes_from_the_stages_that_lead_to_its_predictions(tmp_path: Path) -> None:
    stages = {
        "split": stage("split.py raw", "manifest", **{"seed": 3, "interpretation.picture": 0}),
        "train_head": stage("train.py manifest", "head", train_head={"epochs": 2}),
        "train_scratch": stage("scratch.py manifest", "scratch", train_scratch={"epochs": 9}),
        "predict@features": stage("predict.py head", "features.csv"),
        "predict@scratch": stage("predict.py scratch", "scratch.csv"),
        "evaluate": stage("features.csv scratch.csv", "ladder.csv", seed=9),
    }
    by_rung = provenance.params_by_rung(write_lock(tmp_path / "climb.lock", stages))
    assert [*by_rung] == list(rungs.RUNGS)
    assert by_rung["features"] == {"seed": 3, "train_head": {"epochs": 2}}
    assert by_rung["scratch"] == {"seed": 3, "train_scratch": {"epochs": 9}}
    assert by_rung["fine_tuned"] == {}


@pytest.mark.parametrize(
    ("out", "dep"),
    [
        ("data/images", "data/images"),
        ("data/images/train.npy", "data/images"),  # what is read is a folder that holds it
        ("data/images", "data/images/train.npy"),  # what is written is a folder that holds it
    ],
)
def test_a_folder_stands_for_what_it_holds(tmp_path: Path, out: str, dep: str) -> None:
    stages = {
        "decode": stage("raw", out, image_size=64),
        "extract_views": stage("raw", "data/images_of_views", seed=5),  # not in data/images
        "predict@scratch": stage(dep, "scratch.csv"),
    }
    by_rung = provenance.params_by_rung(write_lock(tmp_path / "climb.lock", stages))
    assert by_rung["scratch"] == {"image_size": 64}


def test_stages_that_lead_to_one_another_are_met_once(tmp_path: Path) -> None:
    stages = {
        "one": stage("data/other", "data/one", seed=1),
        "other": stage("data/one", "data/other", image_size=64),
        "predict@scratch": stage("data", "scratch.csv"),
    }
    by_rung = provenance.params_by_rung(write_lock(tmp_path / "climb.lock", stages))
    assert by_rung["scratch"] == {"seed": 1, "image_size": 64}


LOCKS = [ROOT / "dvc.lock", *sorted((ROOT / "reports").glob("dogs_vs_cats/**/climb.lock"))]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.parent.name)
def test_committed_rungs_come_from_their_own_params_alone(lock: Path) -> None:
    """And from all of them: what makes the stored features, but not what is no base's."""
    by_rung = provenance.params_by_rung(lock)
    of_base = {"base", "extraction"}
    for rung, trained, others in (
        ("scratch", {"train_scratch"}, set[str]()),
        ("scratch_augmented", {"train_scratch_augmented"}, set[str]()),
        ("features", {"train_head"}, of_base),
        ("features_augmented", {"train_end_to_end"}, of_base | {"augmentation"}),
        ("fine_tuned", {"train_end_to_end", "fine_tune"}, of_base | {"augmentation"}),
    ):
        params = by_rung[rungs.named(rung)]
        fits = {key for key in params if key.startswith("train_") or key == "fine_tune"}
        assert fits == trained
        assert {key for key in params if key in of_base | {"augmentation"}} == others
        assert {"seed", "dataset", "image_size", "split", "runtime"} <= params.keys()
        sections = {key.partition(".")[0] for key in params}
        assert not sections & {"audit", "evaluation", "interpretation"}


COMMITTED = sorted(
    path.parent for name in ("*", "*/*") for path in (ROOT / "reports").glob(f"{name}/ladder.html")
)


@pytest.mark.parametrize(
    "reports", COMMITTED, ids=lambda path: path.relative_to(ROOT / "reports").as_posix()
)
def test_a_committed_climb_tells_its_params_machine_and_pictures(reports: Path) -> None:
    identity = provenance.read(reports / "climb.json")
    source = reports.relative_to(ROOT / "reports").parts[0]
    assert identity.params["dataset"]["source"] == source
    assert identity.params.keys() == settings.Settings.model_fields.keys()
    runtimes = artifacts.read_json(reports / "runtime.json")
    assert (
        provenance.of_climb(identity.params, [identity.fingerprint], runtimes.values()) == identity
    )
    pictures = artifacts.read_json(reports / "climb.json")["pictures"]
    for name in ("cifar10", "dogs_vs_cats"):
        default = artifacts.read_json(ROOT / f"reports/{name}/climb.json")["pictures"]
        assert (pictures == default) is (name == source)  # recipes here change no picture
