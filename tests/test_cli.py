"""The command line: its commands, what it imports, how it ends."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ladder import cache, cli, errors, tracking
from ladder.climbs import bases, climbs, exports, learning_curve, recipes, reproduction, seeds
from ladder.page import demo, report

ROOT = Path(__file__).parent.parent
COMMANDS = {
    "climb",
    "report",
    "predict",
    "serve",
    "demo",
    "export",
    "seeds",
    "learning-curve",
    "bases",
    "check",
    "cache",
    "ui",
}


PLAN = recipes.Plan("cifar10", (), Path("reports/cifar10"), Path("studies"), "cifar10", ())


def test_the_help_names_every_command_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; from ladder import cli\n"
        "try: cli.app(['--help'])\n"
        "except SystemExit: print(sorted({'tensorflow', 'mlflow', 'pandas'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert set(re.findall(r"^│ ([a-z][a-z-]+) ", done.stdout, re.MULTILINE)) == COMMANDS


@pytest.mark.parametrize(
    ("command", "module", "function", "expected"),
    [
        (
            "climb oaks --name trees --recipe float32 -S seed=1 -S image_size=64 --dry-run",
            climbs,
            "run",
            (("oaks", "trees", "float32", ["seed=1", "image_size=64"], None), {"dry_run": True}),
        ),
        (
            "climb oaks --corrections c.csv",
            climbs,
            "run",
            (("oaks", "", "", [], Path("c.csv")), {"dry_run": False}),
        ),
        ("seeds --count 3", seeds, "run", ((3, PLAN), {})),
        ("learning-curve --count 50 --count 100", learning_curve, "run", (([50, 100], PLAN), {})),
        ("learning-curve", learning_curve, "run", (([], PLAN), {})),
        (
            "bases oaks --base vgg16 --base resnet50 --size 64 --size 96 -S seed=1",
            bases,
            "run",
            ((["vgg16", "resnet50"], [64, 96], ["seed=1"], PLAN), {}),
        ),
        ("bases", bases, "run", (([], [], [], PLAN), {})),
        ("check", reproduction, "run", ((PLAN,), {"update": False})),
        ("check --quick", reproduction, "run", ((None,), {"update": False})),
        ("check --update", reproduction, "run", ((None,), {"update": True})),
        ("report", report, "show", (("",), {"open_page": False})),
        ("report reports/a --open", report, "show", (("reports/a",), {"open_page": True})),
        ("demo", demo, "run", ((None, None, 7860), {})),
        ("demo a --rung scratch --port 1", demo, "run", (("a", "scratch", 1), {})),
        (
            "export oaks --format onnx --rung features --output out",
            exports,
            "run",
            (("oaks", "onnx", "features", Path("out")), {}),
        ),
        ("export oaks --format litert", exports, "run", (("oaks", "litert", None, None), {})),
        ("ui", tracking, "ui", ((), {})),
    ],
)
def test_a_command_calls_its_function(
    command: str,
    module: object,
    function: str,
    expected: tuple[object, object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[tuple[object, object]] = []
    monkeypatch.setattr(recipes, "plan", lambda *_arguments: PLAN)
    monkeypatch.setattr(module, function, lambda *some, **named: calls.append((some, named)))
    result = CliRunner().invoke(cli.app, command.split())
    assert result.exit_code == 0, result.output
    assert calls == [expected]


def test_outside_a_project_there_is_no_cache_to_check(at_root: Path) -> None:
    with pytest.raises(errors.InputError, match=r"expected a DVC project\. Received: no folder"):
        cli.cache()


def test_what_is_damaged_in_the_cache_is_deleted_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "damaged", lambda: [tmp_path / "ab/cd"])
    monkeypatch.setattr(cache, "delete", lambda files: [Path("data/images.zip")] if files else [])
    result = CliRunner().invoke(cli.app, ["cache"])
    assert "deleted: data/images.zip\nladder: 1 damaged files: run `dvc repro`" in result.output


def test_an_error_that_a_person_can_mend_ends_with_its_message_alone() -> None:
    command = [sys.executable, "-m", "ladder.cli", "report", "reports/nothing"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.strip().startswith(
        "ladder: reports/nothing: expected the reports of a climb"
    )
    assert "Traceback" not in done.stderr
