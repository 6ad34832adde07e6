"""What is taken out of a climb's commit, in a repository of a few files; no DVC runs."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from ladder import artifacts, errors, paths, processes
from ladder.climbs import experiments

REPORTS = Path("reports/dogs_vs_cats")
Outputs = dict[str, str]
CLIMBED = {"ladder.csv": "new", "predictions/scratch.csv": "new", "figures/ladder.png": "new"}
OLD = {
    "ladder.csv": "old",
    "predictions/scratch.csv": "old",
    "predictions/of_no_rung.csv": "old",
    "figures/ladder.png": "old",
    "climb.lock": "old",
    "studies/README.md": "old",
}


def git(*arguments: str) -> str:
    author = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    command = ["git", *author, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def write(folder: Path, files: Outputs) -> None:
    for name, text in files.items():
        artifacts.write_text(folder / name, text)


def content(folder: Path) -> Outputs:
    """Returns the text of every file in a folder, hidden ones as well."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


@pytest.fixture
def commit(at_root: Path) -> str:
    """The commit of a climb; the working directory is its repository, without the reports."""
    outs = [{"path": f"{REPORTS}/{name}"} for name in ("ladder.csv", "predictions")]
    stages = {
        "split": {"outs": [{"path": "data/dogs_vs_cats/manifest.csv", "size": 484}]},
        "evaluate": {"outs": [*outs, {"path": "reports/metrics.json"}]},
        "render": {"outs": [{"path": f"{REPORTS}/figures"}]},
    }
    artifacts.write_json(at_root / "dvc.lock", {"stages": stages})  # JSON is YAML
    (at_root / "dvc.yaml").touch()
    write(at_root / REPORTS, {**CLIMBED, "studies/README.md": "of the copy"})
    (at_root / "reports/metrics.json").write_text("{}")
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "climbed")
    (at_root / "dvc.lock").write_text("of the workspace")
    shutil.rmtree(at_root / "reports")
    return git("rev-parse", "HEAD")


@pytest.mark.parametrize("name", [".", "mine"])
def test_a_climbs_reports_and_its_lock_are_taken_over(
    commit: str, at_root: Path, name: str
) -> None:
    target = REPORTS / name
    experiments.take(commit, "dogs_vs_cats", target)
    lock = experiments.show(commit, paths.LOCK).decode()
    assert content(target) == {**CLIMBED, "climb.lock": lock}
    assert "evaluate" in lock
    assert (at_root / "dvc.lock").read_text() == "of the workspace"
    assert not (at_root / "reports/metrics.json").exists()


def test_the_bytes_of_an_output_are_those_that_its_climbs_lock_says(commit: str) -> None:
    assert experiments.size(commit, Path("data/dogs_vs_cats/manifest.csv")) == 484


