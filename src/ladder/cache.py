"""Damage in DVC's cache, which DVC itself does not notice (treeverse/dvc #5978, #9641)."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from ruamel.yaml import YAML
from tqdm import tqdm

LOCK = Path("dvc.lock")
FOLDER = ".dir"  # the ending of a folder's hash; its file in the cache lists the files
NOT_CACHED = "reports/"  # outputs that git holds


def folder() -> Path:
    """Returns the folder of the cache's files, as DVC's configuration says."""
    command = [sys.executable, "-m", "dvc", "cache", "dir"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Path(done.stdout.strip()) / "files/md5"


def outputs(lock: Path, cache: Path, *, but: str = "") -> Iterator[tuple[Path, str]]:
    """Yields each file that the stages of a lock wrote into the cache, with its md5.

    Stage `but` is left out, and so are folders whose listing is lost.
    """
    for name, stage in YAML(typ="safe", pure=True).load(lock)["stages"].items():
        outs = stage.get("outs", []) if name != but else []
        for path, md5 in ((Path(out["path"]), out["md5"]) for out in outs):
            if path.as_posix().startswith(NOT_CACHED):
                continue
            if not md5.endswith(FOLDER):
                yield path, md5
            elif (listing := cache / md5[:2] / md5[2:]).is_file() and _is_sound(listing):
                for entry in json.loads(listing.read_text()):
                    yield path / entry["relpath"], entry["md5"]


def changed_outputs() -> list[Path]:
    """Returns the files that stages before the running one wrote, and that are not as stored."""
    if not LOCK.is_file():
        return []
    cache = Path(os.environ.get("DVC_ROOT", ".")) / ".dvc/cache/files/md5"
    written = outputs(LOCK, cache, but=os.environ.get("DVC_STAGE", ""))
    return [path for path, md5 in written if path.is_file() and _md5(path) != md5]


def damaged() -> list[Path]:
    """Returns the files of the cache whose bytes do not hash to their names."""
    files = sorted(folder().glob("??/*"))
    return [file for file in tqdm(files, "cache", unit="file", disable=None) if not _is_sound(file)]


def delete(files: Sequence[Path]) -> list[Path]:
    """Deletes damaged files of the cache and their damaged copies; returns the latter.

    DVC then makes them again. If they stayed, DVC would check them out again and again.
    """
    hashes = {file.parent.name + file.name for file in files}
    written = list(outputs(LOCK, folder())) if LOCK.is_file() else []
    copies = [
        path for path, md5 in written if md5 in hashes and path.is_file() and _md5(path) != md5
    ]
    for path in (*copies, *files):
        path.unlink(missing_ok=True)
    return copies


def _is_sound(file: Path) -> bool:
    return _md5(file) == file.parent.name + file.name.removesuffix(FOLDER)


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
