import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from conftest import drawn_pictures
from ladder import artifacts, errors, settings
from ladder.pictures import archives, cifar10, sources

pytestmark = pytest.mark.usefixtures("no_network")

PICTURES = {"train/cat.0.jpg": b"cat", "train/dog.0.jpg": b"dog"}

Zipped = Callable[..., Path]


@pytest.fixture
def target(at_root: Path) -> Path:
    """Where the archive goes to: in the folder `raw`, which `fetch` makes."""
    return at_root / "raw/images.zip"


@pytest.fixture
def archive(zipped: Zipped, at_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's archive, named by the environment variable."""
    path = zipped(PICTURES, path=at_root / "theirs/pets.zip")
    monkeypatch.setenv("LADDER_PICTURES", str(path))
    return path


def dataset(source: Any, sha256: str | None = None) -> settings.Dataset:
    return settings.Dataset(name="pets", source=source, sha256=sha256)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("source", ["cifar10", "dogs_vs_cats"])
def test_a_local_archive_is_copied_byte_for_byte(archive: Path, target: Path, source: str) -> None:
    sources.fetch(dataset(source, digest(archive)), target.parent)
    assert target.read_bytes() == archive.read_bytes()


def test_a_local_folder_is_packed(
    at_root: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = at_root / "theirs/train"
    folder.mkdir(parents=True)
    for name, content in PICTURES.items():
        (folder.parent / name).write_bytes(content)
    monkeypatch.setenv("LADDER_PICTURES", str(folder))
    sources.fetch(dataset("dogs_vs_cats", archives.sha256(folder)), target.parent)
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
    monkeypatch.setenv("LADDER_PICTURES", str(source))
    sha256 = archives.sha256
    expected = sha256(source)

    def hash_before_a_change(path: Path) -> str:
        digest_before = sha256(path)
        (picture if source.is_dir() else source).write_bytes(b"another")
        return digest_before

    monkeypatch.setattr(archives, "sha256", hash_before_a_change)
    sources.fetch(dataset("dogs_vs_cats", expected), target.parent)
    assert digest(target) == expected


def test_a_folder_is_packed_once(
    archive: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LADDER_PICTURES", str(archive.parent))
    expected, pack, packed = archives.sha256(archive.parent), archives.pack, []

    def count(folder: Path, to: Path) -> None:
        packed.append(to)
        pack(folder, to)

    monkeypatch.setattr(archives, "pack", count)
    sources.fetch(dataset("dogs_vs_cats", expected), target.parent)
    assert packed == [target]


def test_a_local_archive_with_another_hash_is_refused(archive: Path, target: Path) -> None:
    message = (
        rf"pets\.zip: expected sha256 {'0' * 64} \(dataset\.sha256\)\. "
        rf"Received: {digest(archive)}\. If these are the pictures, write this hash"
    )
    with pytest.raises(errors.InputError, match=message):
        sources.fetch(dataset("dogs_vs_cats", "0" * 64), target.parent)


@pytest.mark.parametrize("value", [None, ""])
def test_a_local_archive_that_no_variable_names_is_asked_for(
    target: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("LADDER_PICTURES", raising=False)
    if value is not None:
        monkeypatch.setenv("LADDER_PICTURES", value)
    message = (
        r"environment variable LADDER_PICTURES: expected the path of your pictures, whose sha256 "
        rf"is {'0' * 64}\. Received: no value\. Use `ladder climb PICTURES --name pets`, which"
    )
    with pytest.raises(errors.InputError, match=message):
        sources.fetch(dataset("dogs_vs_cats", "0" * 64), target.parent)


def test_a_variable_that_names_nothing_is_refused(
    at_root: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LADDER_PICTURES", str(at_root / "gone.zip"))
    message = r"gone\.zip: expected a zip archive or a folder .*: nothing there\. Correct the path"
    with pytest.raises(errors.InputError, match=message):
        sources.fetch(dataset("dogs_vs_cats", "0" * 64), target.parent)


def test_a_local_file_that_is_no_archive_is_refused(
    at_root: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = at_root / "notes.txt"
    path.write_text("notes")
    monkeypatch.setenv("LADDER_PICTURES", str(path))
    message = r"expected a whole zip archive\. Received: .+\. Fetch the archive again"
    with pytest.raises(errors.InputError, match=message):
        sources.fetch(dataset("dogs_vs_cats", digest(path)), target.parent)


def test_cifar10_is_fetched_into_the_target(
    target: Path, zipped: Zipped, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def fetch(path: Path, downloads: Path) -> None:
        calls.append(downloads)
        zipped(PICTURES, path=path)

    monkeypatch.setattr(cifar10, "fetch", fetch)
    sources.fetch(dataset("cifar10"), target.parent)
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
    sources.fetch(dataset("dogs_vs_cats"), target.parent)
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
        sources.fetch(dataset("dogs_vs_cats"), target.parent)


def test_a_downloaded_page_instead_of_an_archive_is_refused(
    at_root: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = at_root / "page.html"
    page.write_text("<html>")
    monkeypatch.setattr("pooch.retrieve", lambda *_arguments, **_options: str(page))
    with pytest.raises(errors.InputError, match="expected a whole zip archive"):
        sources.fetch(dataset("dogs_vs_cats"), target.parent)


def test_only_cifar10_has_a_test_batch_of_its_own() -> None:
    assert sources.TEST_STARTS_AT == {"cifar10": 5000, "dogs_vs_cats": None}


def own_folder(folder: Path) -> Path:
    """A folder of two classes, with a film and a picture beside them."""
    for name, content in drawn_pictures(("oak", "elm"), count=2).items():
        class_name, number, _ = Path(name).name.split(".")
        path = folder / class_name / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / "oak/film.mov").write_bytes(b"\0\0\0\x14ftypqt  ")
    (folder / "beside.jpg").write_bytes(content)
    return folder


def test_a_persons_folder_is_copied_without_what_is_passed_over(
    at_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = own_folder(at_root / "trees")
    before = {path: path.stat() for path in sorted(folder.rglob("*"))}
    monkeypatch.setenv("LADDER_PICTURES", str(folder))
    sources.fetch(dataset("folder", sources.digest(folder, "folder")), at_root / "raw")
    copied = {p.relative_to(at_root / "raw/pictures") for p in (at_root / "raw").rglob("*.jpg")}
    assert copied == {Path(c) / f"{n}.jpg" for c in ("oak", "elm") for n in (0, 1)}
    passed_over = artifacts.read_csv(at_root / "raw" / sources.PASSED_OVER)
    assert passed_over["path"].tolist() == ["beside.jpg", "oak/film.mov"]
    after = {path: path.stat() for path in sorted(folder.rglob("*"))}
    for path, stat in before.items():
        assert (stat.st_mtime_ns, stat.st_mode, stat.st_nlink, stat.st_ino) == (
            after[path].st_mtime_ns,
            after[path].st_mode,
            after[path].st_nlink,
            after[path].st_ino,
        )


def test_what_is_passed_over_does_not_change_the_digest(at_root: Path) -> None:
    folder = own_folder(at_root / "trees")
    digest_before = sources.digest(folder, "folder")
    (folder / "notes.txt").write_text("new")
    assert sources.digest(folder, "folder") == digest_before
    (folder / "oak/0.jpg").rename(folder / "oak/7.jpg")
    assert sources.digest(folder, "folder") != digest_before


def test_another_picture_than_was_hashed_is_refused(
    at_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = own_folder(at_root / "trees")
    sha256 = sources.digest(folder, "folder")
    (folder / "oak/0.jpg").write_bytes((folder / "elm/0.jpg").read_bytes())
    monkeypatch.setenv("LADDER_PICTURES", str(folder))
    with pytest.raises(errors.InputError, match=rf"trees: expected sha256 {sha256}"):
        sources.fetch(dataset("folder", sha256), at_root / "raw")


def test_without_a_hash_plain_dvc_says_which_to_write(
    at_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = own_folder(at_root / "trees")
    monkeypatch.setenv("LADDER_PICTURES", str(folder))
    sha256 = sources.digest(folder, "folder")
    with pytest.raises(errors.InputError, match=rf"Received: {sha256}\. If these are the pictures"):
        sources.fetch(dataset("folder"), at_root / "raw")


def test_a_persons_zip_is_copied_byte_for_byte(
    at_root: Path, zipped: Zipped, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = own_folder(at_root / "trees")
    members = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*.*"))
    }
    path = zipped(members, path=at_root / "trees.zip")
    monkeypatch.setenv("LADDER_PICTURES", str(path))
    sources.fetch(dataset("folder", digest(path)), at_root / "raw")
    assert (at_root / "raw/images.zip").read_bytes() == path.read_bytes()


def test_nothing_at_a_persons_path_is_told(at_root: Path) -> None:
    with pytest.raises(errors.InputError, match=r"gone: expected a folder or a zip .*: nothing"):
        sources.own(at_root / "gone")
