"""Damage in DVC's cache is found, blamed, and mended by what DVC makes anew."""

import hashlib
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
    assert cache.damaged() == []
