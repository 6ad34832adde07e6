"""Damage in DVC's cache is found, blamed, and mended by what DVC makes anew."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from ladder import cache

STAGES = """stages:
  one:
    cmd: python write.py
    outs: [one.txt, folder]
"""
WRITE = """from pathlib import Path
Path("one.txt").write_text("one" * 1000)
Path("folder").mkdir(exist_ok=True)
Path("folder/two.txt").write_text("two" * 1000)
"""


def dvc(*arguments: str) -> str:
    command = [sys.executable, "-m", "dvc", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A DVC project of one stage that has run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    (tmp_path / "dvc.yaml").write_text(STAGES)
    (tmp_path / "write.py").write_text(WRITE)
    dvc("init", "--no-scm", "--quiet")
    dvc("repro", "--quiet")
    return tmp_path


def stored(path: Path) -> Path:
    """Returns the file of the cache that holds what is in `path`."""
    md5 = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    return Path(".dvc/cache/files/md5") / md5[:2] / md5[2:]


def damage(file: Path) -> None:
    """Writes zeros over a file as a failing disk would: DVC sees neither size nor mode change."""
    mode, size = file.stat().st_mode, file.stat().st_size
    file.chmod(0o644)
    file.write_bytes(bytes(size))
    file.chmod(mode)


@pytest.mark.usefixtures("project")
def test_a_sound_cache_has_no_damage() -> None:
    assert cache.damaged() == []
    assert cache.changed_outputs() == []


@pytest.mark.parametrize("name", ["one.txt", "folder/two.txt"])
def test_damage_is_found_and_made_anew(project: Path, name: str) -> None:
    content = (project / name).read_text()
    file = stored(project / name)
    damage(file)
    (project / name).unlink()
    dvc("checkout", "--quiet")  # DVC trusts its cache
    assert (project / name).read_bytes() == bytes(len(content))
    assert cache.changed_outputs() == [Path(name)]
    damaged = cache.damaged()
    assert [path.relative_to(project) for path in damaged] == [file]
    assert cache.delete(damaged) == [Path(name)]
    dvc("repro", "--quiet")
    assert (project / name).read_text() == content
    assert cache.damaged() == []


def test_without_a_lock_nothing_is_blamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    assert cache.changed_outputs() == []


def test_a_sound_copy_of_a_damaged_file_stays(project: Path) -> None:
    damaged = stored(project / "one.txt")
    copy = (project / "one.txt").read_bytes()
    (project / "one.txt").unlink()
    (project / "one.txt").write_bytes(copy)  # no link to the cache
    damage(damaged)
    assert cache.delete(cache.damaged()) == []
    assert (project / "one.txt").read_bytes() == copy


def test_a_damaged_listing_of_a_folder_is_damage_and_no_crash(project: Path) -> None:
    (listing,) = (project / ".dvc/cache/files/md5").glob("??/*.dir")
    damage(listing)
    assert cache.changed_outputs() == []
    assert cache.damaged() == [listing]
    assert cache.delete([listing]) == []


def test_the_failing_stages_own_outputs_and_those_of_git_are_not_blamed(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "one.txt").unlink()
    (project / "one.txt").write_text("half")
    assert cache.changed_outputs() == [Path("one.txt")]
    monkeypatch.setenv("DVC_STAGE", "one")
    assert cache.changed_outputs() == []
    lock = {"stages": {"evaluate": {"outs": [{"path": "reports/a.csv", "md5": "0" * 32}]}}}
    (project / "dvc.lock").write_text(json.dumps(lock))  # JSON is YAML
    (project / "reports").mkdir()
    (project / "reports/a.csv").write_text("new")
    monkeypatch.delenv("DVC_STAGE")
    assert cache.changed_outputs() == []
