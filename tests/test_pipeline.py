"""The graph that dvc.yaml declares, and one whole climb on drawn pictures."""

import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
import yaml
from numpy.typing import NDArray

import graph
from conftest import Climb
from graph import ALL_PARAMS, GRAPH, flat_stages, outputs, params_of, rerun_by, touches
from ladder import artifacts, paths, provenance, rungs, settings
from ladder.climbs import experiments, seeds
from ladder.evidence import evaluation, prediction_tables
from ladder.networks import deployed, digests, runtime
from ladder.page import grids, report
from ladder.pictures import manifests

ROOT = Path(__file__).parent.parent
STAGES: dict[str, Any] = GRAPH["stages"]
SCRIPTS = {name: Path(stage.get("do", stage)["cmd"].split()[1]) for name, stage in STAGES.items()}
SOURCE = "${dataset.name}"


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("name", STAGES)
def test_declared_packages_are_the_packages_imported(name: str) -> None:
    stage = STAGES[name].get("do", STAGES[name])
    declared = [dep for dep in stage["deps"] if dep.startswith(("src/", "stages/"))]
    assert len(declared) == len({*declared})
    assert {*declared} == graph.code_deps(SCRIPTS[name])


@pytest.mark.parametrize("name", STAGES)
def test_declared_params_are_the_params_loaded(name: str) -> None:
    assert params_of(STAGES[name].get("do", STAGES[name])) == graph.loaded_params(SCRIPTS[name])


def test_what_climb_json_holds_makes_it_anew() -> None:
    """Else it would hold params that have changed since. The fingerprint is of the trainings."""
    assert STAGES["evaluate"]["params"] == ALL_PARAMS


def test_plots_of_columns_are_of_the_histories_that_stages_write() -> None:
    written = {out for stage in flat_stages().values() for out in outputs(stage)}
    curves = {name: plot for each in GRAPH["plots"] if isinstance(each, dict)
              for name, plot in each.items()}  # fmt: skip
    assert set(curves) == {"validation accuracy", "validation loss"}
    for plot in curves.values():
        assert plot["y"].keys() == {path for path in written if path.endswith(".history.csv")}
    figures = {plot for plot in GRAPH["plots"] if isinstance(plot, str)}
    assert figures == {out for out in outputs(STAGES["render"]) if out.endswith("/figures")}


def test_every_script_is_a_stage_and_every_section_is_read() -> None:
    assert set(SCRIPTS.values()) == {p.relative_to(ROOT) for p in (ROOT / "stages").glob("*.py")}
    keys = set().union(*(graph.loaded_params(script) for script in SCRIPTS.values()))
    read = {key.split(".")[0] for key in keys}
    assert read == set(settings.Settings.model_fields)


def test_only_evaluate_and_render_leave_the_cache_and_only_they_write_reports() -> None:
    """Any output that is not cached switches DVC's run cache off for its stage."""
    for name, stage in flat_stages().items():
        entries = [*stage["outs"], *stage.get("metrics", [])]
        uncached = {path: options for e in entries if isinstance(e, dict)
                    for path, options in e.items()}  # fmt: skip
        reports = {path for path in outputs(stage) if path.startswith("reports/")}
        assert uncached == {path: {"cache": False} for path in reports}, name
        assert bool(reports) == (name in {"evaluate", "render"}), name


@pytest.mark.parametrize("name", ["download", "split", "decode", "audit", "render"])
def test_pictures_statistics_and_figures_need_no_tensorflow_of_their_own(name: str) -> None:
    assert "networks.runtime" not in graph.reached(SCRIPTS[name])


@pytest.mark.parametrize(
    ("name", "module"), [("evaluate", "networks.digests"), ("choose", "networks.deployed")]
)
def test_evaluate_reaches_tensorflow_only_to_restore_runs_and_choose_not_at_all(
    name: str, module: str
) -> None:
    """For a rung that DVC took from its cache; test_imports shows that they start without."""
    reached = graph.reached(SCRIPTS[name], at_the_top=True)
    assert module in reached
    assert "networks.runtime" not in reached


