"""docs/own-pictures.md, from its first command to its last, as a reader would run it."""

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest
import yaml

from ladder import settings
from ladder.climbs import introduction, proposals, recipes
from ladder.page import examined
from ladder.pictures import corrections, examination, intake, sources
from test_docs import ROOT, TOUR, Block, blocks, copy_project, environment

PAGE = ROOT / "docs/own-pictures.md"
BLOCKS = list(blocks(PAGE))
DRY_RUN, OF_PICTURES, REFUSAL = (block.text for block in BLOCKS if block.language == "text")
FAILS, PARAMS = TOUR[1:]
# Two epochs of each training: the commands count here.
SMALL = (
    "base.weights=none",
    "interpretation.pictures_per_gallery=1",
    "interpretation.filters_per_layer=2",
    "interpretation.pattern_size=32",
    "interpretation.steps=2",
    *(
        f"{section}.epochs=2"
        for section in (
            "train_scratch",
            "train_scratch_augmented",
            "train_head",
            "train_end_to_end",
            "fine_tune",
        )
    ),
)
HASH = re.compile(r"Received: ([0-9a-f]{64})\.")


@dataclass(frozen=True)
class Step:
    """What a block of the page did, and what was there afterwards."""

    block: Block
    status: int
    printed: str
    errors: str
    changes: str  # of files that git does not leave out
    subsets: Mapping[str, str]  # by the ids of predicted pictures


@dataclass(frozen=True)
class Place:
    """A reader's home, and the project in it."""

    home: Path

    @property
    def project(self) -> Path:
        return self.home / "ladder"

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.project,
            env={**environment(), "HOME": str(self.home), "PYTHONPATH": str(self.project / "src")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


def shell(block: Block) -> list[str]:
    """Returns the command that runs a block."""
    if block.language == "python":
        return [sys.executable, "-c", block.text]
    return ["bash", "-euo", "pipefail", "-c", block.text]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("home"))
    copy_project(place.project)
    recipes.write(place.project / "params.yaml", SMALL)
    done = place.run("git", "commit", "--quiet", "--all", "--message", "small")
    assert done.returncode == 0, done.stderr
    return place


@pytest.fixture(scope="module")
def own_pictures() -> ModuleType:
    """The generator of the folder."""
    found = importlib.util.spec_from_file_location("own_pictures", ROOT / "docs/own_pictures.py")
    assert found and found.loader
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def without_numbers(text: str) -> list[str]:
    """Returns the lines, without the numbers of those that tell how fast a machine is."""
    return [
        re.sub(r"\d[\d,.]*|minutes?", "…", line)
        if line.startswith(("This machine", "The climb takes"))
        else line.rstrip()
        for line in text.strip().splitlines()
    ]


def test_every_command_is_run_or_has_a_reason() -> None:
    assert [str(b) for b in BLOCKS if b.language != "text" and not b.mark] == []
    assert [block.language for block in BLOCKS if block.note == PARAMS] == ["yaml"]


def test_the_folder_is_as_the_page_says_and_drawn_alike_every_time(
    own_pictures: ModuleType,
) -> None:
    files: dict[str, bytes] = own_pictures.whole()
    assert files == own_pictures.whole()
    numbers = {name: sum(path.startswith(name) for path in files) for name in own_pictures.COUNTS}
    assert numbers == {"awning": 60 + 1, "deckchair": 40 + 1, "ticking": 20}  # a name, a film
    assert len({*files.values()}) == len(files) - 1
    later = {**own_pictures.more(), **own_pictures.new()}
    assert not {*files.values()} & {*later.values()}
    assert not {*files} & {*later}


