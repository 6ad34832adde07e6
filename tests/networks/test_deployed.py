import functools
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image

import ladder
import tiny_model
from ladder import artifacts, errors, paths, rungs
from ladder.networks import deployed, models
from ladder.networks.runtime import keras
from ladder.pictures import images
from ladder.pictures.drawing import draw

SIZE = 48
TWO, THREE = ["cat", "dog"], ["cat", "dog", "eel"]
ACCURACY = {"test": 0.9, "low": 0.8, "high": 0.95, "pictures": 40}


@pytest.fixture(autouse=True)
def root(at_root: Path) -> Path:
    return at_root


@functools.cache
def network(*class_names: str) -> tuple[keras.Model, models.Description]:
    """Returns a convnet whose random weights are sure of different classes."""
    return tiny_model.convnet(*class_names)


def trained(
    class_names: list[str],
    name: str = "photos",
    rung: rungs.Rung = "scratch",
    policy: str = "float32",
) -> keras.Model:
    """Writes a rung as a training does; returns its network."""
    model, description = network(*class_names)
    models.write(model, paths.DatasetPaths(name).weights(rung))
    describe(name, rung, description.model_dump(), policy)
    return model


def describe(name: str, rung: rungs.Rung, model: dict[str, Any], policy: str = "float32") -> None:
    content = {
        "model": {**model, "rung": rung},
        "runtime": {"policy": policy, "keras": "3"},
        "fingerprint": "f",
    }
    artifacts.write_json(paths.DatasetPaths(name).description(rung), content)


def deploy(name: str = "photos", rung: rungs.Rung = "scratch") -> None:
    """Writes `models/<name>` as a climb does."""
    files = paths.DatasetPaths(name)
    deployed.deploy(files, rung, files.model, {"accuracy": ACCURACY, "pictures": "0f"})


def handed_over(class_names: list[str], policy: str = "float32") -> keras.Model:
    """Trains and writes `models/photos`; returns the network that is in it."""
    model = trained(class_names, policy=policy)
    deploy()
    return model


def placed(name: str = "photos", rung: rungs.Rung = "scratch") -> None:
    """Writes a rung whose weights nobody reads."""
    artifacts.write_text(paths.DatasetPaths(name).weights(rung), f"weights of {rung}")
    describe(name, rung, {"class_names": TWO, "image_size": SIZE})


def encoded(number: int, size: int = 60) -> bytes:
    content = io.BytesIO()
    pixels = draw(number % 3, size, np.random.default_rng(number))
    Image.fromarray(pixels).save(content, "JPEG" if number % 2 else "PNG")
    return content.getvalue()


def pictures(count: int, folder: str = "new") -> list[Path]:
    files = []
    for number in range(count):
        files.append(Path(folder) / f"{number}.jpg")
        files[-1].parent.mkdir(exist_ok=True)
        files[-1].write_bytes(encoded(number))
    return files


def truth(model: keras.Model, contents: list[bytes]) -> NDArray[np.float32]:
    """Returns Keras' own outputs, of two classes both."""
    pixels = np.stack([images.decode(content, SIZE) for content in contents])
    outputs: NDArray[np.float32] = model(pixels.astype(np.float32), training=False).numpy()
    return outputs if outputs.shape[1] > 1 else np.hstack([1 - outputs, outputs])


@pytest.mark.parametrize("class_names", [TWO, THREE])
def test_a_model_says_of_files_what_keras_says_of_their_pixels(class_names: list[str]) -> None:
    model, files = handed_over(class_names), pictures(7)
    expected = truth(model, [file.read_bytes() for file in files])
    assert len({*expected.argmax(axis=1)}) > 1
    loaded = ladder.load("photos")
    assert loaded.class_names == class_names
    predictions = loaded.predict(files, batch_size=3)
    assert predictions.unreadable.empty
    frame = predictions.frame
    assert frame.columns.tolist() == ["path", "label", "confidence", *class_names]
    assert frame["path"].tolist() == [str(file) for file in files]
    np.testing.assert_allclose(frame[class_names], expected, atol=1e-6)
    assert frame["label"].tolist() == [class_names[label] for label in expected.argmax(axis=1)]
    np.testing.assert_allclose(frame["confidence"], expected.max(axis=1), atol=1e-6)
    assert (frame["confidence"] == frame[class_names].max(axis=1)).all()


@pytest.mark.parametrize("class_names", [TWO, THREE])
def test_bytes_give_what_files_give(class_names: list[str]) -> None:
    handed_over(class_names)
    model, files = ladder.load("photos"), pictures(5)
    outputs = model.predict_bytes([file.read_bytes() for file in files], batch_size=2)
    assert outputs.dtype == np.float32
    frame = model.predict(files, batch_size=2).frame
    np.testing.assert_array_equal(outputs, frame[class_names])
    assert model.predict_bytes([]).shape == (0, len(class_names))