def test_every_file_that_a_stage_reads_is_written_by_one_before_it() -> None:
    """But for code, the code's fingerprint and the studies, which lie in git."""
    in_git = ("src/", "stages/", "reports/quick", f"reports/{SOURCE}/studies")
    written: list[str] = []
    for name, stage in flat_stages().items():
        for dep in stage["deps"]:
            assert dep.startswith(in_git) or any(touches(dep, path) for path in written), name
        written += outputs(stage)


CONCLUSIONS = {"evaluate", "choose", "render"}


def test_the_size_of_the_bases_pictures_trains_no_convnet_again() -> None:
    """But for what lies in one folder with their pictures: those are the same as before."""
    stages = flat_stages()
    for name in ("train_scratch", "train_scratch_augmented"):
        assert not {"base", "base.image_size"} & params_of(stages[name])
        pictures = {dep for dep in stages[name]["deps"] if "/images" in dep}
        assert pictures == {
            f"data/{SOURCE}/images/{subset}.npy" for subset in ("train", "validation")
        }


def test_a_learning_rate_reruns_what_depends_on_it_alone() -> None:
    expected = {"fine_tune", "predict@fine_tuned", "interpret@fine_tuned", *CONCLUSIONS}
    assert rerun_by("fine_tune") == expected


def test_the_looks_of_filters_rerun_their_stage_alone() -> None:
    assert rerun_by("interpretation.steps") == {"interpret_base", *CONCLUSIONS}


def test_the_margin_of_the_advice_reruns_no_rung() -> None:
    assert rerun_by("evaluation.margin_points") == CONCLUSIONS


def test_a_seed_leaves_the_pictures_and_their_features_alone() -> None:
    kept = {"download", "download_weights", "split", "decode", "extract_features", "audit"}
    assert flat_stages().keys() - rerun_by("seed") == kept


def test_the_audit_trains_nothing_again() -> None:
    assert rerun_by("audit") == {"audit", *CONCLUSIONS}


def test_augmentation_leaves_the_head_alone() -> None:
    reached = rerun_by("augmentation.zoom_fraction")
    assert not {"train_head", "train_scratch", "extract_features"} & reached
    assert {"extract_views", "train_scratch_augmented"} <= reached
    assert "train_scratch_augmented" not in rerun_by("augmentation.views")


def ran(done: subprocess.CompletedProcess[str]) -> set[str]:
    assert done.returncode == 0, done.stdout + done.stderr
    return begun(done)


def begun(done: subprocess.CompletedProcess[str]) -> set[str]:
    return set(re.findall(r"Running stage '(.+?)'", done.stdout))


FIGURES = {  # of a climb without studies
    "staircase", "curves", "confusion", "reliability", "roc", "precision_recall", "operations",
    "filters", "blank_shares", "activations_scratch", "activations_base", "heatmaps",
}  # fmt: skip


def test_a_climb_ends_with_five_rungs(climbed: Path) -> None:
    reports = climbed / "reports/dogs_vs_cats"
    ladder = pd.read_csv(reports / "ladder.csv")
    assert tuple(ladder["rung"]) == rungs.RUNGS
    assert ladder["book"].isna().all()  # drawn pictures are not the book's
    assert ladder["test_accuracy"].between(0, 1).all()
    assert (ladder["test_ci_low"] <= ladder["test_accuracy"]).all()
    assert (ladder["seconds"] > 0).all()
    # 48 px: pool4 leaves one pixel; of the base's 64 px block5_pool leaves 2 x 2 of 512 features,
    # and block5 has three convolutions of 512
    head = 2 * 2 * 512 * 256 + 256 + 256 + 1
    convnet = (3 * 9 + 1) * 32 + (32 * 9 + 1) * 64 + (64 * 9 + 1) * 128 + (128 * 9 + 1) * 128
    scratch = convnet + (128 + 1) * 512 + 512 + 1
    block5 = 3 * (512 * 9 + 1) * 512
    assert ladder["trainable_parameters"].tolist() == [scratch, scratch, head, head, head + block5]
    folders = reports / "figures", climbed / "data/dogs_vs_cats/figures"
    in_git, in_cache = ({f.stem: f.stat().st_size for f in each.iterdir()} for each in folders)
    assert {*in_git, *in_cache} == FIGURES | {f"heatmaps_{rung}" for rung in rungs.RUNGS}
    assert min(*in_git.values(), *in_cache.values()) > 5_000
    assert sum(in_git.values()) < 400_000
    assert sum(in_cache.values()) < 4_000_000


