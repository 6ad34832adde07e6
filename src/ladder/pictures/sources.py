"""Where the pictures come from: each source ends in one zip archive, its pictures untouched."""

import os
import shutil
import sys
from pathlib import Path

import pooch

from ladder import errors, paths, settings
from ladder.pictures import archives, cifar10

pooch.get_logger().setLevel("WARNING")  # it would print paths of this machine

ARCHIVE_VARIABLE = "LADDER_ARCHIVE"  # a person's path never enters params, lock or report
DOWNLOADS = paths.PARTIAL / "downloads"

MICROSOFT_URL = (
    "https://download.microsoft.com/download/3/E/1/3E1C3F21-ECDB-4869-8368-6DEBA77B919F/"
    "kagglecatsanddogs_5340.zip"
)
MICROSOFT_SHA256 = "b7974bd00a84a99921f36ee4403f089853777b5ae8d151c76a86e64900334af9"

# The number from which a source's pictures are its test batch; None: right after validation.
TEST_STARTS_AT = {"cifar10": cifar10.TEST_STARTS_AT, "dogs_vs_cats": None}


def fetch(dataset: settings.Dataset, target: Path) -> None:
    """Writes the source's archive of pictures to `target`.

    Raises:
        InputError: it cannot be had, or is not the one expected.
    """
    name: str = dataset.source
    if dataset.archive_sha256 is not None:
        name = _local(os.environ.get(ARCHIVE_VARIABLE), dataset.archive_sha256, target)
    elif dataset.source == "cifar10":
        cifar10.fetch(target, DOWNLOADS)
    else:
        _microsoft(target)
    archives.check(target, name)


def _local(archive: str | None, sha256: str, target: Path) -> str:
    """Stores the archive in `target`, where what is checked is what is used; returns its name."""
    if not archive:
        raise errors.InputError(
            f"environment variable {ARCHIVE_VARIABLE}",
            expected=f"the path of the archive whose sha256 is {sha256}",
            received="no value",
            advice="Use `make book ARCHIVE=path`, which sets it.",
        )
    path = Path(archive)
    archives.store(path, target)
    received = archives.sha256(target)
    if received != sha256:
        target.unlink()
        raise errors.InputError(
            path.name,
            expected=f"sha256 {sha256} (dataset.archive_sha256)",
            received=received,
            advice="Use `make book ARCHIVE=path`, which records the archive's hash.",
        )
    return path.name


def _microsoft(target: Path) -> None:
    name = Path(MICROSOFT_URL).name
    try:
        path = pooch.retrieve(
            MICROSOFT_URL,
            f"sha256:{MICROSOFT_SHA256}",
            name,
            DOWNLOADS,
            progressbar=sys.stderr.isatty(),
        )
    except (OSError, ValueError) as error:
        raise errors.InputError(
            MICROSOFT_URL,
            expected=f"{name} with sha256 {MICROSOFT_SHA256}",
            received=error,
            advice="Fetch it by hand and run `make book ARCHIVE=path`; Kaggle's train.zip or "
            "an unpacked folder serves as well.",
        ) from error
    shutil.copyfile(path, target)  # the download stays, so that it is not fetched again
