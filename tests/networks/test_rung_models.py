from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from conftest import PARAMS
from ladder import artifacts, paths, provenance, rungs, settings, tracking
from ladder.evidence import evaluation, prediction_tables
from ladder.networks import bases, models, rung_models, runtime, training
from ladder.pictures import augmentation
from ladder.pictures.drawing import draw

BASE = settings.Base.model_validate(PARAMS["base"])
FIT = settings.Training(
    epochs=6,
    minimum_epochs=1,
    batch_size=6,
    learning_rate=1e-3,
    schedule="constant",
    patience=6,
    validate_every=1,
    dropout=0.0,
)
CLASSES = ["cat", "dog", "eel"]


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)  # MLflow leaves the last one there
    artifacts.write_json(provenance.QUICK / "stored/weights.json", {})  # for the fingerprint
    return tmp_path


@pytest.fixture
def manifest() -> pd.DataFrame:
    rows = [
        (f"{name}.{i}", name, label, subset)
        for subset, count in (("train", 8), ("validation", 4), ("test", 4))
        for label, name in enumerate(CLASSES)
        for i in range(count)
    ]
    frame = pd.DataFrame(rows, columns=["id", "class_name", "label", "subset"])
    artifacts.write_csv(paths.DatasetPaths("drawn").manifest, frame)
    return frame


def pixels(manifest: pd.DataFrame, subset: str) -> NDArray[np.uint8]:
    labels = manifest.loc[manifest["subset"] == subset, "label"]
    random = np.random.default_rng(len(labels))
    return np.stack([draw(int(label), 48, random) for label in labels])


def test_first_epochs_on_small_pictures_are_kept_by_the_larger_network(
    manifest: pd.DataFrame,
) -> None:
    parameters = settings.SmallFirst(
        **FIT.model_dump() | {"epochs": 5}, small_share=0.6, small_image_size=48
    )
    ranges = settings.Ranges.model_validate(
        {key: value for key, value in PARAMS["augmentation"].items() if key != "views"}
    )
    runtime.keras.utils.set_random_seed(0)
    model, description = rung_models.new("scratch_augmented", manifest, 64, 0.5, None, "images")
    held_out, train = (
        augmentation.resized(pixels(manifest, subset), 64) for subset in ("validation", "train")
    )
    before = model.get_layer("conv1").kernel.numpy()
    first = rung_models.fit_on_small(model, description, train, manifest, parameters, ranges, 0)
    assert first is not None
    assert first["epoch"].tolist() == [1, 2, 3]
    assert not np.array_equal(model.get_layer("conv1").kernel.numpy(), before)
    inputs = training.augmented(train, ranges, 0)
    history = rung_models.fit(model, inputs, held_out, manifest, parameters, 0, after=first)
    assert history["epoch"].tolist() == [1, 2, 3, 4, 5]
    assert history.dropna()["epoch"].tolist() == [4, 5]
    outputs = rung_models.predict(model, held_out)
    right = outputs.argmax(axis=1) == manifest.loc[manifest["subset"] == "validation", "label"]
    best = history["val_accuracy"].iloc[history["val_loss"].argmin()]
    assert right.mean() == pytest.approx(best)