def pictures_of_test(climbed: Path, rung: str) -> NDArray[np.uint8]:
    """Returns the test pictures as a rung's network takes them: the base has a size of its own."""
    files = paths.DatasetPaths("dogs_vs_cats")
    is_of_base = not rung.startswith("scratch")
    folder = files.own_base_images if is_of_base else files.images("test").parent
    pixels: NDArray[np.uint8] = np.asarray(artifacts.read_npy(climbed / folder / "test.npy"))
    assert pixels.shape[1:] == ((64, 64, 3) if is_of_base else (48, 48, 3))
    return pixels


def test_a_climb_ends_with_what_every_rung_sees(climbed: Path) -> None:
    files = paths.DatasetPaths("dogs_vs_cats")
    for rung in rungs.RUNGS:
        pixels = pictures_of_test(climbed, rung)
        seen = artifacts.read_npz(climbed / files.interpretation(rung))
        assert str(seen["weights_sha256"]) == artifacts.sha256(climbed / files.weights(rung))
        assert (seen["gallery"][0], seen["id"][0]) == ("example", "cat.12")
        np.testing.assert_array_equal(seen["images"][0], pixels[0])
        predictions = pd.read_csv(climbed / files.predictions(rung))
        of_test = predictions[predictions["subset"] == "test"].set_index("id").loc[seen["id"]]
        np.testing.assert_array_equal(seen["probabilities"][:, 1], of_test["probability"])
        mistakes = seen["gallery"] != "example"
        assert ((seen["probabilities"].argmax(axis=1) != seen["label"]) >= mistakes).all()
        layers = 8 if rung.startswith("scratch") else 18
        assert len(seen["layers"]) == len(seen["blank_share"]) == layers
        for method in grids.METHODS:
            assert seen[method].shape[:2] == (len(seen["id"]), 2)
            assert ((seen[method] >= 0) & (seen[method] <= 1)).all()
    first, kept = (artifacts.read_npz(climbed / files.interpretation(r)) for r in rungs.RUNGS[2:4])
    for layer in first["layers"]:  # a frozen base sees the same in rungs 3 and 4
        np.testing.assert_array_equal(first[f"activations/{layer}"], kept[f"activations/{layer}"])
    patterns = artifacts.read_npz(climbed / files.interpretation("base"))
    assert {pattern.shape for pattern in patterns.values()} == {(3, 32, 32, 3)}


def test_reported_accuracies_are_those_of_the_predictions(climbed: Path) -> None:
    ladder = pd.read_csv(climbed / "reports/dogs_vs_cats/ladder.csv").set_index("rung")
    for rung in rungs.RUNGS:
        predictions = pd.read_csv(climbed / f"reports/dogs_vs_cats/predictions/{rung}.csv")
        for subset in ("validation", "test"):
            part = predictions[predictions["subset"] == subset]
            assert len(part) == 8
            right = ((part["probability"] > 0.5) == (part["label"] == 1)).mean()
            assert ladder.loc[rung, f"{subset}_accuracy"] == pytest.approx(right)


def test_metrics_are_the_headline_figures_of_the_ladder(climbed: Path) -> None:
    declared = [Path(next(iter(entry))) for entry in STAGES["evaluate"]["metrics"]]
    assert declared == [paths.metrics(rung) for rung in rungs.RUNGS]
    for row in pd.read_csv(climbed / "reports/dogs_vs_cats/ladder.csv").to_dict("records"):
        figures = {
            "validation": row["validation_accuracy"],
            "validation_low": row["validation_ci_low"],
            "validation_high": row["validation_ci_high"],
            "test": row["test_accuracy"],
            "test_low": row["test_ci_low"],
            "test_high": row["test_ci_high"],
            "seconds": row["seconds"],
        }
        metrics = artifacts.read_json(climbed / paths.metrics(row["rung"]))
        assert metrics == pytest.approx(figures, abs=5e-5)


