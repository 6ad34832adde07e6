"""What a person is told before a climb on their own pictures; nothing is climbed."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from conftest import drawn_pictures, write_zip
from ladder import errors, settings
from ladder.climbs import estimates, introduction, proposals, recipes
from ladder.networks import probe

ROOT = Path(__file__).parents[2]
JPEG = b"\xff\xd8\xff"  # what a file begins with that is taken for a picture, and cannot be read


@pytest.fixture(autouse=True)
def measured(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the machine's speed is asked for, which is not measured."""
    asked: list[tuple[Any, ...]] = []

    def rates(*arguments: Any) -> dict[str, float]:
        asked.append(arguments)
        return {"base": 20.0, "scratch": 100.0}

    monkeypatch.setattr(probe, "rates", rates)
    return asked


@pytest.fixture(autouse=True)
def project(at_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the committed params and two recipes."""
    (at_root / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    (at_root / "recipes").mkdir()
    (at_root / "recipes/book.txt").write_text("base.preprocessing=book\n")
    (at_root / "recipes/pets.txt").write_text("dataset.name=pets\ndataset.source=dogs_vs_cats\n")
    monkeypatch.setattr(recipes, "PLACES", at_root / "places")
    return at_root


def trees(count: int = 10) -> dict[str, bytes]:
    """Returns files `elm/0.jpg` … of drawn pictures."""
    drawn = drawn_pictures(("elm", "oak"), count)
    return {re.sub(r"train/(\w+)\.", r"\1/", name): content for name, content in drawn.items()}


def written(files: Mapping[str, bytes], name: str = "My Trées") -> str:
    """Writes files into a folder beside the project and returns its path."""
    folder = Path("theirs") / name
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return str(folder)


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def table(lines: list[str]) -> dict[str, list[int]]:
    """Returns the numbers behind the names of classes."""
    rows = (re.fullmatch(r"(\S+)((?: +\d+){4})", line) for line in lines)
    return {row[1]: [int(number) for number in row[2].split()] for row in rows if row}


def test_two_classes_are_told_with_what_will_be_done(
    capsys: pytest.CaptureFixture[str], measured: list[tuple[Any, ...]]
) -> None:
    proposed = introduction.introduce(written(trees()), "", "", [])
    lines = told(capsys)
    assert lines[:2] == ["my-trees: 20 pictures of 2 classes", "The folders are the classes."]
    assert [line.split() for line in lines[2:5]] == [
        ["pictures", "~train", "~validation", "~test"],
        ["elm", "10", "6", "2", "2"],
        ["oak", "10", "6", "2", "2"],
    ]
    assert re.fullmatch(
        r"This machine decodes [\d,]+ pictures a second, and EfficientNet-Lite0 takes 20\.",
        lines[5],
    )
    assert re.fullmatch(r"The climb takes about \d+ minutes and \d+ MB on the disk\.", lines[6])
    assert lines[7:] == [
        "The page will hold thumbnails of your pictures; reports/my-trees stays out of git until "
        "you delete its .gitignore.",
        "It writes recipes/my-trees.txt, which you may edit: ladder climb my-trees",
    ]
    assert proposed is not None
    assert (proposed["dataset.name"], proposed["dataset.source"]) == ("my-trees", "folder")
    params = settings.read(settings.PARAMS)
    proposed_base = {"name": "efficientnet_lite0", "image_size": 224, "weights": "package"}
    base = params.base.model_copy(update=proposed_base)
    assert measured == [(base, 150, 2, params.runtime)]
    assert not Path("reports").exists()  # nothing is written
    assert {path.stem for path in Path("recipes").iterdir()} == {"book", "pets"}


def test_an_archive_is_told_like_its_folder(capsys: pytest.CaptureFixture[str]) -> None:
    introduction.introduce(written(trees(), "trees"), "", "", [])
    of_folder = told(capsys)
    archive = write_zip(trees(), Path("theirs/trees.zip"))
    introduction.introduce(str(archive), "", "", [])
    fixed = [i for i in range(len(of_folder)) if "a second" not in of_folder[i]]
    of_archive = told(capsys)
    assert [of_archive[i] for i in fixed] == [of_folder[i] for i in fixed]


def test_the_number_of_pictures_is_that_of_the_folder_however_it_is_divided(
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = trees(8) | {f"ash/{n}.jpg": content for n, content in enumerate(trees(7).values())}
    introduction.introduce(written({**files, "ash/13.jpg": b"", "ash/12.jpg": JPEG}), "", "", [])
    numbers = table(told(capsys))
    assert {name: row[0] for name, row in numbers.items()} == {"ash": 14, "elm": 8, "oak": 8}
    for row in numbers.values():
        assert sum(row[1:]) == pytest.approx(row[0], abs=1)


def test_a_division_that_is_there_is_told_as_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    places = ["train"] * 5 + ["val"] * 2 + ["test"] * 3
    files = {
        f"{places[int(re.findall(r'[0-9]+', name)[0])]}/{name}": content
        for name, content in trees().items()
    }
    asked: list[Any] = []

    def seconds(*arguments: Any) -> dict[str, float]:
        asked.append(arguments[1])
        return {"all": 60.0}

    monkeypatch.setattr(estimates, "seconds", seconds)
    introduction.introduce(written(files), "", "", [])
    lines = told(capsys)
    assert lines[1].endswith("train, val and test are the classes, and this division is kept.")
    assert lines[2].split() == ["pictures", "train", "validation", "test"]
    assert table(lines) == {"elm": [10, 5, 2, 3], "oak": [10, 5, 2, 3]}
    assert asked == [{"train": 10, "validation": 4, "test": 6}]
    assert any(line.startswith("The climb takes about 1 minute and ") for line in lines)


def test_a_subset_that_a_division_lacks_is_told_as_about(
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = {
        f"{'test' if name.endswith(('8.jpg', '9.jpg')) else 'train'}/{name}": content
        for name, content in trees().items()
    }
    introduction.introduce(written(files), "", "", [])
    lines = told(capsys)
    assert lines[2].split() == ["pictures", "~train", "~validation", "~test"]
    assert table(lines) == {"elm": [10, 6, 2, 2], "oak": [10, 6, 2, 2]}


def test_counts_are_told_as_they_will_be(capsys: pytest.CaptureFixture[str]) -> None:
    changes = ["split.train=4", "split.validation=2", "split.test=1"]
    introduction.introduce(written(trees()), "", "", changes)
    lines = told(capsys)
    assert lines[2].split() == ["pictures", "train", "validation", "test"]
    assert table(lines) == {"elm": [10, 4, 2, 1], "oak": [10, 4, 2, 1]}
    introduction.introduce(written(trees()), "", "", ["split.train_used_per_class=3"])
    assert table(told(capsys)) == {"elm": [10, 3, 2, 2], "oak": [10, 3, 2, 2]}


def test_what_is_passed_over_is_told_by_reason(capsys: pytest.CaptureFixture[str]) -> None:
    others = {f"oak/{number}.txt": b"words" for number in range(1200)}
    introduction.introduce(
        written({**trees(), **others, "elm/film.mp4": b"....ftypmp42"}), "", "", []
    )
    lines = [line for line in told(capsys) if line.startswith("Passed over")]
    assert lines == [
        "Passed over, a film (.mp4): 1 file, such as elm/film.mp4",
        "Passed over, not a picture of a known format (.txt): 1,200 files, such as oak/0.txt",
    ]


def test_pictures_that_cannot_be_read_are_told_of_those_that_were_looked_at(
    capsys: pytest.CaptureFixture[str],
) -> None:
    introduction.introduce(written({**trees(), "oak/4.jpg": JPEG + b"words"}), "", "", [])
    (line,) = (line for line in told(capsys) if "cannot be read" in line)
    assert re.fullmatch(r"1 of 20 pictures looked at cannot be read \(oak/4\.jpg: .+\)\.", line)
    many = {f"elm/more {number}.jpg": b"" for number in range(100)}
    introduction.introduce(written({**trees(), **many}), "", "", [])
    (line,) = (line for line in told(capsys) if "cannot be read" in line)
    count = re.match(r"(\d+) of 64 pictures looked at cannot be read", line)
    assert count is not None
    assert 40 < int(count[1]) < 64
    assert line.count("empty file") == 3


def test_of_many_classes_the_smallest_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    content = trees(1)["oak/0.jpg"]
    files = {
        f"class-{number:02}/{i}.jpg": content for number in range(40) for i in range(50 - number)
    }
    introduction.introduce(written(files), "", "", [])
    lines = told(capsys)
    assert lines[0] == f"my-trees: {len(files):,} pictures of 40 classes"
    rows = table(lines)
    assert list(rows) == [f"class-{number:02}" for number in range(10, 40)]
    assert rows["class-39"] == [11, 7, 2, 2]
    assert "… the 30 smallest of 40 classes" in lines


def test_a_dataset_that_has_a_recipe_is_told_by_its_name(
    project: Path, capsys: pytest.CaptureFixture[str], measured: list[tuple[Any, ...]]
) -> None:
    folder = written(trees())
    proposed = introduction.introduce(folder, "trees", "", [])
    assert proposed is not None
    recipes.create("trees", proposals.text({**proposed, "image_size": "64"}))
    recipes.remember("trees", project / folder)
    told(capsys)
    for pictures, name in (("trees", ""), (folder, "trees")):
        assert introduction.introduce(pictures, name, "book", []) == {}
        lines = told(capsys)
        assert lines[0] == "trees: 20 pictures of 2 classes"
        assert "It writes" not in lines[-1]
    base, image_size, *_ = measured[-1]
    assert (base.preprocessing, image_size) == ("book", 64)


@pytest.mark.parametrize(
    ("pictures", "name"), [("cifar10", ""), ("pets", ""), ("theirs/pets.zip", "pets")]
)
def test_nothing_is_told_of_pictures_that_are_not_ones_own(
    capsys: pytest.CaptureFixture[str], pictures: str, name: str
) -> None:
    assert introduction.introduce(pictures, name, "", []) is None
    assert told(capsys) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["split.trian=0.5"], r"keys of params\.yaml\. Received: split\.trian\."),
        (["image_size"], r"-S: expected lines of `key=value`\. Received: image_size\."),
        (["image_size=40"], r"the recipe: image_size: expected greater than or equal to 48\."),
        (["split.train=0.9"], r"the recipe: split: expected shares .* that sum to 1\."),
    ],
)
def test_a_wrong_change_stops_before_anything_is_measured(
    measured: list[tuple[Any, ...]], changes: list[str], message: str
) -> None:
    with pytest.raises(errors.InputError, match=message):
        introduction.introduce(written(trees(1)), "", "", changes)
    assert measured == []


@pytest.mark.parametrize(
    ("folder", "name", "message"),
    [
        ("trees", "2024", r"name of the dataset: expected at most .*Received: 2024\."),
        ("trees", "cifar10", r"--name: expected another name than .*Received: cifar10\."),
        ("cifar10", "", r"--name: expected another name than .*Received: cifar10\."),
        ("book", "", r"expected one that no other recipe has\. Received: book, .*--name NAME"),
    ],
)
def test_a_name_that_stands_for_something_else_is_refused(
    folder: str, name: str, message: str
) -> None:
    with pytest.raises(errors.InputError, match=message):
        introduction.introduce(written(trees(1), folder), name, "", [])


def test_a_folder_without_classes_is_refused_and_one_that_is_not_there() -> None:
    with pytest.raises(errors.InputError, match="my pictures: expected at least two classes"):
        introduction.introduce(written({"0.jpg": trees(1)["oak/0.jpg"]}, "my pictures"), "", "", [])
    with pytest.raises(errors.InputError, match=r"gone: expected a folder or a zip archive"):
        introduction.introduce("theirs/gone", "", "", [])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (3.0, "1 minute"),
        (89.0, "1 minute"),
        (91.0, "2 minutes"),
        (5399.0, "90 minutes"),
        (5400.0, "1.5 hours"),
        (90_000.0, "25.0 hours"),
    ],
)
def test_a_duration_is_said_as_people_say_it(seconds: float, text: str) -> None:
    assert introduction.duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (10.0, "1 MB"),
        (1_600_000.0, "2 MB"),
        (999_000_000.0, "999 MB"),
        (1e9, "1.0 GB"),
        (2.46e12, "2,460.0 GB"),
    ],
)
def test_a_volume_is_said_as_people_say_it(size: float, text: str) -> None:
    assert introduction.volume(size) == text


def test_another_folder_of_the_same_name_is_not_taken_for_it(
    at_root: Path, measured: list[tuple[Any, ...]]
) -> None:
    one = written(trees())
    proposed = introduction.introduce(one, "", "", [])
    assert proposed
    recipes.create("my-trees", proposals.text(proposed))
    recipes.remember("my-trees", Path(one).absolute())
    assert introduction.introduce(one, "", "", []) == {}
    other = written(trees(), "else/My Trées")
    message = r"my-trees: expected the pictures that it was climbed on before, .*/theirs/My Trées\."
    with pytest.raises(errors.InputError, match=message):
        introduction.introduce(other, "", "", [])
    assert introduction.introduce(other, "my-trees", "", []) == {}  # they were moved


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([], r"class fir: expected at least 3 pictures, .*Received: 2\. Add pictures of fir"),
        (
            ["split.train=100", "split.validation=20", "split.test=20"],
            r"class elm: expected at least 140 pictures.*Received: 10; 2 other classes have",
        ),
    ],
)
def test_a_class_of_too_few_pictures_stops_before_anything_is_measured(
    changes: list[str], message: str, measured: list[tuple[Any, ...]]
) -> None:
    few = {f"fir/{i}.jpg": content for i, content in enumerate([*trees().values()][:2])}
    with pytest.raises(errors.InputError, match=message):
        introduction.introduce(written(trees() | few), "", "", changes)
    assert measured == []
