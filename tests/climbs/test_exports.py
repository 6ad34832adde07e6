import functools
import hashlib
import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import tiny_model
from ladder import artifacts, cache, errors, paths, provenance, rungs
from ladder.climbs import exports
from ladder.networks import deployed, digests, exported, models
from ladder.networks.runtime import keras
from ladder.pictures import drawing

ROOT = Path(__file__).parent.parent.parent
SIZE = 48
FILES = paths.DatasetPaths("photos")
ONNX = Path("exports/photos/onnx")


@pytest.fixture(autouse=True)
def root(at_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a climb on drawn pictures: its model, its reports and DVC's cache."""
    monkeypatch.setattr(cache, "folder", lambda: Path("store"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # put back after the test
    Path(".dvc").mkdir()
    write_model()
    contents = pictures()
    manifest = manifest_of(contents)
    write_reports(manifest)
    write_cache(manifest, contents)
    return at_root


@functools.cache
def network() -> tuple[keras.Model, models.Description]:
    """Returns a convnet whose random weights are sure of different classes."""
    return tiny_model.convnet("cat", "dog")


def write_model() -> None:
    (model, description), folder = network(), FILES.model
    models.write(model, folder / "scratch.weights.h5")
    runtime = {"policy": "float32", "keras": "3", "tensorflow": "2"}
    content = {"model": description.model_dump(), "runtime": runtime}
    artifacts.write_json(folder / "scratch.json", content)
    artifacts.write_json(folder / deployed.SUMMARY, {"name": "photos", "rung": "scratch"})


def pictures() -> dict[str, bytes]:
    """Returns pictures of two classes, which lie on their sides."""
    contents, exif = {}, Image.Exif()
    exif[0x0112] = 6
    for number in range(10):
        kind, content = number % 2, io.BytesIO()
        pixels = drawing.draw(kind, 60, np.random.default_rng(number))[:40]
        Image.fromarray(pixels).save(content, "JPEG", exif=exif)
        contents[f"{('cat', 'dog')[kind]}/{number} é.jpg"] = content.getvalue()
    return contents


def manifest_of(contents: dict[str, bytes]) -> pd.DataFrame:
    subsets = ["train"] * 2 + ["validation"] * 2 + ["test"] * 6
    classes = [name.partition("/")[0] for name in contents]
    return pd.DataFrame(
        {
            "id": list(contents),
            "path": list(contents),
            "class_name": classes,
            "label": [["cat", "dog"].index(name) for name in classes],
            "subset": subsets,
            "sha256": [hashlib.sha256(content).hexdigest() for content in contents.values()],
            "duplicate_group": range(len(contents)),
        }
    )


def write_reports(manifest: pd.DataFrame) -> None:
    """Writes those of CIFAR-10 with the predictions, weights and pictures of this climb."""
    ignored = shutil.ignore_patterns("figures", "studies", "ladder.html")
    shutil.copytree(ROOT / "reports/cifar10", FILES.reports, ignore=ignored)
    rows = manifest[manifest["subset"] != "train"].iloc[::-1]  # in an order of their own
    for rung in rungs.RUNGS:
        frame = rows[["id", "label"]].assign(probability=rows["label"], subset=rows["subset"])
        artifacts.write_csv(FILES.reports / f"predictions/{rung}.csv", frame)
    weights = {"scratch": digests.weights(FILES.model / "scratch.weights.h5")}
    artifacts.write_json(FILES.reports / "weights.json", weights)
    climb = artifacts.read_json(FILES.reports / "climb.json")
    climb["params"]["dataset"]["name"] = "photos"
    climb["pictures"] = provenance.pictures(manifest)
    artifacts.write_json(FILES.reports / "climb.json", climb)


def write_cache(manifest: pd.DataFrame, contents: dict[str, bytes]) -> None:
    inside = [{"relpath": f"pictures/{name}", "md5": store(c)} for name, c in contents.items()]
    raw = store(json.dumps(inside).encode(), ".dir")
    table = store(manifest.to_csv(index=False, lineterminator="\n").encode())
    write_lock({FILES.raw: raw, FILES.manifest: table})


def store(content: bytes, ending: str = "") -> str:
    """Writes a file into the cache as DVC does; returns its md5."""
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest() + ending
    artifacts.write_text(Path("store") / md5[:2] / "folder", "")
    (Path("store") / md5[:2] / md5[2:]).write_bytes(content)
    return md5


def write_lock(outputs: dict[Path, str]) -> None:
    outs = [{"path": path.as_posix(), "md5": md5} for path, md5 in outputs.items()]
    artifacts.write_json(FILES.reports / paths.LOCK_OF_CLIMB, {"stages": {"split": {"outs": outs}}})


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exports nothing: the test asks for something else."""
    monkeypatch.setattr(exported, "write", lambda model, form, folder: None)


@pytest.fixture
def no_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployed, "read", lambda *_some, **_named: pytest.fail("a model is read"))


def test_an_export_is_compared_on_every_test_picture(capsys: pytest.CaptureFixture[str]) -> None:
    assert exports.run("photos", "onnx", None, None) == 0
    names = {*exports.IN_EVERY_EXPORT, exports.PARITY, "model.onnx"}
    assert {path.name for path in ONNX.iterdir()} == names
    assert [path.name for path in ONNX.parent.iterdir()] == ["onnx"]
    table, manifest = artifacts.read_csv(ONNX / exports.PARITY), manifest_of(pictures())
    assert table["path"].tolist() == manifest["path"].tolist()[4:]
    expected = deployed.load("photos").predict_bytes([*pictures().values()][4:])
    assert table["label"].tolist() == [["cat", "dog"][label] for label in expected.argmax(axis=1)]
    assert (table["exported_label"] == table["label"]).all()
    assert table["difference"].between(0, 1e-5).all()
    text, printed = (ONNX / exports.CARD).read_text(), capsys.readouterr().out
    for sentence in printed.splitlines()[1:-1]:
        assert sentence in text
    assert "On all 6 test pictures" in printed
    assert "| cat | 1 | 1 | 3 |" in text
    wrong = np.abs(expected[:, 1] - manifest["label"][4:]).max()  # from what the reports have
    assert f"policy mixed_bfloat16: from these, probabilities differ by at most {wrong:.1e}" in text


def test_an_export_that_decodes_otherwise_is_found_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write: Callable[..., None] = exported.write

    def write_wrongly(model: Any, form: Any, folder: Path) -> None:
        write(model, form, folder)
        file = folder / exported.DECODING / "reading.py"
        text = file.read_text()
        turning = "rgb if turn is None else rgb.transpose(turn)"
        assert turning in text
        file.write_text(text.replace(turning, "rgb"))

    monkeypatch.setattr(exported, "write", write_wrongly)
    assert exports.run("photos", "onnx", None, None) == 1
    warning = "These are other answers than Ladder's. Do not use this export."
    assert warning in capsys.readouterr().out
    assert warning in (ONNX / exports.CARD).read_text()
    assert artifacts.read_csv(ONNX / exports.PARITY)["difference"].max() > 0.01


@pytest.mark.parametrize("lost", ["manifest", "picture", "lock", "project", "others"])
@pytest.mark.usefixtures("quick")
def test_without_the_pictures_nothing_is_claimed(
    lost: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if lost == "manifest":
        write_lock({})
    elif lost == "picture":
        md5 = hashlib.md5([*pictures().values()][-1], usedforsecurity=False).hexdigest()
        (Path("store") / md5[:2] / md5[2:]).unlink()
    elif lost == "lock":
        (FILES.reports / paths.LOCK_OF_CLIMB).unlink()
    elif lost == "project":
        Path(".dvc").rmdir()
    else:
        write_cache(manifest_of(pictures()).iloc[1:], pictures())
    assert exports.run("photos", "onnx", None, None) == 0
    assert not (ONNX / exports.PARITY).exists()
    said = capsys.readouterr().out.splitlines()[1]
    assert said.startswith("It was not compared with Ladder's own model. ")
    assert "climb" in said.lower()
    text = (ONNX / exports.CARD).read_text()
    assert said in text
    assert "test pictures, from the bytes" not in text


def test_pictures_may_be_in_an_archive() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, picture in pictures().items():
            archive.writestr(name, picture)
    listing = json.dumps([{"relpath": paths.ARCHIVE, "md5": store(content.getvalue())}])
    table = manifest_of(pictures()).to_csv(index=False, lineterminator="\n")
    write_lock({FILES.raw: store(listing.encode(), ".dir"), FILES.manifest: store(table.encode())})
    found = exports.pictures_of("photos")
    assert len(found.test) == 6
    for name in found.test["path"]:
        assert found.originals.read(name) == pictures()[name]
    found.originals.close()


@pytest.mark.usefixtures("quick")
def test_other_bytes_in_the_cache_stop_the_export() -> None:
    md5 = hashlib.md5([*pictures().values()][-1], usedforsecurity=False).hexdigest()
    (Path("store") / md5[:2] / md5[2:]).write_bytes(b"other")
    with pytest.raises(errors.InputError, match=r"9 é\.jpg: expected sha256 .* Run `ladder cache`"):
        exports.run("photos", "onnx", None, None)
    assert not ONNX.exists()


@pytest.mark.usefixtures("no_tensorflow")
def test_reports_of_another_climb_are_refused() -> None:
    artifacts.write_json(FILES.reports / "weights.json", {"scratch": "0f"})
    with pytest.raises(errors.InputError, match="Received: those of another climb"):
        exports.run("photos", "onnx", None, None)
    shutil.rmtree(FILES.reports)
    with pytest.raises(errors.InputError, match="expected the reports of a climb"):
        exports.run("photos", "onnx", None, None)


@pytest.mark.parametrize("name", [exports.CARD, "picture.jpg"])
def test_a_folder_of_something_else_is_left_alone(name: str, no_tensorflow: None) -> None:
    Path("mine").mkdir()
    Path("mine", name).touch()
    with pytest.raises(errors.InputError, match=f"Received: {name}. .*--output FOLDER"):
        exports.run("photos", "onnx", None, Path("mine"))
    assert [path.name for path in Path("mine").iterdir()] == [name]
    with pytest.raises(errors.InputError, match="Received: a file"):
        exports.check_target(Path("mine", name))


def test_an_earlier_export_is_one_that_may_be_replaced() -> None:
    for name in (*exports.IN_EVERY_EXPORT, *exports.IN_SOME):
        artifacts.write_text(Path("before", name), "")
    exports.check_target(Path("before"))
    Path("before/notes.txt").touch()
    with pytest.raises(errors.InputError, match=r"Received: notes\.txt\."):
        exports.check_target(Path("before"))
    Path("empty").mkdir()
    for target in (Path("empty"), Path("new")):
        exports.check_target(target)


def test_what_there_is_not_is_said_before_tensorflow_starts() -> None:
    messages = {
        ("nobody", "onnx", None): "name of a model: expected one of photos",
        ("photos", "h5", None): "the format: expected one of saved_model, onnx, litert",
        ("photos", "onnx", "best"): "name of a rung: expected one of",
        ("photos", "onnx", "features"): "expected features.weights.h5",
    }
    code = (
        "import sys; from ladder.climbs import exports\n"
        f"for arguments in {[*messages]!r}:\n"
        "    try: exports.run(*arguments, None)\n"
        "    except exports.errors.InputError as error: print(error)\n"
        "sys.exit('tensorflow' in sys.modules)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for line, message in zip(done.stdout.splitlines(), messages.values(), strict=True):
        assert message in line


def test_damaged_weights_are_named(no_tensorflow: None) -> None:
    (FILES.model / "scratch.weights.h5").write_bytes(b"no weights")
    with pytest.raises(errors.InputError, match=r"scratch\.weights\.h5: expected whole weights"):
        exports.run("photos", "onnx", None, None)