@pytest.mark.parametrize(("share", "size"), [(0.0, 48), (0.6, 64)])
def test_without_smaller_pictures_nothing_is_trained_before(
    manifest: pd.DataFrame, share: float, size: int
) -> None:
    fit = FIT.model_dump() | {"epochs": 5}
    parameters = settings.SmallFirst(**fit, small_share=share, small_image_size=size)
    ranges = settings.Ranges.model_validate(
        {key: value for key, value in PARAMS["augmentation"].items() if key != "views"}
    )
    model, description = rung_models.new("scratch_augmented", manifest, 64, 0.5, None, "images")
    before = model.get_weights()
    train = augmentation.resized(pixels(manifest, "train"), 64)
    assert (
        rung_models.fit_on_small(model, description, train, manifest, parameters, ranges, 0) is None
    )
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("base", [None, BASE])
def test_three_classes_climb_a_rung_from_pixels_to_measures(
    manifest: pd.DataFrame, base: settings.Base | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if base:
        models.write(bases.build(base.name), paths.base_weights(base))
    files = paths.DatasetPaths("drawn")
    rung: rungs.Rung = "features_augmented" if base else "scratch"
    model, description = rung_models.new(rung, manifest, 48, 0.0, base, "images")
    if base:
        models.freeze(model, unfreeze_from="flatten")
    inputs = training.unchanged(pixels(manifest, "train"))
    history = rung_models.fit(model, inputs, pixels(manifest, "validation"), manifest, FIT, seed=0)
    with tracking.run(rung, "drawn", 0, FIT.model_dump()):
        rung_models.write(files, model, description, history, FIT, seed=0)
    assert capsys.readouterr().out == rung_models.line(rung, history) + "\n"

    again, written_description = rung_models.read(files, rung)
    assert written_description == description
    assert written_description.class_names == CLASSES
    images = pixels(manifest, "test")
    outputs = rung_models.predict(again, images)
    np.testing.assert_array_equal(outputs, rung_models.predict(model, images))
    predictions = prediction_tables.new(manifest[manifest["subset"] == "test"], outputs, "test")
    assert predictions.columns.tolist() == [
        "id", "label", "probability_0", "probability_1", "probability_2", "subset",
    ]  # fmt: skip
    measured = evaluation.measure(predictions)
    assert measured["accuracy"] == (outputs.argmax(axis=1) == predictions["label"]).mean()
    written = artifacts.read_json(files.description(rung))
    assert written["parameters"] == FIT.model_dump()
    assert written["trainable_parameters"] == models.trainable_parameters(model)
    assert written["seed"] == 0
    assert written["runtime"] == runtime.describe()
    (run,) = mlflow.search_runs(experiment_names=["drawn"], output_format="list")
    assert run.data.tags["ladder.tensorflow"] == runtime.versions()["tensorflow"]
    (logged,) = mlflow.search_logged_models([run.info.experiment_id], output_format="list")
    metadata = mlflow.pyfunc.load_model(logged.model_uri).metadata.metadata
    assert metadata == {"class_names": CLASSES}


def test_a_rung_without_a_run_gets_one_from_its_files(manifest: pd.DataFrame) -> None:
    files = paths.DatasetPaths("drawn")
    model, description = rung_models.new("scratch", manifest, 48, 0.0, None, "images")
    inputs = training.unchanged(pixels(manifest, "train"))
    history = rung_models.fit(model, inputs, pixels(manifest, "validation"), manifest, FIT, seed=0)
    rung_models.write(files, model, description, history, FIT, seed=0)  # logs nothing: no run
    weights_sha256 = artifacts.sha256(files.weights("scratch"))
    assert not tracking.has_run("drawn", weights_sha256)
    rung_models.restore_run(files, "scratch")
    assert tracking.has_run("drawn", weights_sha256)
    (run,) = mlflow.search_runs(experiment_names=["drawn"], output_format="list")
    assert run.data.params["epochs"] == "6"
    assert run.data.tags[tracking.RESTORED_TAG] == "true"


def test_a_model_is_fed_pictures_of_its_own_size(manifest: pd.DataFrame) -> None:
    files, base = paths.DatasetPaths("drawn"), bases.resolved(BASE)
    artifacts.write_npy(files.images("test"), np.zeros((2, 48, 48, 3), np.uint8))
    description = models.Description(
        rung="fine_tuned", image_size=48, class_names=CLASSES, dropout=0.0, base=base, fed="images"
    )
    assert rung_models.inputs(files, description, "test").shape == (2, 48, 48, 3)
    artifacts.write_npy(files.own_base_images / "test.npy", np.zeros((2, 64, 64, 3), np.uint8))
    assert rung_models.inputs(files, description, "test").shape == (2, 64, 64, 3)
    scratch = description.model_copy(update={"base": None})
    assert rung_models.inputs(files, scratch, "test").shape == (2, 48, 48, 3)
    artifacts.write_npy(files.activations("test"), np.zeros((2, 4, 4, 5), np.float16))
    stored = description.model_copy(update={"fed": "activations"})
    assert rung_models.inputs(files, stored, "test").shape == (2, 4, 4, 5)


def test_prediction_does_not_depend_on_the_batch(
    manifest: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, _ = rung_models.new("scratch", manifest, 48, 0.0, None, "images")
    images = pixels(manifest, "test")
    whole = rung_models.predict(model, images)
    monkeypatch.setattr(rung_models, "PREDICTION_BATCH_SIZE", 5)
    np.testing.assert_allclose(rung_models.predict(model, images), whole, rtol=1e-5)


def test_a_line_says_what_a_training_came_to() -> None:
    history = pd.DataFrame(
        {
            "epoch": [1, 2, 3, 4],
            "val_loss": [0.7, None, 0.5, 0.5],  # the second was not validated
            "val_accuracy": [0.9, None, 0.8126, 0.95],
            "seconds": [600.0, 600.0, 600.0, 600.4],
        }
    )
    expected = "features: validation accuracy 81.3 %, epoch 3 of 4, 2,400 s"  # the epoch kept
    assert rung_models.line("features", history) == expected