def test_every_rung_is_fed_in_prediction_what_its_training_was_fed(climbed: Path) -> None:
    files = paths.DatasetPaths("dogs_vs_cats")
    fed = {
        r: artifacts.read_json(climbed / files.description(r))["model"]["fed"] for r in rungs.RUNGS
    }
    assert fed == STAGES["predict"]["foreach"]
    for rung in rungs.RUNGS:  # then its validation loss is the one that training kept
        history = pd.read_csv(climbed / files.history(rung))
        predictions = pd.read_csv(climbed / files.predictions(rung))
        validation = predictions[predictions["subset"] == "validation"]
        loss = evaluation.measure(validation)["loss"]
        assert loss == pytest.approx(history["val_loss"].min(), rel=1e-4), rung


def test_the_tables_of_a_climb_lie_in_its_reports(climbed: Path) -> None:
    reports = climbed / "reports/dogs_vs_cats"
    names = (
        *("paired", "book", "calibration", "classes", "baseline"),
        *("duplicates", "suspects", "planted"),
    )
    tables = {name: pd.read_csv(reports / f"{name}.csv") for name in names}
    assert tables["paired"]["pictures"].eq(8).all()
    assert tables["paired"].groupby("family").size().to_dict() == {"neighbours": 4, "best": 4}
    assert len(tables["book"]) == 0  # drawn pictures are not the book's
    assert len(tables["calibration"]) == 2 * len(rungs.RUNGS)
    manifest = pd.read_csv(climbed / "data/dogs_vs_cats/manifest.csv")
    assert len(tables["classes"]) == 2 * len(rungs.RUNGS)
    assert tables["baseline"]["accuracy"].eq(0.5).all()
    for name in ("duplicates", "suspects"):
        rows = tables[name].merge(manifest, on=["id", "subset", "label"])
        assert len(rows) == len(tables[name])
    assert not tables["duplicates"]["subset"].eq(tables["duplicates"]["other_subset"]).any()
    assert (tables["planted"]["found"] <= tables["planted"]["number"]).all()


def test_what_was_seen_of_every_picture_lies_with_the_data(climbed: Path) -> None:
    files = paths.DatasetPaths("dogs_vs_cats")
    manifest = artifacts.read_csv(climbed / files.manifest)
    pictures = artifacts.read_csv(climbed / files.examination("pictures"))
    assert len(artifacts.read_csv(climbed / files.quarantine)) == 0
    columns = ["path", "class_name", "sha256"]
    pd.testing.assert_frame_equal(
        pictures[columns].sort_values("path", ignore_index=True),
        manifest[columns].sort_values("path", ignore_index=True),
    )
    assert set(pictures["width"]) == set(pictures["height"]) == {48}
    findings = artifacts.read_csv(climbed / files.examination("findings"))
    assert findings.columns.tolist() == ["path", "finding", "value", "detail"]
    by_class = artifacts.read_csv(climbed / files.examination("by_class"))
    assert by_class["score"].between(0, 1).all()


def test_a_climb_hands_over_a_model_that_says_what_the_climb_said(climbed: Path) -> None:
    files = paths.DatasetPaths("dogs_vs_cats")
    folder = climbed / files.model
    summary = artifacts.read_json(folder / "model.json")
    rung = rungs.named(summary["rung"])
    names = {f"{each}.{end}" for each in rungs.RUNGS for end in ("weights.h5", "json")}
    assert {path.name for path in folder.iterdir()} == names | {"model.json"}
    ladder = pd.read_csv(climbed / files.reports / "ladder.csv").set_index("rung")
    accuracy = {"accuracy": ladder.loc[rung, "test_accuracy"], "pictures": 8}
    assert accuracy.items() <= summary["test_accuracy"].items()
    assert (summary["name"], summary["class_names"]) == ("dogs_vs_cats", ["cat", "dog"])
    model = deployed.load(folder)
    probabilities = model.predict_images(pictures_of_test(climbed, rung))
    predictions = artifacts.read_csv(climbed / files.predictions(rung))
    expected = prediction_tables.probabilities(predictions[predictions["subset"] == "test"])
    np.testing.assert_allclose(probabilities, expected, atol=1e-2)  # other batches


