import hashlib
import os
import shutil
import socket
from collections import namedtuple
from pathlib import Path

import pytest

from ladder import errors
from ladder.pictures import folders


def put(path: Path, content: bytes = b"picture") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_files_are_listed_by_names_with_slashes_in_order(tmp_path: Path) -> None:
    for name in ("oak/2.jpg", "oak/old/1.jpg", "elm/Ä b.jpg", "readme.txt"):
        put(tmp_path / name)
    files, problems = folders.listing(tmp_path)
    assert list(files) == ["elm/Ä b.jpg", "oak/2.jpg", "oak/old/1.jpg", "readme.txt"]
    assert files["oak/old/1.jpg"] == tmp_path / "oak/old/1.jpg"
    assert problems == []


@pytest.mark.parametrize(
    "litter",
    [
        ".DS_Store",
        ".hidden/1.jpg",
        ".ipynb_checkpoints/1.jpg",
        "@eaDir/1.jpg/THUMB_M.jpg",
        "#recycle/1.jpg",
        "$RECYCLE.BIN/1.jpg",
        "lost+found/1.jpg",
        "System Volume Information/1.jpg",
        "__MACOSX/._1.jpg",
        "Thumbs.db",
        "THUMBS.DB",
        "desktop.ini",
        "Desktop.ini",
        "Icon\r",
    ],
)
def test_litter_is_passed_over_at_any_depth(tmp_path: Path, litter: str) -> None:
    put(tmp_path / "oak/1.jpg")
    put(tmp_path / litter)
    put(tmp_path / "oak" / litter)
    files, problems = folders.listing(tmp_path)
    assert (list(files), problems) == (["oak/1.jpg"], [])


def test_links_to_files_and_folders_are_followed_also_out_of_the_folder(tmp_path: Path) -> None:
    elsewhere = put(tmp_path / "elsewhere/1.jpg", b"outside")
    root = tmp_path / "root"
    put(root / "oak/1.jpg")
    (root / "oak/2.jpg").symlink_to(elsewhere)
    (root / "oak/3.jpg").symlink_to("1.jpg")
    (root / "ash").symlink_to(elsewhere.parent)
    files, problems = folders.listing(root)
    assert list(files) == ["ash/1.jpg", "oak/1.jpg", "oak/2.jpg", "oak/3.jpg"]
    assert files["ash/1.jpg"].read_bytes() == files["oak/2.jpg"].read_bytes() == b"outside"
    assert problems == []


def test_a_folder_that_is_a_link_itself_is_listed(tmp_path: Path) -> None:
    put(tmp_path / "root/oak/1.jpg")
    (tmp_path / "link").symlink_to(tmp_path / "root")
    assert list(folders.listing(tmp_path / "link")[0]) == ["oak/1.jpg"]


def test_loops_and_dead_links_are_told(tmp_path: Path) -> None:
    root = tmp_path / "root"
    put(root / "oak/1.jpg")
    put(tmp_path / "elsewhere/deep/1.jpg")
    (root / "oak/self").symlink_to(root / "oak")
    (root / "up").symlink_to(tmp_path)
    (root / "out").symlink_to(tmp_path / "elsewhere/deep")
    (tmp_path / "elsewhere/deep/up").symlink_to(tmp_path / "elsewhere")
    (root / "oak/2.jpg").symlink_to(tmp_path / "gone.jpg")
    (root / "oak/3.jpg").symlink_to(root / "oak/1.jpg/under")
    (root / "oak/4.jpg").symlink_to("4.jpg")
    files, problems = folders.listing(root)
    assert list(files) == ["oak/1.jpg", "out/1.jpg"]
    assert problems == [
        ("oak/2.jpg", "a link to nothing"),
        ("oak/3.jpg", "a link to nothing"),
        ("oak/4.jpg", "a link that leads to itself"),
        ("oak/self", "a link to a folder that it lies in"),
        ("out/up", "a link to a folder that it lies in"),
        ("up", "a link to a folder that it lies in"),
    ]


def test_a_very_deep_folder_is_listed(tmp_path: Path) -> None:
    put(tmp_path / "/".join(["a"] * 300) / "1.jpg")
    assert list(folders.listing(tmp_path)[0]) == ["/".join([*["a"] * 300, "1.jpg"])]


