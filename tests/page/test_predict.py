import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image

from ladder import artifacts, errors, paths, rungs
from ladder.networks import deployed
from ladder.page import grids, predict
from ladder.pictures import images

SIZE = 8
READ = deployed.read
MANY = [f"kind{number}" for number in range(8)]


class Colours:
    """Takes the place of a network: the mean of red decides, in steps of the classes' number."""

    def __init__(self, classes: int):
        self.classes = classes

    def predict_on_batch(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        red = batch[..., :1].mean(axis=(1, 2)) / 255
        weights = np.exp(-10 * np.abs(red - np.linspace(0, 1, self.classes)))
        shares = red if self.classes == 2 else weights / weights.sum(axis=1, keepdims=True)
        return np.asarray(shares, np.float32)


@pytest.fixture(autouse=True)
def root(at_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def read(files: deployed.Files, policy: str | None = None) -> deployed.Model:
        names = artifacts.read_json(files.description)["model"]["class_names"]
        return deployed.Model(files.name, files.rung, names, SIZE, Colours(len(names)))

    monkeypatch.setattr(deployed, "read", read)
    return at_root


def place(class_names: list[str], name: str = "photos", rung: rungs.Rung = "scratch") -> None:
    """Writes `models/<name>` with weights that nobody reads."""
    files = paths.DatasetPaths(name)
    model = {"class_names": class_names, "image_size": SIZE}
    artifacts.write_json(files.description(rung), {"model": model, "runtime": {}})
    artifacts.write_text(files.weights(rung), "weights")
    deployed.deploy(files, rung, files.model, {})


def picture(path: str | Path, red: int = 0) -> str:
    content = io.BytesIO()
    pixels = np.full((12, 9, 3), (red, 7, 9), np.uint8)
    pixels[0, 0, 1:] = 250  # something to see
    Image.fromarray(pixels).save(content, "PNG")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(content.getvalue())
    return str(path)


def run(*arguments: str, **options: Any) -> int:
    every = {"name": None, "rung": None, "csv": None, "as_json": False, "heatmaps": None}
    return predict.predict_paths(arguments, **(every | options))


def test_a_table_stands_on_stdout_in_the_order_of_the_arguments(
    capsys: pytest.CaptureFixture[str],
) -> None:
    place(["cat", "dog"])
    assert run(picture("new/b.png", 255), picture("a.png", 51)) == 0
    out, err = capsys.readouterr()
    assert out == (
        "path       label  confidence     cat      dog\n"
        "new/b.png  dog       100.0 %   0.0 %  100.0 %\n"
        "a.png      cat        80.0 %  80.0 %   20.0 %\n"
    )
    assert err == "ladder: model photos, rung scratch\n"


def test_of_many_classes_the_table_shows_three_and_files_show_all(
    capsys: pytest.CaptureFixture[str],
) -> None:
    place(MANY)
    file = picture("a.png", 255)
    assert run(file) == 0
    head, line = capsys.readouterr().out.splitlines()
    assert head.split() == ["path", "label", "confidence", "second", "third"]
    assert line.split()[:2] == ["a.png", "kind7"]
    assert line.split()[4::3] == ["kind6", "kind5"]
    assert run(file, csv=Path("out/a.csv"), as_json=True) == 0
    frame = pd.read_csv("out/a.csv")
    assert frame.columns.tolist() == ["path", "label", "confidence", *MANY]
    (record,) = json.loads(capsys.readouterr().out)
    assert [*record["probabilities"]] == MANY
    assert record["path"] == "a.png"
    assert record["label"] == "kind7"
    assert record["confidence"] == record["probabilities"]["kind7"] == frame["kind7"][0]


def test_csv_goes_to_stdout_alone(capsys: pytest.CaptureFixture[str]) -> None:
    place(["7", "nan"])
    assert run(picture("a.png", 51), picture("b.png", 255), csv=Path("-")) == 0
    expected = "path,label,confidence,7,nan\na.png,7,0.8,0.8,0.2\nb.png,nan,1.0,0.0,1.0\n"
    assert capsys.readouterr().out == expected


def test_a_csv_file_is_named_and_no_table_printed(capsys: pytest.CaptureFixture[str]) -> None:
    place(["cat", "dog"])
    for _ in range(2):  # an old one is replaced
        assert run(picture("a.png"), csv=Path("new/out.csv")) == 0
        out, err = capsys.readouterr()
        assert out == ""
        assert err.endswith("ladder: 1 predictions in new/out.csv\n")
    assert pd.read_csv("new/out.csv")["label"].tolist() == ["cat"]


def test_folders_give_their_pictures_in_natural_order_without_litter(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("10.png", "9.PNG", "sub/1.jpg", ".hidden.png", "@eaDir/9.png", "Thumbs.db"):
        picture(f"new/{name}")
    for name in ("11", "12.dat"):  # the content decides
        picture(f"new/{name}")
    Path("new/notes.txt").write_text("text")
    Path("new/empty").mkdir()
    pictures, problems = predict.expand(["new", "new/10.png", "new/sub"])
    names = ["9.PNG", "10.png", "11", "12.dat", "sub/1.jpg"]
    assert pictures == [Path("new") / name for name in names]
    assert problems == []
    assert capsys.readouterr().err == "ladder: new: 1 file passed over: notes.txt\n"


def test_patterns_that_no_shell_expanded_are_expanded() -> None:
    for name in ("a10.png", "a9.png", "b.png", "in/a1.png"):
        picture(f"new/{name}")
    picture("new/[1].png")

    def expanded(argument: str) -> list[str]:
        pictures, problems = predict.expand([argument])
        assert problems == []
        return [path.as_posix() for path in pictures]

    assert expanded("new/a*.png") == ["new/a9.png", "new/a10.png"]
    assert expanded("new/?.png") == ["new/b.png"]
    assert expanded("new/[1].png") == ["new/[1].png"]  # a file of this very name
    assert set(expanded("new/**/a*.png")) == {"new/a9.png", "new/a10.png", "new/in/a1.png"}
    assert len(expanded("new/**")) == 5  # each once
    assert expanded(f"{Path.cwd()}/new/b*") == [f"{Path.cwd()}/new/b.png"]


def test_a_home_that_the_shell_did_not_expand_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(Path.cwd()))
    picture("a.png")
    assert predict.expand(["~/a.png"]) == ([Path.cwd() / "a.png"], [])


def test_what_cannot_be_used_is_told_in_a_line_each_and_the_rest_goes_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    place(["cat", "dog"])
    Path("text.jpg").write_text("no picture")
    Path("empty").mkdir()
    Path("dead.png").symlink_to("nowhere")
    arguments = ["missing.jpg", "text.jpg", picture("a.png"), "empty", "x" * 5000, "*.tif", "a\0b"]
    assert run(*arguments, "dead.png", "~nobody-of-this-name/a.png") == 1
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines()] == ["path", "a.png"]
    lines = err.splitlines()
    assert [line for line in lines if not line.startswith("ladder: ")] == []
    for name in ("missing.jpg", "text.jpg", "empty", "xxxx", "*.tif", "a\\x00b", "dead.png", "~no"):
        assert len([line for line in lines if line.startswith(f"ladder: {name}")]) == 1, name


def test_without_a_picture_nothing_heavy_starts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place(["cat", "dog"])
    monkeypatch.setattr(deployed, "read", None)
    assert run("missing.jpg") == 1
    assert capsys.readouterr() == ("", "ladder: missing.jpg: nothing there\n")


def test_odd_names_are_printed_in_one_line_and_written_as_utf_8(
    capsys: pytest.CaptureFixture[str],
) -> None:
    place(["猫", "dog"])
    odd = os.fsdecode(b"caf\xe9.png")
    files = [picture(name, 255) for name in (odd, "two\nlines.png", "\x1b[31m.png", "猫.png")]
    assert run(*files) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "path            label  confidence     猫      dog",
        "caf\\udce9.png   dog       100.0 %  0.0 %  100.0 %",
        "two\\nlines.png  dog       100.0 %  0.0 %  100.0 %",
        "\\x1b[31m.png    dog       100.0 %  0.0 %  100.0 %",
        "猫.png          dog       100.0 %  0.0 %  100.0 %",
    ]
    assert run(*files, csv=Path("a.csv"), as_json=True) == 0
    written = ["caf\\xe9.png", *files[1:]]
    assert pd.read_csv("a.csv")["path"].tolist() == written
    assert [record["path"] for record in json.loads(capsys.readouterr().out)] == written