def test_the_identity_beside_the_results_is_of_the_climb(climbed: Path) -> None:
    files = paths.DatasetPaths("dogs_vs_cats")
    content = artifacts.read_json(climbed / files.reports / "climb.json")
    manifest = pd.read_csv(climbed / files.manifest)
    assert content == {
        "params": settings.read(climbed / "params.yaml").model_dump(mode="json"),
        "fingerprint": provenance.fingerprint(climbed),
        "policy": runtime.policy("auto"),
        **runtime.versions(),
        "pictures": provenance.pictures(manifest),
    }
    identity = provenance.read(climbed / files.reports / "climb.json")
    assert provenance.differences(identity, identity) == []
    runtimes = artifacts.read_json(climbed / files.reports / "runtime.json")
    weights = artifacts.read_json(climbed / files.reports / "weights.json")
    assert runtimes.keys() == weights.keys() == {*rungs.RUNGS}
    for rung in rungs.RUNGS:
        assert runtimes[rung] == artifacts.read_json(climbed / files.description(rung))["runtime"]
        assert weights[rung] == digests.weights(climbed / files.weights(rung))


def test_no_path_of_this_machine_is_written(climbed: Path) -> None:
    folders = (climbed / "reports", climbed / "models")
    files = [climbed / "dvc.lock", *(file for each in folders for file in each.rglob("*.*"))]
    folder = str(climbed.parent).encode()  # the archive lies beside the project
    written = [path for path in files if folder in path.read_bytes()]
    assert written == []


def test_a_second_repro_runs_nothing(climbed: Path, dvc: Climb) -> None:
    done = dvc("repro")
    assert ran(done) == set()
    assert "up to date" in done.stdout


def test_training_reads_no_test_picture_and_comes_out_the_same_in_another_process(
    climbed: Path, tmp_path: Path
) -> None:
    files = paths.DatasetPaths("dogs_vs_cats")
    again = tmp_path / "again"
    shutil.copytree(climbed, again, ignore=shutil.ignore_patterns(".dvc", ".git", "ml*"))
    for folder in (files.raw, files.predictions("scratch").parent):
        shutil.rmtree(again / folder)
    of_base = files.own_base_images / "test.npy"
    stored = (files.features("test"), files.activations("test"))
    for of_test in (files.images("test"), of_base, *stored):
        (again / of_test).unlink()
    for stage in ("train_scratch", "train_scratch_augmented", "train_head", "train_end_to_end",
                  "fine_tune"):  # fmt: skip
        command = [sys.executable, f"stages/{stage}.py"]
        environment = experiments.environment_of_copy()
        done = subprocess.run(command, cwd=again, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    for rung in rungs.RUNGS:
        ours, other = (digests.weights(copy / files.weights(rung)) for copy in (climbed, again))
        assert ours == other, rung


def test_mlflow_holds_a_finished_run_per_rung_and_its_model_predicts_the_same(
    climbed: Path,
) -> None:
    mlflow.set_tracking_uri(f"sqlite:///{climbed / 'mlflow.db'}")
    experiment = mlflow.get_experiment_by_name("dogs_vs_cats")
    assert experiment is not None
    runs = mlflow.MlflowClient().search_runs([experiment.experiment_id])
    assert {run.info.run_name for run in runs} == set(rungs.RUNGS)
    assert {run.info.status for run in runs} == {"FINISHED"}
    files = paths.DatasetPaths("dogs_vs_cats")
    manifest = pd.read_csv(climbed / files.manifest)
    models = mlflow.search_logged_models([experiment.experiment_id], output_format="list")
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=climbed, capture_output=True, text=True)
    for run in runs:
        assert run.data.tags["mlflow.source.git.commit"] == head.stdout.strip()
        assert run.data.params["seed"] == "0"
        assert {"val_accuracy", "test_accuracy", "validation_auc"} <= run.data.metrics.keys()
        kept = [file.path for file in mlflow.MlflowClient().list_artifacts(run.info.run_id)]
        charts = {"history.png", "confusion_validation.png", "confusion_test.png"}
        assert {f"heatmaps_{run.info.run_name}.png", "images", *charts} <= set(kept)
        described = artifacts.read_json(climbed / files.description(run.info.run_name))["runtime"]
        assert {f"ladder.{k}": v for k, v in described.items()}.items() <= run.data.tags.items()
        of_run = [model for model in models if model.source_run_id == run.info.run_id]
        (logged,) = [model for model in of_run if model.name == "model"]  # not the champion
        loaded = mlflow.pyfunc.load_model(logged.model_uri)
        assert loaded.metadata.metadata == {"class_names": manifests.class_names(manifest)}
        folder = climbed / "reports/dogs_vs_cats/predictions"
        predictions = pd.read_csv(folder / f"{run.info.run_name}.csv")
        expected = prediction_tables.probabilities(predictions[predictions["subset"] == "test"])[
            :, 1
        ]
        pixels = pictures_of_test(climbed, run.info.run_name)
        np.testing.assert_allclose(loaded.predict(pixels)[:, 0], expected, atol=1e-3)