def test_empty_folders_pipes_and_sockets_are_told_and_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "oak/1.jpg")
    put(tmp_path / "elm/.hidden")
    os.mkfifo(tmp_path / "oak/pipe.jpg")
    monkeypatch.chdir(tmp_path)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("oak/socket.jpg")
        files, problems = folders.listing(tmp_path)
    assert list(files) == ["oak/1.jpg"]
    assert problems == [
        ("elm/", "an empty folder"),
        ("oak/pipe.jpg", "a named pipe"),
        ("oak/socket.jpg", "a socket"),
    ]


def test_what_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "oak/1.jpg")
    put(tmp_path / "oak/2.jpg").chmod(0)
    put(tmp_path / "elm/1.jpg")
    scandir, access = os.scandir, os.access

    def guarded(path: str) -> object:
        if path.endswith("elm"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)  # root may read everything
    monkeypatch.setattr(
        os, "access", lambda path, mode: path[-5:] != "2.jpg" and access(path, mode)
    )
    files, problems = folders.listing(tmp_path)
    assert list(files) == ["oak/1.jpg"]
    assert problems == [("elm/", "Permission denied"), ("oak/2.jpg", "Permission denied")]


@pytest.mark.parametrize("name", ["gone", "file"])
def test_what_is_no_folder_is_refused(tmp_path: Path, name: str) -> None:
    put(tmp_path / "file")
    with pytest.raises(errors.InputError, match=rf"^{name}: expected a folder of pictures"):
        folders.listing(tmp_path / name)


def test_names_that_are_not_utf8_or_break_lines_get_safe_ones(tmp_path: Path) -> None:
    put(tmp_path / "oak/1.jpg")
    raw = {
        b"caf\xe9.jpg": "caf%E9.jpg",
        b"new\nline\r.jpg": "new%0Aline%0D.jpg",
        b"\x1b[31mred.jpg": "%1B[31mred.jpg",
        "a\u2028b.jpg".encode(): "a%E2%80%A8b.jpg",
        "cafe\u0301 👩\u200d🌾.jpg".encode(): "cafe\u0301 👩\u200d🌾.jpg",  # as it is
    }
    for name in raw:
        Path(os.fsdecode(bytes(tmp_path / "oak") + b"/" + name)).write_bytes(name)
    Path(os.fsdecode(bytes(tmp_path) + b"/B\xe4ume")).mkdir()
    Path(os.fsdecode(bytes(tmp_path) + b"/B\xe4ume/1.jpg")).write_bytes(b"tree")
    files, problems = folders.listing(tmp_path)
    expected = {f"oak/{safe}": name for name, safe in raw.items()}
    expected |= {"oak/1.jpg": b"picture", "B%E4ume/1.jpg": b"tree"}
    assert {name: path.read_bytes() for name, path in files.items()} == expected
    assert problems == []
    assert all(name.encode() for name in files)


def test_a_safe_name_is_no_other_files_name(tmp_path: Path) -> None:
    put(tmp_path / "caf%E9.jpg", b"percent")
    put(tmp_path / "caf%E9~2.jpg", b"two")
    Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9.jpg")).write_bytes(b"latin")
    files, _ = folders.listing(tmp_path)
    contents = {name: path.read_bytes() for name, path in files.items()}
    assert contents == {
        "caf%E9.jpg": b"percent",
        "caf%E9~2.jpg": b"two",
        "caf%E9~3.jpg": b"latin",
    }


def test_a_safe_name_is_short_enough_for_a_file(tmp_path: Path) -> None:
    for byte in (b"\xe9", b"\xe4"):
        Path(os.fsdecode(bytes(tmp_path) + b"/" + byte * 200 + b".jpg")).write_bytes(byte)
    files, _ = folders.listing(tmp_path)
    assert len(files) == 2
    assert all(len(name.encode()) <= 255 and name.endswith(".jpg") for name in files)
    folders.copy(files, list(files), tmp_path / "copy")