def test_what_was_taken_before_gives_way_and_the_rest_stays(commit: str, at_root: Path) -> None:
    write(at_root / REPORTS, OLD)
    experiments.take(commit, "dogs_vs_cats", REPORTS)
    lock = experiments.show(commit, paths.LOCK).decode()
    assert content(REPORTS) == {**CLIMBED, "climb.lock": lock, "studies/README.md": "old"}
    assert [path.name for path in (at_root / "reports").iterdir()] == ["dogs_vs_cats"]


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes the move of this number fail, counted from 1, and no other."""

    def fail(number: int) -> None:
        moves = 0
        replace = os.replace

        def counted(source: Any, target: Any) -> None:
            nonlocal moves
            moves += 1
            if moves == number:
                raise OSError(28, "No space left on device")
            replace(source, target)

        monkeypatch.setattr(os, "replace", counted)

    return fail


@pytest.mark.parametrize("move", range(1, 9))  # four outputs, each old one first
def test_after_an_error_half_way_what_was_there_is_there_again(
    commit: str, at_root: Path, full_disk: Callable[[int], None], move: int
) -> None:
    write(at_root / REPORTS, OLD)
    full_disk(move)
    with pytest.raises(OSError, match="No space left"):
        experiments.take(commit, "dogs_vs_cats", REPORTS)
    assert content(at_root / "reports") == {f"dogs_vs_cats/{name}": t for name, t in OLD.items()}


@pytest.mark.parametrize("move", range(1, 5))
def test_after_an_error_half_way_nothing_is_there_where_nothing_was(
    commit: str, at_root: Path, full_disk: Callable[[int], None], move: int
) -> None:
    full_disk(move)
    with pytest.raises(OSError, match="No space left"):
        experiments.take(commit, "dogs_vs_cats", REPORTS)
    assert content(at_root / "reports") == {}


def test_a_folder_in_the_place_of_a_file_is_there_again_after_an_error(
    commit: str, at_root: Path, full_disk: Callable[[int], None]
) -> None:
    kinds_differ = {"ladder.csv/a": "old", "predictions": "old", "figures/a": "old"}
    write(at_root / REPORTS, kinds_differ)
    full_disk(6)
    with pytest.raises(OSError, match="No space left"):
        experiments.take(commit, "dogs_vs_cats", REPORTS)
    assert content(at_root / REPORTS) == kinds_differ


def test_a_commit_that_lacks_a_report_changes_nothing(commit: str, at_root: Path) -> None:
    git("rm", "--quiet", "--cached", "-r", f"{REPORTS}/figures")
    git("commit", "--quiet", "--message", "without figures")
    write(at_root / REPORTS, OLD)
    with pytest.raises(subprocess.CalledProcessError):
        experiments.take(git("rev-parse", "HEAD"), "dogs_vs_cats", REPORTS)
    assert content(at_root / REPORTS) == OLD
    experiments.take(commit, "dogs_vs_cats", REPORTS)
    assert content(at_root / REPORTS)["ladder.csv"] == "new"


def test_the_lock_of_a_climb_is_its_own_or_else_the_workspaces(at_root: Path) -> None:
    for lock in (
        "",
        "stages: {}\n",
        "stages: {evaluate: {outs: [{path: reports/b/ladder.csv}]}}\n",
    ):
        if lock:
            (at_root / "dvc.lock").write_text(lock)
        with pytest.raises(errors.InputError, match=r"or a dvc\.lock of this dataset"):
            experiments.lock_of(Path("reports/a"))
    assert experiments.lock_of(Path("reports/b")) == Path("dvc.lock")
    (at_root / "reports/b").mkdir(parents=True)
    (at_root / "reports/b/climb.lock").write_text("stages: {}\n")
    assert experiments.lock_of(Path("reports/b")) == Path("reports/b/climb.lock")


def test_a_study_is_of_committed_code(at_root: Path) -> None:
    for command in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a", "--allow-empty"],
    ):
        subprocess.run(["git", *command], check=True)
    (at_root / "params.yaml").write_text("seed: 1\n")
    experiments.check_code_committed()
    (at_root / "stages").mkdir()
    (at_root / "stages/new.py").write_text("")
    with pytest.raises(errors.InputError, match=r"code as committed\. Received: stages/"):
        experiments.check_code_committed()


def test_every_committed_climb_beside_the_workspace_has_its_own_lock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    folders = sorted(path.parent for path in Path("reports").glob("dogs_vs_cats/**/climb.json"))
    assert REPORTS in folders
    assert [experiments.lock_of(f) for f in folders] == [f / "climb.lock" for f in folders]
    assert experiments.lock_of(paths.DatasetPaths("cifar10").reports) == Path("dvc.lock")


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The arguments that DVC is run with, which does nothing."""
    arguments: list[list[str]] = []

    def run(command: list[str], folder: Path, environment: dict[str, str]) -> int:
        assert command[:3] == experiments.DVC
        assert (folder, environment["PYTHONPATH"]) == (Path(), "src")
        arguments.append(command[3:])
        return 0

    monkeypatch.setattr(processes, "run", run)
    return arguments


def test_a_climb_is_an_experiment_of_its_name_and_returns_its_commit(
    commit: str, commands: list[list[str]]
) -> None:
    assert experiments.climb("book-of_ours", ["seed=1", "image_size=64", "seed=2"]) == ""
    run = ["exp", "run", "--temp", "--name", "book-of-ours"]
    assert commands == [[*run, "--set-param=seed=2", "--set-param=image_size=64"]]
    git("update-ref", "refs/exps/aa/bb/book-of-ours", commit)
    commands.clear()
    assert experiments.climb("book-of_ours", [], ["predict@scratch"]) == commit
    removal = ["exp", "remove", "--quiet", "book-of-ours"]
    assert commands == [removal, [*run, "predict@scratch"]]


def test_studies_that_git_does_not_hold_come_along(commit: str, commands: list[list[str]]) -> None:
    folder = Path("reports/oaks/studies")
    folder.mkdir(parents=True)
    (folder / "seeds.csv").touch()
    (folder.parent / ".gitignore").write_text("*\n")
    run = ["exp", "run", "--temp", "--name", "oaks", "--set-param=dataset.name='oaks'"]
    experiments.climb("oaks", ["dataset.name=oaks"])
    experiments.climb("oaks", ["dataset.name=oaks"], ["evaluate"])
    git("add", "--force", str(folder))
    experiments.climb("oaks", ["dataset.name=oaks"])
    assert commands == [[*run, "--copy-paths", str(folder)], [*run, "evaluate"], run]