@pytest.mark.slow
def test_seeds_are_all_kept_and_a_known_one_is_not_trained_again(climbed: Path, dvc: Climb) -> None:
    before = (climbed / "dvc.lock").read_text()
    done = dvc("seeds", "--count", "2", module="ladder.cli")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("Running stage 'train_scratch'") == 1  # of two climbs
    assert (climbed / "dvc.lock").read_text() == before
    reports = climbed / "reports/dogs_vs_cats"
    values = pd.read_csv(reports / "studies/seeds.csv")
    assert len(values) == 2 * len(rungs.RUNGS) * 2
    ladder = pd.read_csv(reports / "ladder.csv").set_index("rung")
    for subset in ("validation", "test"):
        known = values[(values["seed"] == 0) & (values["subset"] == subset)].set_index("rung")
        expected = ladder.loc[known.index, f"{subset}_accuracy"]
        assert known["accuracy"].tolist() == expected.tolist()
    identity = provenance.read(reports / "studies/seeds.json")
    assert identity.params == settings.read(climbed / "params.yaml").model_dump(mode="json")
    assert provenance.differences(provenance.read(reports / "climb.json"), identity) == []
    answers = seeds.read(reports / "studies").answers
    assert sorted(answers["seed"].unique()) == [0, 1]
    assert len(answers) == 2 * len(rungs.RUNGS) * 16  # 8 pictures of validation, 8 of test
    summary = pd.read_csv(reports / "studies/seeds_summary.csv")
    assert summary[["seeds", "pictures"]].eq([2, 8]).all(axis=None)
    written = {path: path.read_bytes() for path in (reports / "studies").iterdir()}
    done = dvc("seeds", "--count", "2", module="ladder.cli")
    assert ran(done) == set()
    assert "is cached" not in done.stdout  # the study remembers, without DVC's run cache
    assert written == {path: path.read_bytes() for path in (reports / "studies").iterdir()}
    mlflow.set_tracking_uri(f"sqlite:///{climbed / 'mlflow.db'}")
    experiment = mlflow.get_experiment_by_name("dogs_vs_cats")
    assert experiment is not None
    runs = mlflow.MlflowClient().search_runs([experiment.experiment_id])
    study = "dogs_vs_cats seeds"
    parents = {r.info.run_id: r for r in runs if r.data.tags.get("ladder.study") == study}
    assert {parent.info.run_name for parent in parents.values()} == {
        f"{r}, {study}" for r in rungs.RUNGS
    }
    for run_id, parent in parents.items():
        children = [r for r in runs if r.data.tags.get("mlflow.parentRunId") == run_id]
        assert {child.data.params["seed"] for child in children} == {"0", "1"}
        mean = np.mean([child.data.metrics["test_accuracy"] for child in children])
        assert parent.data.metrics["test_accuracy_mean"] == pytest.approx(mean)


@pytest.mark.slow
def test_another_base_climbs_as_an_experiment(climbed: Path, dvc: Climb) -> None:
    before = (climbed / "dvc.lock").read_text()
    changes = ("-S", "base.name=resnet50", "-S", "base.weights=none")
    done = dvc("exp", "run", "--temp", "--name", "resnet50", *changes)
    assert ran(done) == rerun_by("base")  # the others come from the run cache
    assert (climbed / "dvc.lock").read_text() == before
    find = ["git", "for-each-ref", "--format=%(objectname)", "refs/exps/*/*/resnet50"]
    (commit,) = subprocess.check_output(find, cwd=climbed, text=True).split()

    def shown(name: str) -> str:
        command = ["git", "show", f"{commit}:reports/dogs_vs_cats/{name}"]
        return subprocess.check_output(command, cwd=climbed, text=True)

    assert json.loads(shown("climb.json"))["params"]["base"]["name"] == "resnet50"
    assert tuple(pd.read_csv(io.StringIO(shown("ladder.csv")))["rung"]) == rungs.RUNGS