def sha256_of(*pairs: tuple[str, bytes]) -> str:
    lines = "".join(f"{hashlib.sha256(content).hexdigest()} {name}\n" for name, content in pairs)
    return hashlib.sha256(lines.encode()).hexdigest()


def test_the_digest_is_of_names_and_bytes_and_of_no_order(tmp_path: Path) -> None:
    put(tmp_path / "oak/1.jpg", b"one")
    put(tmp_path / "elm/ä.jpg", b"")
    files, _ = folders.listing(tmp_path)
    digest = folders.digest(files, ["oak/1.jpg", "elm/ä.jpg"])
    assert digest == sha256_of(("elm/ä.jpg", b""), ("oak/1.jpg", b"one"))
    assert digest == folders.digest(dict(reversed(files.items())), ["elm/ä.jpg", "oak/1.jpg"])
    assert folders.digest(files, ["oak/1.jpg"]) == sha256_of(("oak/1.jpg", b"one"))


def test_more_files_than_wait_for_threads_are_hashed_in_order(tmp_path: Path) -> None:
    names = [f"{number:05d}" for number in range(folders.BATCH + 3)]
    files = {name: put(tmp_path / name, name.encode()) for name in names}
    expected = sha256_of(*((name, name.encode()) for name in names))
    assert folders.digest(files, names) == expected


def test_a_copy_has_the_digest_and_is_no_link(tmp_path: Path) -> None:
    root, target = tmp_path / "root", tmp_path / "raw/pictures"
    big = os.urandom(folders.CHUNK + 7)
    put(root / "oak/1.jpg", big).chmod(0o400)
    (root / "oak/2.jpg").symlink_to("1.jpg")
    put(root / "left/out.txt")
    before = {path: path.lstat() for path in root.rglob("*")}
    files, _ = folders.listing(root)
    names = ["oak/1.jpg", "oak/2.jpg"]
    assert folders.copy(files, names, target) == folders.digest(files, names)
    copies = sorted(path for path in target.rglob("*") if path.is_file())
    assert [path.relative_to(target).as_posix() for path in copies] == names
    assert all(path.read_bytes() == big for path in copies)
    assert not any(path.is_symlink() for path in copies)
    assert all(path.stat().st_nlink == 1 and path.stat().st_mode & 0o200 for path in copies)
    after = {path: path.lstat() for path in root.rglob("*")}
    assert {p: (s.st_mode, s.st_mtime_ns, s.st_ino) for p, s in before.items()} == {
        p: (s.st_mode, s.st_mtime_ns, s.st_ino) for p, s in after.items()
    }
    copied, _ = folders.listing(target)
    assert folders.digest(copied, names) == folders.digest(files, names)


def test_a_copy_does_not_write_through_a_link_that_is_left_at_its_place(tmp_path: Path) -> None:
    original = put(tmp_path / "root/1.jpg", b"new")
    precious = put(tmp_path / "precious.jpg", b"precious")
    (tmp_path / "target").mkdir()
    (tmp_path / "target/1.jpg").symlink_to(precious)
    folders.copy({"1.jpg": original}, ["1.jpg"], tmp_path / "target")
    assert precious.read_bytes() == b"precious"
    assert (tmp_path / "target/1.jpg").read_bytes() == b"new"


def test_a_copy_asks_for_room_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"1.jpg": put(tmp_path / "1.jpg", b"x" * 5000), "2.jpg": put(tmp_path / "2.jpg")}
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**6, 10**6 - 12287, 12287))
    message = r"expected 12,288 bytes free, for a copy of 2 files\. Received: 12,287 bytes\. Make"
    with pytest.raises(errors.InputError, match=message):
        folders.copy(files, list(files), tmp_path / "deep/target")
    assert not (tmp_path / "deep").exists()


def test_a_file_that_vanishes_is_named(tmp_path: Path) -> None:
    files = {"oak/1.jpg": tmp_path / "gone.jpg"}
    message = r"^oak/1\.jpg: expected a file that can be read\. Received: No such file"
    with pytest.raises(errors.InputError, match=message):
        folders.digest(files, list(files))
    with pytest.raises(errors.InputError, match=message):
        folders.copy(files, list(files), tmp_path / "target")