def test_a_climb_that_fails_ends_the_command_with_its_status(
    at_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git("init", "--quiet", str(at_root))
    (at_root / "dvc.yaml").touch()
    monkeypatch.setattr(processes, "run", lambda *_: 3)
    with pytest.raises(SystemExit) as ended:
        experiments.climb("book", [])
    assert ended.value.code == 3


def test_what_a_killed_climb_left_is_removed_and_what_is_in_use_stays(
    commit: str, at_root: Path
) -> None:
    copies = [at_root / experiments.COPIES / name for name in ("tmp_of_nobody", "tmp_in_use")]
    for copy in copies:
        (copy / "data").mkdir(parents=True)
    lists = [at_root / lock for lock in experiments.LOCKS]
    lists[0].write_text("")
    lists[1].write_text('{"write": {}}')
    git("update-ref", experiments.STASH, commit)
    waits = [sys.executable, "-c", "input()"]
    with subprocess.Popen(waits, cwd=copies[1] / "data", stdin=subprocess.PIPE):
        experiments.remove_leftovers()
    assert [copy.exists() for copy in copies] == [False, True]
    assert [path.read_text() for path in lists] == ["{}", '{"write": {}}']
    assert git("for-each-ref", experiments.STASH) == ""
    makes_a_copy = [sys.executable, "-c", "input()", "exp", "run"]
    with subprocess.Popen(makes_a_copy, cwd=at_root, stdin=subprocess.PIPE):
        experiments.remove_leftovers()
        assert copies[1].exists()
    experiments.remove_leftovers()
    assert not copies[1].exists()


def test_where_dvc_cannot_make_experiments_nothing_is_climbed(
    commit: str, commands: list[list[str]], at_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(project: Path, message: str) -> None:
        monkeypatch.chdir(project)
        with pytest.raises(errors.InputError, match=message):
            experiments.climb("book", [])

    experiments.check_place()
    (at_root.parent / "bare").mkdir(exist_ok=True)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(at_root.parent))
    refused(at_root.parent / "bare", r"no dvc\.yaml\. Go into the folder of the project")
    (at_root.parent / "bare/dvc.yaml").touch()
    refused(at_root.parent / "bare", r"fatal: not a git repository.*Make it one: git init")
    git("-C", str(at_root), "commit", "--quiet", "--allow-empty", "--message", "one more")
    shallow, accented = at_root / "shallow", at_root / "éléphants"
    git("clone", "--quiet", "--depth=1", f"file://{at_root}", str(shallow))
    refused(shallow, r"Received: a shallow clone\. .*git fetch --unshallow")
    git("clone", "--quiet", str(at_root), str(accented))
    refused(accented, r"Received: .*éléphants\. Move the project to a path without accents")
    assert commands == []
    monkeypatch.chdir(at_root)
    assert experiments.climb("book", []) == ""
    assert len(commands) == 1


def test_a_copy_runs_this_python_on_its_own_code_and_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_ROOT", "/elsewhere")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://elsewhere")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("LADDER_ARCHIVE", "/pictures.zip")
    environment = experiments.environment_of_copy()
    assert environment["PYTHONPATH"] == "src"
    assert environment["LADDER_ARCHIVE"] == "/pictures.zip"
    assert environment["PATH"].startswith(f"{Path(sys.executable).parent}{os.pathsep}")
    assert not [name for name in environment if name.startswith(("DVC_", "MLFLOW_"))]


@pytest.mark.parametrize(
    "value", ["oaks", r"(tree\d+)_", r"a'b\'c", "\\w+\\\\", "a b", "x,y", "${a}", "日本", "a=b"]
)
def test_a_text_reaches_dvc_as_it_is(value: str) -> None:
    parser = OverridesParser.create()
    override = parser.parse_override(experiments._quoted(f"split.group={value}"))
    assert (override.key_or_group, override.value()) == ("split.group", value)


@pytest.mark.parametrize(
    ("text", "expected"), [("null", None), ("3", 3), ("2.0e-5", 2e-5), ("false", False)]
)
def test_other_values_reach_dvc_as_yaml_reads_them(text: str, expected: object) -> None:
    override = OverridesParser.create().parse_override(experiments._quoted(f"key={text}"))
    assert override.value() == expected