@pytest.mark.slow
def test_a_learning_curve_has_its_points(climbed: Path, dvc: Climb) -> None:
    done = dvc("learning-curve", "--count", "2", "--count", "8", module="ladder.cli")
    assert done.returncode == 0, done.stdout + done.stderr
    reports = climbed / "reports/dogs_vs_cats"
    curve = pd.read_csv(reports / "studies/learning_curve.csv")
    assert sorted(curve["train_pictures"]) == [4, 4, 4, 16, 16, 16]
    ladder = pd.read_csv(reports / "ladder.csv").set_index("rung")
    whole = curve[curve["train_pictures"] == 16].set_index("rung")
    expected = ladder.loc[whole.index, "test_accuracy"]  # with all pictures: the climb's own
    assert whole["mean"].tolist() == expected.tolist()


@pytest.mark.slow
def test_bases_are_compared_and_the_params_own_comes_from_the_cache(
    climbed: Path, dvc: Climb
) -> None:
    command = ["bases", "--base", "vgg16", "--base", "efficientnet_lite0", "--size", "64"]
    done = dvc(*command, module="ladder.cli")
    assert ran(done) == {
        *("download_weights", "extract_features", "train_head", "predict@features")
    }  # of EfficientNet-Lite0; both take the pictures as they are decoded already
    reports = climbed / "reports/dogs_vs_cats"
    table = pd.read_csv(reports / "studies/bases.csv").set_index("base")
    assert table["weights"].to_dict() == {"vgg16": "none", "efficientnet_lite0": "package"}
    assert table["features"].to_dict() == {"vgg16": 2 * 2 * 512, "efficientnet_lite0": 1280}
    assert table[["image_size", "pictures"]].eq([64, 8]).all(axis=None)
    assert (table[["pictures_per_second", "seconds"]] > 0).all(axis=None)
    ladder = pd.read_csv(reports / "ladder.csv")
    for name in ("validation_accuracy", "test_accuracy", "test_ci_low", "test_ci_high"):
        climbs_own = ladder.set_index("rung")[name]["features"]
        assert table[name]["vgg16"] == climbs_own
    weights = climbed / "data/weights/vgg16-none.weights.h5"
    assert table["megabytes"]["vgg16"] == weights.stat().st_size / 1e6
    assert {*report.studies_of(reports, ladder).bases["base"]} == {*table.index}
    written = (reports / "studies/bases.csv").read_bytes()
    assert ran(dvc(*command, module="ladder.cli")) == set()
    assert (reports / "studies/bases.csv").read_bytes() == written


@pytest.mark.slow
def test_a_rename_and_a_comment_rerun_their_packages_and_keep_every_result_and_study(
    climbed: Path, tmp_path: Path
) -> None:
    files, ours = paths.DatasetPaths("dogs_vs_cats"), tmp_path / "refactored"
    shutil.copytree(climbed, ours, ignore=shutil.ignore_patterns("__pycache__", "ml*"))
    folder, environment = ours / files.reports, experiments.environment_of_copy()
    identity = provenance.read(folder / "climb.json")
    write_study(folder, identity)

    def repro() -> set[str]:
        command = [sys.executable, "-m", "dvc", "repro"]
        return ran(
            subprocess.run(command, cwd=ours, env=environment, capture_output=True, text=True)
        )

    assert repro() == {"render"}  # which puts the study on the page
    assert (folder / "figures/seeds.png").is_file()
    results = [f"predictions/{rung}.csv" for rung in rungs.RUNGS] + ["weights.json", "paired.csv"]
    before = {name: (folder / name).read_bytes() for name in results}

    rename(ours, "networks/activations", "networks/extraction")
    with (ours / "src/ladder/page/figures.py").open("a") as module:  # which the page alone uses
        module.write("# A comment.\n")
    packages = {"src/ladder/networks", "src/ladder/page"}
    naming = {name for name, stage in flat_stages().items() if packages & {*stage["deps"]}}
    assert {"download", "split", "decode", "audit"} == flat_stages().keys() - naming
    assert repro() == naming

    assert {name: (folder / name).read_bytes() for name in results} == before
    for rung in rungs.RUNGS:
        same = (digests.weights(copy / files.weights(rung)) for copy in (climbed, ours))
        assert len({*same}) == 1, rung
    assert provenance.differences(identity, provenance.read(folder / "climb.json")) == []
    studies = report.studies_of(folder, pd.read_csv(folder / "ladder.csv"))
    assert (studies.seeds["seed"].nunique(), studies.left_out) == (2, ())
    assert (folder / "figures/seeds.png").is_file()


