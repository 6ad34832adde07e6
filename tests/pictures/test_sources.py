import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from ladder import errors, settings
from ladder.pictures import archives, cifar10, sources

pytestmark = pytest.mark.usefixtures("no_network")

PICTURES = {"train/cat.0.jpg": b"cat", "train/dog.0.jpg": b"dog"}
USE_MAKE = r"Use `make book ARCHIVE=path`, which"

Zipped = Callable[..., Path]


@pytest.fixture
def target(at_root: Path) -> Path:
    """Where the archive goes to, as the stage gives it: in a folder that is there."""
    return at_root / "images.zip.part"


@pytest.fixture
def archive(zipped: Zipped, at_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's archive, named by the environment variable."""
    path = zipped(PICTURES, path=at_root / "theirs/pets.zip")
    monkeypatch.setenv("LADDER_ARCHIVE", str(path))
    return path


def dataset(source: Any, archive_sha256: str | None = None) -> settings.Dataset:
    return settings.Dataset(source=source, archive_sha256=archive_sha256)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("source", ["cifar10", "dogs_vs_cats"])
def test_a_local_archive_is_copied_byte_for_byte(archive: Path, target: Path, source: str) -> None:
    sources.fetch(dataset(source, digest(archive)), target)
    assert target.read_bytes() == archive.read_bytes()


def test_a_local_folder_is_packed(
    at_root: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = at_root / "theirs/train"
    folder.mkdir(parents=True)
    for name, content in PICTURES.items():
        (folder.parent / name).write_bytes(content)
    monkeypatch.setenv("LADDER_ARCHIVE", str(folder))
    sources.fetch(dataset("dogs_vs_cats", archives.sha256(folder)), target)
    with zipfile.ZipFile(target) as archive:
        packed = {f"train/{name}": archive.read(name) for name in archive.namelist()}
    assert packed == PICTURES


@pytest.mark.parametrize("name", ["pets.zip", "train"])
def test_what_is_stored_is_what_was_hashed(
    at_root: Path, archive: Path, target: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    source, picture = archive.with_name(name), archive.with_name("train") / "cat.0.jpg"
    picture.parent.mkdir()
    picture.write_bytes(b"cat")
    monkeypatch.setenv("LADDER_ARCHIVE", str(source))
    sha256 = archives.sha256
    expected = sha256(source)

    def hash_before_a_change(path: Path) -> str:
        digest_before = sha256(path)
        (picture if source.is_dir() else source).write_bytes(b"another")
        return digest_before

    monkeypatch.setattr(archives, "sha256", hash_before_a_change)
    sources.fetch(dataset("dogs_vs_cats", expected), target)
    assert digest(target) == expected


def test_a_folder_is_packed_once(
    archive: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LADDER_ARCHIVE", str(archive.parent))
    expected, pack, packed = archives.sha256(archive.parent), archives.pack, []

    def count(folder: Path, to: Path) -> None:
        packed.append(to)
        pack(folder, to)

    monkeypatch.setattr(archives, "pack", count)
    sources.fetch(dataset("dogs_vs_cats", expected), target)
    assert packed == [target]


def test_a_local_archive_with_another_hash_is_refused(archive: Path, target: Path) -> None:
    message = (
        rf"pets\.zip: expected sha256 {'0' * 64} \(dataset\.archive_sha256\)\. "
        rf"Received: {digest(archive)}\. {USE_MAKE} records the archive's hash\."
    )
    with pytest.raises(errors.InputError, match=message):
        sources.fetch(dataset("dogs_vs_cats", "0" * 64), target)
    assert not target.exists()


@pytest.mark.parametrize("value", [None, ""])
def test_a_local_archive_that_no_variable_names_is_asked_for(
    target: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("LADDER_ARCHIVE", raising=False)
    if value is not None:
        monkeypatch.setenv("LADDER_ARCHIVE", value)
    message = (
        r"environment variable LADDER_ARCHIVE: expected the path of the archive whose sha256 is "
        rf"{'0' * 64}\. Received: no value\. {USE_MAKE} sets it\."
    )
    with pytest.raises(errors.InputError, match=message):
        sources.fetch(dataset("dogs_vs_cats", "0" * 64), target)


def test_a_variable_that_names_nothing_is_refused(
    at_root: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LADDER_ARCHIVE", str(at_root / "gone.zip"))
    message = r"gone\.zip: expected a zip archive or a folder .*: nothing there\. Correct the path"
    with pytest.raises(errors.InputError, match=message):
        sources.fetch(dataset("dogs_vs_cats", "0" * 64), target)


def test_a_local_file_that_is_no_archive_is_refused(
    at_root: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = at_root / "notes.txt"
    path.write_text("notes")
    monkeypatch.setenv("LADDER_ARCHIVE", str(path))
    message = r"expected a whole zip archive\. Received: .+\. Fetch the archive again"
    with pytest.raises(errors.InputError, match=message):
        sources.fetch(dataset("dogs_vs_cats", digest(path)), target)


def test_cifar10_is_fetched_into_the_target(
    target: Path, zipped: Zipped, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def fetch(path: Path, downloads: Path) -> None:
        calls.append(downloads)
        zipped(PICTURES, path=path)

    monkeypatch.setattr(cifar10, "fetch", fetch)
    sources.fetch(dataset("cifar10"), target)
    assert calls == [sources.DOWNLOADS]
    assert zipfile.ZipFile(target).namelist() == list(PICTURES)


def test_microsofts_archive_is_downloaded_by_its_hash_and_copied(
    at_root: Path, target: Path, zipped: Zipped, monkeypatch: pytest.MonkeyPatch
) -> None:
    downloaded, asked = zipped(PICTURES, path=at_root / "downloads/kaggle.zip"), []
    content = downloaded.read_bytes()

    def retrieve(*arguments: Any, **_options: Any) -> str:
        asked.append(arguments)
        return str(downloaded)

    monkeypatch.setattr("pooch.retrieve", retrieve)
    sources.fetch(dataset("dogs_vs_cats"), target)
    ((url, known, name, folder),) = asked
    assert url.startswith("https://download.microsoft.com/")
    assert known == "sha256:b7974bd00a84a99921f36ee4403f089853777b5ae8d151c76a86e64900334af9"
    assert (name, folder) == ("kagglecatsanddogs_5340.zip", sources.DOWNLOADS)
    assert target.read_bytes() == content
    assert downloaded.read_bytes() == content  # it is not downloaded again


@pytest.mark.parametrize("failure", [OSError("no network"), ValueError("SHA256 hash of file …")])
def test_a_failed_download_says_how_to_go_on(
    target: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def retrieve(*_arguments: Any, **_options: Any) -> NoReturn:
        raise failure

    monkeypatch.setattr("pooch.retrieve", retrieve)
    message = (
        r"https://download\.microsoft\.com/.*: expected kagglecatsanddogs_5340\.zip with sha256 "
        rf"b7974b[0-9a-f]{{58}}\. Received: {failure}\. Fetch it by hand and run "
        r"`make book ARCHIVE=path`; Kaggle's train\.zip or an unpacked folder serves as well\."
    )
    with pytest.raises(errors.InputError, match=message):
        sources.fetch(dataset("dogs_vs_cats"), target)


def test_a_downloaded_page_instead_of_an_archive_is_refused(
    at_root: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = at_root / "page.html"
    page.write_text("<html>")
    monkeypatch.setattr("pooch.retrieve", lambda *_arguments, **_options: str(page))
    with pytest.raises(errors.InputError, match="expected a whole zip archive"):
        sources.fetch(dataset("dogs_vs_cats"), target)


def test_only_cifar10_has_a_test_batch_of_its_own() -> None:
    assert sources.TEST_STARTS_AT == {"cifar10": 5000, "dogs_vs_cats": None}