def test_bytes_of_no_picture_are_named_by_their_place() -> None:
    handed_over(TWO)
    with pytest.raises(errors.InputError, match="picture 2: expected a picture that can be read"):
        ladder.load("photos").predict_bytes([encoded(0), b"text"])


def test_what_cannot_be_read_is_told_and_the_rest_goes_on_in_order() -> None:
    model = handed_over(THREE)
    good = pictures(4)
    text, folder, pipe = Path("new/notes.jpg"), Path("new/folder.jpg"), Path("new/pipe.jpg")
    text.write_text("no picture")
    folder.mkdir()
    os.mkfifo(pipe)
    missing = Path("new/missing.jpg")
    mixed = [good[2], text, good[0], folder, missing, good[3], good[0], pipe]
    predictions = ladder.load("photos").predict(mixed, batch_size=2)
    readable = [good[2], good[0], good[3], good[0]]
    assert predictions.frame["path"].tolist() == [str(file) for file in readable]
    expected = truth(model, [file.read_bytes() for file in readable])
    np.testing.assert_allclose(predictions.frame[THREE], expected, atol=1e-6)
    unreadable = predictions.unreadable
    assert unreadable["path"].tolist() == [str(file) for file in (text, folder, missing, pipe)]
    assert unreadable["reason"].map(bool).all()
    assert unreadable["reason"].iloc[2] == "No such file or directory"


def test_nothing_in_gives_nothing_out() -> None:
    handed_over(TWO)
    predictions = ladder.load("photos").predict([])
    assert predictions.frame.columns.tolist() == ["path", "label", "confidence", "cat", "dog"]
    assert len(predictions.frame) == len(predictions.unreadable) == 0


def test_one_path_is_one_picture_and_a_generator_is_a_list() -> None:
    handed_over(TWO)
    model, (first, second) = ladder.load("photos"), pictures(2)
    assert model.predict(str(first)).frame["path"].tolist() == [str(first)]
    assert model.predict(first).frame["path"].tolist() == [str(first)]
    paths_in_turn = (str(path) for path in (second, first))
    assert model.predict(paths_in_turn).frame["path"].tolist() == [str(second), str(first)]


def test_a_name_that_is_not_utf_8_is_taken() -> None:
    handed_over(TWO)
    path = Path(os.fsdecode(b"caf\xe9.jpg"))
    path.write_bytes(encoded(1))
    assert ladder.load("photos").predict([path]).frame["path"].tolist() == [str(path)]


def test_a_frame_goes_through_a_csv_file_with_names_that_look_like_values() -> None:
    handed_over(["7", "nan", 'übrig, "x"'])
    frame = ladder.load("photos").predict(pictures(6)).frame
    artifacts.write_csv(Path("out.csv"), frame)
    texts, numbers = ["path", "label"], frame.columns[2:]
    kinds = dict.fromkeys(texts, object) | dict.fromkeys(numbers, np.float32)
    back = pd.read_csv("out.csv", dtype=kinds, keep_default_na=False)
    pd.testing.assert_frame_equal(back, frame, check_exact=True)


@pytest.mark.parametrize("name", ["path", "label", "confidence"])
def test_a_class_called_like_a_column_has_one_of_its_own(name: str) -> None:
    handed_over(["class path", name])
    frame = ladder.load("photos").predict(pictures(1)).frame
    columns = ["path", "label", "confidence", "class class path", f"class {name}"]
    assert frame.columns.tolist() == columns


def test_a_model_computes_in_the_precision_that_it_was_trained_in() -> None:
    handed_over(THREE, policy="mixed_bfloat16")
    before = keras.config.dtype_policy().name
    model = ladder.load("photos")
    assert keras.config.dtype_policy().name == before
    assert model.network.get_layer("conv1").compute_dtype == "bfloat16"
    assert model.network.get_layer("probabilities").compute_dtype == "float32"
    files = deployed.find("photos")
    in_float32 = deployed.read(files, policy="float32").network
    assert in_float32.get_layer("conv1").compute_dtype == "float32"
    contents = [encoded(number) for number in range(6)]
    exact, rounded = truth(in_float32, contents), truth(model.network, contents)
    assert not np.array_equal(exact, rounded)
    np.testing.assert_allclose(model.predict_bytes(contents), rounded, atol=1e-6)