def write_study(folder: Path, identity: provenance.Identity) -> None:
    """Writes a study of two seeds, both with the answers of the climb in a folder of reports."""
    one, other = (seeds.results(lambda name: (folder / name).read_bytes(), n) for n in (0, 1))
    seeds.write(folder / "studies", one.plus(other), identity)


def rename(project: Path, before: str, after: str) -> None:
    """Renames a module, `package/name`, and changes its imports and uses."""
    source, target = (project / f"src/ladder/{name}.py" for name in (before, after))
    subprocess.run(["git", "mv", source, target], cwd=project, check=True)
    (package, old), (_, new) = before.split("/"), after.split("/")
    importing = re.compile(rf"^from ladder\.{package} import .*\b{old}\b", re.MULTILINE)
    changed = [
        path
        for folder in ("src", "stages")
        for path in (project / folder).rglob("*.py")
        if importing.search(path.read_text())
    ]
    assert changed
    for path in changed:
        text = re.sub(rf"(?<=[ (]){old}(?=[.,\n])", new, path.read_text())
        path.write_text(text)


def test_a_change_of_fine_tuning_reruns_its_own_stages_and_no_other(
    climbed: Path, dvc: Climb
) -> None:
    params, before = climbed / "params.yaml", (climbed / "params.yaml").read_text()
    content = yaml.safe_load(before)
    content["fine_tune"]["learning_rate"] = 0.002
    params.write_text(yaml.safe_dump(content))
    assert ran(dvc("repro", "evaluate")) == {"fine_tune", "predict@fine_tuned", "evaluate"}
    params.write_text(before)
    assert ran(dvc("repro", "evaluate")) == {"evaluate"}  # the rest comes from the run cache


def test_a_fresh_store_gets_its_runs_back_from_the_files(climbed: Path, dvc: Climb) -> None:
    (climbed / "mlflow.db").unlink()
    assert ran(dvc("repro", "--force", "--single-item", "evaluate")) == {"evaluate"}
    shutil.copy(climbed / "mlflow.db", climbed / "fresh.db")  # MLflow here still holds the old one
    mlflow.set_tracking_uri(f"sqlite:///{climbed / 'fresh.db'}")
    experiment = mlflow.get_experiment_by_name("dogs_vs_cats")
    assert experiment is not None
    runs = mlflow.MlflowClient().search_runs([experiment.experiment_id])
    assert {run.info.run_name for run in runs} == set(rungs.RUNGS)
    assert {run.data.tags["ladder.restored"] for run in runs} == {"true"}
    assert all("test_accuracy" in run.data.metrics for run in runs)


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("  epochs: 2", "  epoch: 2", "expected the key to be there"),
        ("  picture: 0", "  picture: cat.999", "expected a place in test from 0 to"),
    ],
)
def test_a_wrong_param_stops_before_the_long_work(
    climbed: Path, dvc: Climb, right: str, wrong: str, message: str
) -> None:
    params, before = climbed / "params.yaml", (climbed / "params.yaml").read_text()
    assert right in before
    params.write_text(before.replace(right, wrong, 1))
    done = dvc("repro")
    params.write_text(before)
    assert done.returncode != 0
    assert message in done.stderr
    assert len(begun(done)) == 1
    assert dvc("repro").returncode == 0  # all is still there, or in the cache
