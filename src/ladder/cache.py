"""Damage in DVC's cache, which DVC itself does not notice (treeverse/dvc #5978, #9641)."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from ruamel.yaml import YAML
from tqdm import tqdm

LOCK = Path("dvc.lock")
FOLDER = ".dir"  # the ending of a folder's hash; its file in the cache lists the files


def cache() -> Path:
    """Returns the project's cache, also inside the copies that experiments run in."""
    return Path(os.environ.get("DVC_ROOT", ".")).resolve() / ".dvc/cache/files/md5"


def outputs(lock: Path) -> Iterator[tuple[Path, str]]:
    """Yields each file that the stages of a lock wrote, with the md5 that DVC stored it by."""
    for stage in YAML(typ="safe", pure=True).load(lock)["stages"].values():
        for out in stage.get("outs", []):
            path, md5 = Path(out["path"]), out["md5"]
            if not md5.endswith(FOLDER):
                yield path, md5
            elif (listing := cache() / md5[:2] / md5[2:]).is_file():
                for entry in json.loads(listing.read_text()):
                    yield path / entry["relpath"], entry["md5"]


def changed_outputs() -> list[Path]:
    """Returns the files that stages wrote and that are no longer what DVC stored."""
    if not LOCK.is_file():
        return []
    return [path for path, md5 in outputs(LOCK) if path.is_file() and _md5(path) != md5]


def damaged() -> list[Path]:
    """Returns the files of the cache whose bytes do not hash to their names."""
    files = sorted(cache().glob("??/*"))
    bar = tqdm(files, "cache", unit="file", disable=None)
    return [f for f in bar if _md5(f) != f.parent.name + f.name.removesuffix(FOLDER)]


def delete(files: list[Path]) -> list[Path]:
    """Deletes files of the cache and what was checked out of them; returns the latter.

    DVC then makes them anew. Left in the cache they would be checked out again and again.
    """
    hashes = {file.parent.name + file.name for file in files}
    lost = [path for path, md5 in outputs(LOCK) if md5 in hashes] if LOCK.is_file() else []
    for path in (*lost, *files):
        path.unlink(missing_ok=True)
    return lost


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