def test_a_folder_holds_the_rung_and_says_what_it_is() -> None:
    placed()
    deploy()
    folder, files = paths.DatasetPaths("photos").model, paths.DatasetPaths("photos")
    assert {path.name for path in folder.iterdir()} == {
        "model.json",
        "scratch.json",
        "scratch.weights.h5",
    }
    for path in (files.weights("scratch"), files.description("scratch")):
        assert (folder / path.name).read_bytes() == path.read_bytes()
    assert json.loads((folder / "model.json").read_text()) == {
        "name": "photos",
        "rung": "scratch",
        "class_names": TWO,
        "image_size": SIZE,
        "runtime": {"policy": "float32", "keras": "3"},
        "accuracy": ACCURACY,
        "pictures": "0f",
    }


def test_the_folder_is_replaced_whole_and_holds_every_trained_rung() -> None:
    placed()
    deploy()
    folder = paths.MODELS / "photos"
    (folder / "left.txt").touch()
    placed(rung="features")
    deploy(rung="features")
    names = {f"{rung}.{end}" for rung in ("scratch", "features") for end in ("json", "weights.h5")}
    assert {path.name for path in folder.iterdir()} == names | {"model.json"}
    assert [path.name for path in paths.MODELS.iterdir()] == ["photos"]
    assert deployed.find("photos").rung == "features"


def test_a_folder_that_cannot_be_written_leaves_the_one_that_was() -> None:
    placed()
    deploy()
    paths.DatasetPaths("photos").weights("scratch").unlink()
    with pytest.raises(FileNotFoundError):
        deploy()
    assert deployed.find("photos").weights.read_text() == "weights of scratch"
    assert [path.name for path in paths.MODELS.iterdir()] == ["photos"]


def test_a_model_is_found_by_its_name_before_a_folder_of_that_name() -> None:
    placed()
    deploy()
    Path("photos/cat").mkdir(parents=True)
    assert deployed.find("photos").weights.parent == paths.MODELS / "photos"


def test_a_folder_can_be_copied_anywhere_and_loaded_by_its_path(tmp_path: Path) -> None:
    handed_over(TWO)
    copy = tmp_path / "elsewhere/renamed"
    shutil.copytree(paths.MODELS / "photos", copy)
    shutil.rmtree(paths.MODELS)
    shutil.rmtree("data")
    for place in (copy, str(copy), "elsewhere/renamed"):
        assert ladder.load(place).name == "photos"


def test_without_a_name_the_only_model_is_taken() -> None:
    with pytest.raises(errors.InputError, match=r"expected a model in models/\. Received: none"):
        deployed.find()
    placed("trees")
    deploy("trees")
    (paths.MODELS / "half").mkdir()  # no model.json
    assert deployed.find().name == "trees"
    placed()
    deploy()
    with pytest.raises(errors.InputError, match=r"expected one of photos, trees.*--ladder NAME"):
        deployed.find()


@pytest.mark.parametrize("name", ["tree", "", "new", "a\0b", "../photos"])
def test_an_unknown_name_is_answered_with_those_there_are(name: str) -> None:
    placed()
    deploy()
    Path("new").mkdir()
    with pytest.raises(errors.InputError, match="expected one of photos, or a folder"):
        ladder.load(name)


def test_another_rung_comes_from_the_same_folder() -> None:
    placed(rung="features")
    placed()
    deploy()
    folder = paths.MODELS / "photos"
    assert deployed.find("photos").rung == "scratch"
    assert deployed.find("photos", "features").weights == folder / "features.weights.h5"
    with pytest.raises(errors.InputError, match=r"Received: scratch, features\."):
        deployed.find("photos", "fine_tuned")
    with pytest.raises(errors.InputError, match="expected one of scratch, scratch_augmented"):
        deployed.find("photos", "best")


@pytest.mark.parametrize(
    "content", ["", '["name", "rung"]', "{}", "5", '{"rung": "scratch"}', "\udce9"]
)
def test_a_damaged_summary_is_named(content: str) -> None:
    placed()
    deploy()
    path = paths.MODELS / "photos/model.json"
    path.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(errors.InputError, match=r"models/photos/model\.json: expected the file"):
        deployed.find("photos")


@pytest.mark.parametrize(
    "content", ["{", "{}", '{"model": {}, "runtime": {}}', '{"model": 1, "runtime": 2}']
)
def test_a_damaged_description_is_named(content: str) -> None:
    placed()
    deploy()
    (paths.MODELS / "photos/scratch.json").write_text(content)
    with pytest.raises(errors.InputError, match=r"models/photos/scratch\.json: expected the file"):
        ladder.load("photos")


def test_cut_weights_are_named() -> None:
    handed_over(TWO)
    path = paths.MODELS / "photos/scratch.weights.h5"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(errors.InputError, match=r"models/photos/scratch\.weights\.h5: expected"):
        ladder.load("photos")


def test_a_model_is_found_without_tensorflow() -> None:
    placed()
    deploy()
    code = (
        "import sys, ladder; from ladder.networks import deployed; deployed.find('photos')\n"
        "sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