def test_a_terminal_without_unicode_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    place(["猫", "dog"])
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    assert run(picture("a.png")) == 0
    stream.seek(0)
    assert "\\u732b" in stream.read()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "trees"}, "expected one of photos"),
        ({"rung": "best"}, "expected one of scratch"),
        ({"rung": "features"}, r"Received: scratch\."),
        ({"csv": Path("-"), "as_json": True}, "expected one form on stdout"),
        ({"csv": Path("new/a.png")}, r"expected a new file, or an old one that ends in \.csv"),
        ({"csv": Path("new")}, "Received: a folder"),
        ({"csv": Path("new/a.png/b.csv")}, "Received: new/a.png, a file"),
        ({"csv": Path("x" * 300)}, "expected names that the disk takes"),
        ({"heatmaps": Path("new/a.png")}, "Received: new/a.png, a file"),
        ({"heatmaps": Path("new")}, "expected a folder without pictures that are to be predicted"),
        ({"heatmaps": Path()}, "expected a folder without pictures that are to be predicted"),
    ],
)
def test_what_does_not_go_together_is_told_before_any_work(
    options: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(["cat", "dog"])
    file = picture("new/a.png")
    before = Path(file).read_bytes()
    monkeypatch.setattr(deployed, "read", None)
    with pytest.raises(errors.InputError, match=message):
        run(file, **options)
    assert Path(file).read_bytes() == before


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_a_heatmap_lies_over_the_picture_for_the_label(
    policy: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from ladder.evidence import interpretation
    from ladder.networks import models
    from ladder.networks.runtime import keras

    monkeypatch.setattr(deployed, "read", READ)
    size, names = 96, ["cat", "dog", "eel"]
    description = models.Description(
        rung="scratch", image_size=size, class_names=names, dropout=0.0, base=None, fed="images"
    )
    keras.utils.set_random_seed(0)
    files, network = paths.DatasetPaths("photos"), models.build(description)
    models.write(network, files.weights("scratch"))
    content = {"model": description.model_dump(), "runtime": {"policy": policy}}
    artifacts.write_json(files.description("scratch"), content)
    deployed.deploy(files, "scratch", files.model, {})
    pictures = [picture("new/a.png", 255), picture("new/sub/a.png", 20)]
    Path("new/bad.png").write_text("no picture")
    assert run(*pictures, "new/bad.png", heatmaps=Path("maps")) == 1
    lines = capsys.readouterr().out.splitlines()[1:]
    for name, line in zip(("a.png", "sub/a.png"), lines, strict=True):
        image = images.decode(Path("new", name).read_bytes(), size)
        label = names.index(line.split()[1])
        heatmap = interpretation.heatmaps(network, image[None])["grad_cam"][0, label]
        with Image.open(f"maps/{name}.png") as drawn:
            pixels = np.asarray(drawn).astype(int)
        expected = grids.overlay(image, heatmap, predict.HEATMAP_SIZE).astype(int)
        assert np.abs(pixels - expected).max() <= 6  # a step of the colours
    assert {path.name for path in Path("maps").iterdir()} == {"a.png.png", "sub"}


def test_the_files_of_heatmaps_are_named_after_the_pictures() -> None:
    here = Path.cwd()
    pictures = [Path("a/1.jpg"), Path("a/b/../b/1.jpg"), here / "a/1.png"]
    names = ["1.jpg.png", "b/1.jpg.png", "1.png.png"]
    expected = [Path("maps") / name for name in names]
    assert predict.heatmap_files(pictures, Path("maps")) == expected
    assert predict.heatmap_files([Path("a/1.jpg")], Path("maps")) == [Path("maps/1.jpg.png")]


def test_the_command_is_told_what_is_wrong_without_tensorflow() -> None:
    place(["cat", "dog"])
    code = (
        "import sys; from ladder.page import predict\n"
        "status = predict.predict_paths(['nothing.jpg'], None, None, None, False, None)\n"
        "sys.exit(10 * ('tensorflow' in sys.modules) + status)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 1
