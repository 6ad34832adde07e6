import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from ladder import errors

STAGE = """
from ladder import errors

def main():
    raise errors.InputError("pan", expected="eggs", received="ham", advice="Buy eggs.")

errors.run(main)
"""


def test_message_names_expected_received_and_advice() -> None:
    error = errors.InputError("pan", expected="eggs", received=3, advice="Buy eggs.")
    assert str(error) == "pan: expected eggs. Received: 3. Buy eggs."


def test_input_error_ends_a_stage_with_its_message_alone_and_status_1() -> None:
    ended = subprocess.run([sys.executable, "-c", STAGE], capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.strip() == "ladder: pan: expected eggs. Received: ham. Buy eggs."


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (
            errno.ENOSPC,
            "ladder: No space left on device (views/1.npy). Make room or give access,",
        ),
        (errno.EROFS, "ladder: Read-only file system (views/1.npy). Make room or give access,"),
    ],
)
def test_a_full_disk_is_named_without_a_traceback(number: int, message: str) -> None:
    def main() -> NoReturn:
        raise OSError(number, os.strerror(number), "views/1.npy")

    with pytest.raises(SystemExit, match=re.escape(message)):
        errors.run(main)


def test_a_file_that_is_not_there_is_a_bug() -> None:
    with pytest.raises(FileNotFoundError):
        errors.run(lambda: print(open("no/such/file").read()))  # noqa: PTH123, SIM115


def test_any_other_error_keeps_its_traceback() -> None:
    def main() -> NoReturn:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        errors.run(main)


def test_a_stage_without_error_runs_once_and_returns() -> None:
    calls: list[int] = []
    errors.run(lambda: calls.append(1))
    assert calls == [1]


def test_two_processes_are_not_at_one_stage(at_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def second() -> None:
        monkeypatch.setattr(sys, "argv", ["stages/predict.py", "scratch"])
        errors.run(lambda: None)

    monkeypatch.setattr(sys, "argv", ["stages/predict.py", "features"])
    errors.run(second)  # another rung's is another stage

    def again() -> None:
        message = rf"stage predict@features: expected to be the only .* process {os.getpid()},"
        with pytest.raises(SystemExit, match=message):
            errors.run(lambda: pytest.fail("it ran"))

    monkeypatch.setattr(sys, "argv", ["stages/predict.py", "features"])
    errors.run(again)
    errors.run(lambda: None)  # the lock is free again


def test_a_stage_that_fails_on_damage_in_the_cache_blames_it(
    at_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def main() -> NoReturn:
        raise errors.InputError("a", expected="b", received=1, advice="c.")

    lock = {"stages": {"split": {"outs": [{"path": "manifest.csv", "md5": "0" * 32}]}}}
    (at_root / "dvc.lock").write_text(json.dumps(lock))  # JSON is YAML
    (at_root / "manifest.csv").write_text("not what DVC stored")
    monkeypatch.setattr(sys, "argv", ["stages/decode.py"])
    with pytest.raises(SystemExit, match=r"manifest\.csv differ from what DVC stored"):
        errors.run(main)
    monkeypatch.setattr(sys, "argv", ["ladder", "report"])  # no stage
    with pytest.raises(SystemExit) as ended:
        errors.run(main)
    assert "DVC stored" not in str(ended.value)


def test_a_bug_on_damage_in_the_cache_blames_it_too(
    at_root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = {"stages": {"split": {"outs": [{"path": "manifest.csv", "md5": "0" * 32}]}}}
    (at_root / "dvc.lock").write_text(json.dumps(lock))
    (at_root / "manifest.csv").write_text("not what DVC stored")
    monkeypatch.setattr(sys, "argv", ["stages/decode.py"])
    with pytest.raises(FileNotFoundError):
        errors.run(lambda: print(open("no/such/file").read()))  # noqa: PTH123, SIM115
    assert "Run `ladder cache`" in capsys.readouterr().err


def test_results_are_sought_in_the_projects_folder(at_root: Path) -> None:
    assert errors.climb_first() == "Run this in the project's folder, in which dvc.yaml lies."
    (at_root / "dvc.yaml").touch()
    assert errors.climb_first().startswith("Climb first: `ladder climb PICTURES`")