@pytest.fixture
def fabrics(tmp_path: Path, own_pictures: ModuleType) -> Path:
    """The folder of the tour."""
    folder = tmp_path / "fabrics"
    for name, content in own_pictures.whole().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def test_the_first_look_prints_what_the_page_shows(
    fabrics: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    rates = {"base": 11.0, "scratch": 100.0}  # to measure them takes TensorFlow, and seconds
    monkeypatch.setattr(introduction, "_measured", lambda params, classes: (rates, 5.0))
    introduction.introduce(str(fabrics), "", "", ())
    assert without_numbers(capsys.readouterr().out) == without_numbers(DRY_RUN)


def test_the_page_says_of_the_pictures_what_the_tour_shows(fabrics: Path) -> None:
    current = settings.read(ROOT / "params.yaml").split
    shares = current.model_copy(
        update={str(subset): share for subset, share in proposals.SHARES.items()}
    )
    own = sources.own(fabrics)
    taken = intake.of_folder(own.originals, own.layout, shares, corrections.load(Path(), None))
    assert (taken.manifest["subset"] == "test").sum() == 24
    assert taken.quarantine["path"].tolist() == ["deckchair/007.jpg"]
    assert OF_PICTURES.splitlines() == [
        *examined.classes(taken.manifest),
        examined.groups(taken.manifest, "folder"),
        *examined.telling(examination.by_class(taken.examined)),
    ]


@pytest.fixture(scope="module")
def steps(place: Place) -> list[Step]:
    """Every block of the page, run in order."""
    return [step for block in BLOCKS if block.note in TOUR for step in run(block, place)]


def run(block: Block, place: Place) -> Iterator[Step]:
    params = place.project / "params.yaml"
    if block.note == PARAMS:
        recipes.write(params, list(lines(yaml.safe_load(block.text))))
        return
    done = place.run(*shell(block))
    yield Step(
        block,
        done.returncode,
        done.stdout,
        done.stderr,
        place.run("git", "status", "--porcelain").stdout,
        predicted(place.project / "reports/fabrics/predictions/features.csv"),
    )
    if (found := HASH.search(done.stdout + done.stderr)) and block.note == FAILS:
        recipes.write(params, [f"dataset.sha256={found[1]}"])  # as the page asks the reader


def lines(content: Mapping[str, Any]) -> Iterator[str]:
    for section, values in content.items():
        pairs = values.items() if isinstance(values, Mapping) else [(None, values)]
        for key, value in pairs:
            name = f"{section}.{key}" if key else section
            yield f"{name}={'null' if value is None else value}"


def predicted(file: Path) -> dict[str, str]:
    if not file.exists():
        return {}
    table = pd.read_csv(file)
    return dict(zip(table["id"], table["subset"], strict=True))


def of(steps: list[Step], *commands: str) -> list[Step]:
    """Returns the steps whose last command starts so."""
    return [s for s in steps if s.block.text.strip().splitlines()[-1].startswith(commands)]


def ran(step: Step) -> set[str]:
    """Returns the stages that ran, and were not taken from the run cache."""
    return {*re.findall(r"Running stage '([\w@]+)'", step.printed + step.errors)}


@pytest.mark.slow
def test_every_command_ends_as_the_page_says(steps: list[Step]) -> None:
    assert len(steps) >= 12
    for step in steps:
        assert (step.status != 0) == (step.block.note == FAILS), f"{step.block}\n{step.errors}"
        assert "Traceback" not in step.errors, f"{step.block}\n{step.errors}"
    (look,) = of(steps, "ladder climb ~/fabrics --dry-run")
    assert without_numbers(look.printed) == without_numbers(DRY_RUN)
    assert look.changes == ""


@pytest.mark.slow
def test_climbs_leave_a_recipe_alone_and_no_path(steps: list[Step], place: Place) -> None:
    *_, last = of(steps, "ladder climb")
    assert last.changes == "?? recipes/fabrics.txt\n"
    files = [place.project / name for name in ("params.yaml", "dvc.lock", "recipes/fabrics.txt")]
    for folder in ("reports/fabrics", "models/fabrics", "data/fabrics"):
        files += [path for path in (place.project / folder).rglob("*") if path.is_file()]
    path = str(place.home).encode()
    assert [file for file in files if path in file.read_bytes()] == []


@pytest.mark.slow
def test_a_larger_margin_trains_nothing(steps: list[Step]) -> None:
    first, second, _ = of(steps, "ladder climb ~/fabrics -S", "ladder climb fabrics")
    assert "train_head" in ran(first)
    assert {"evaluate"} <= ran(second) <= {"evaluate", "choose", "render"}


@pytest.mark.slow
def test_added_pictures_leave_the_others_in_their_subsets(steps: list[Step]) -> None:
    _, before, after = of(steps, "ladder climb ~/fabrics -S", "ladder climb fabrics")
    assert before.subsets
    assert len(after.subsets) > len(before.subsets)
    assert before.subsets.items() <= after.subsets.items()


@pytest.mark.slow
def test_predictions_come_as_a_table_a_file_json_and_heatmaps(
    steps: list[Step], place: Place
) -> None:
    table, as_json, with_a_broken_one, *_ = of(steps, "ladder predict")
    head, *rows = table.printed.strip().splitlines()[1:]  # after the generator's line
    assert head.split() == ["path", "label", "confidence", "awning", "deckchair", "ticking"]
    in_file = pd.read_csv(place.home / "new.csv")
    records = json.loads(re.sub(r"\A[^\[]*", "", as_json.printed))
    assert len(rows) == len(in_file) == len(records) == 6
    labels = [record["label"] for record in records]
    assert in_file["label"].tolist() == labels == [row.split()[1] for row in rows]
    assert len([*(place.home / "looked").glob("*.png")]) == 6
    assert "007.jpg" in with_a_broken_one.errors
    (in_python,) = (step for step in steps if step.block.language == "python")
    assert all(f"{number}.jpg" in in_python.printed for number in range(1, 7))


@pytest.mark.slow
def test_plain_dvc_says_the_hash_and_then_takes_the_trainings_from_its_cache(
    steps: list[Step],
) -> None:
    refused, climbed = of(steps, "LADDER_PICTURES=", "ladder report")[-2:]
    message = HASH.sub("Received: HASH.", refused.printed + refused.errors)
    assert REFUSAL.strip() in message.splitlines()
    assert ran(climbed) <= {"evaluate", "choose", "render"}


@pytest.mark.slow
def test_the_originals_are_never_changed(
    steps: list[Step], place: Place, own_pictures: ModuleType
) -> None:
    assert steps
    folder = place.home / "fabrics"
    files = {str(p.relative_to(folder)): p for p in folder.rglob("*") if p.is_file()}
    assert {name: file.read_bytes() for name, file in files.items()} == {
        **own_pictures.whole(),
        **own_pictures.more(),
    }
    assert {file.stat().st_nlink for file in files.values()} == {1}
