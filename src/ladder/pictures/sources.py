"""Where the pictures come from: each source fills the folder `raw`, its pictures untouched."""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pooch

from ladder import artifacts, errors, paths, settings
from ladder.pictures import archives, cifar10, folders, layouts, originals

pooch.get_logger().setLevel("WARNING")  # it would print paths of this machine

PICTURES_VARIABLE = "LADDER_PICTURES"  # a person's path never enters params, lock or report
DOWNLOADS = paths.PARTIAL / "downloads"
PASSED_OVER = "passed_over.csv"  # in raw: path, reason

MICROSOFT_URL = (
    "https://download.microsoft.com/download/3/E/1/3E1C3F21-ECDB-4869-8368-6DEBA77B919F/"
    "kagglecatsanddogs_5340.zip"
)
MICROSOFT_SHA256 = "b7974bd00a84a99921f36ee4403f089853777b5ae8d151c76a86e64900334af9"

# The number from which a source's pictures are its test batch; None: right after validation.
TEST_STARTS_AT = {"cifar10": cifar10.TEST_STARTS_AT, "dogs_vs_cats": None}


@dataclass(frozen=True)
class Own:
    """A person's pictures, looked at where they lie; nothing is decoded."""

    path: Path
    originals: originals.Originals
    layout: layouts.Layout
    files: dict[str, Path] | None  # of a folder: what its names stand for; None: a zip archive

    def digest(self) -> str:
        """Returns the hash of the pictures, with their names; of an archive that of its bytes."""
        if self.files is None:
            return artifacts.sha256(self.path)
        return folders.digest(self.files, self.layout.files)


def own(path: Path) -> Own:
    """Looks at a person's folder or zip archive.

    Raises:
        InputError: there is neither, or its layout gives no classes.
    """
    if path.is_dir():
        files, problems = folders.listing(path)
        pictures = originals.of_folder(files)
    elif path.is_file():
        files, problems = None, []
        pictures = originals.of_zip(path)
    else:
        raise errors.InputError(
            str(path),
            expected="a folder or a zip archive of pictures",
            received="nothing there",
            advice="Correct the path.",
        )
    return Own(path, pictures, layouts.recognise(pictures, path.name, problems), files)


def digest(path: Path, source: str) -> str:
    """Returns the hash of local pictures that `dataset.sha256` holds for a source.

    Raises:
        InputError: there are none.
    """
    return own(path).digest() if source == "folder" else archives.sha256(path)


def fetch(dataset: settings.Dataset, raw: Path) -> None:
    """Fills the folder `raw`: with `images.zip`, or with the files of a person's folder.

    Raises:
        InputError: the pictures cannot be had, or are not those expected.
    """
    raw.mkdir(parents=True)
    if dataset.source == "folder":
        _own(_local(dataset), dataset, raw)
        return
    target, name = raw / paths.ARCHIVE, str(dataset.source)
    if dataset.sha256 is not None:
        path = _local(dataset)
        name = path.name
        archives.store(path, target)  # what is checked is what is used
        _check(name, archives.sha256(target), dataset.sha256)
    elif dataset.source == "cifar10":
        cifar10.fetch(target, DOWNLOADS)
    else:
        _microsoft(target)
    archives.check(target, name)


def _local(dataset: settings.Dataset) -> Path:
    """Returns where a person's pictures lie, which the environment alone says."""
    path = os.environ.get(PICTURES_VARIABLE)
    if not path:
        raise errors.InputError(
            f"environment variable {PICTURES_VARIABLE}",
            expected="the path of your pictures"
            + (f", whose sha256 is {dataset.sha256}" if dataset.sha256 else ""),
            received="no value",
            advice=f"Use `ladder climb PICTURES --name {dataset.name}`, which sets it.",
        )
    return Path(path).absolute()


def _own(path: Path, dataset: settings.Dataset, raw: Path) -> None:
    pictures = own(path)
    if pictures.files is None:
        shutil.copyfile(path, raw / paths.ARCHIVE)
        received = artifacts.sha256(raw / paths.ARCHIVE)
    else:
        received = folders.copy(pictures.files, pictures.layout.files, raw / paths.PICTURES)
    artifacts.write_csv(raw / PASSED_OVER, pictures.layout.passed_over)
    _check(path.name, received, dataset.sha256)


def _check(where: str, received: str, expected: str | None) -> None:
    if received != expected:
        raise errors.InputError(
            where,
            expected=f"sha256 {expected} (dataset.sha256)",
            received=received,
            advice="If these are the pictures, write this hash into dataset.sha256; `ladder climb "
            "PICTURES` does.",
        )


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
