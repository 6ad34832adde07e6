import io
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ladder import errors
from ladder.pictures import folders, originals

Zipped = Callable[..., Path]


def without_flag(path: Path) -> Path:
    """Takes the flag for UTF-8 names away, as macOS does."""
    raw = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = 0
        while (start := raw.find(mark, start)) >= 0:
            flags = struct.unpack_from("<H", raw, start + at)[0]
            struct.pack_into("<H", raw, start + at, flags & ~0x800)
            start += 4
    path.write_bytes(raw)
    return path


def test_a_folder_and_a_zip_of_it_read_the_same(tmp_path: Path, zipped: Zipped) -> None:
    contents = {"oak/1.jpg": bytes(range(200)), "oak/old/2.jpg": b"", "Älm/3 4.jpg": b"three"}
    for name, content in contents.items():
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    archive = zipped(contents, path=tmp_path / "a.zip", method=zipfile.ZIP_DEFLATED)
    for found in (
        originals.of_folder(folders.listing(tmp_path / "root")[0]),
        originals.of_zip(archive),
    ):
        assert found.names == sorted(contents)
        assert found.problems == []
        assert {name: found.read(name) for name in found.names} == contents
        assert found.head("oak/1.jpg") == bytes(range(64))
        assert found.head("oak/1.jpg", 3) == bytes(range(3))
        assert found.head("oak/old/2.jpg") == b""
        assert {name: found.size(name) for name in found.names} == {
            name: len(content) for name, content in contents.items()
        }
        found.close()


def test_threads_may_read_an_archive_at_once(zipped: Zipped) -> None:
    contents = {f"{n}.jpg": bytes([n]) * 50_000 for n in range(64)}
    archive = originals.of_zip(zipped(contents, method=zipfile.ZIP_DEFLATED))
    with ThreadPoolExecutor(8) as pool:
        names = list(contents) * 4
        for name, content in zip(names, pool.map(archive.read, names), strict=True):
            assert content == contents[name]


def test_utf8_names_without_the_flag_are_utf8(zipped: Zipped) -> None:
    archive = without_flag(zipped({"Äpfel/1.jpg": b"a", "Bäume/猫.jpg": b"b"}))
    assert "Äpfel/1.jpg" not in zipfile.ZipFile(archive).namelist()  # the flag is gone
    found = originals.of_zip(archive)
    assert found.names == ["Bäume/猫.jpg", "Äpfel/1.jpg"]
    assert found.read("Äpfel/1.jpg") == b"a"


def test_names_in_dos_letters_are_read_as_such(tmp_path: Path) -> None:
    path = tmp_path / "dos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("caf_/1.jpg", b"a")
    path.write_bytes(path.read_bytes().replace(b"caf_", "café".encode("cp437")))
    assert originals.of_zip(path).names == ["café/1.jpg"]


def test_the_unicode_path_of_an_extra_field_counts(tmp_path: Path) -> None:
    path = tmp_path / "winzip.zip"
    member = zipfile.ZipInfo("___.jpg")
    name = "猫.jpg".encode()
    field = struct.pack("<BL", 1, zlib.crc32(b"___.jpg")) + name
    member.extra = struct.pack("<HH", 0x7075, len(field)) + field
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, b"cat")
    found = originals.of_zip(path)
    assert (found.names, found.read("猫.jpg")) == (["猫.jpg"], b"cat")


def test_backslashes_of_windows_part_folders(tmp_path: Path) -> None:
    for system, name in ((0, "oak/1.jpg"), (3, "oak\\1.jpg")):
        member = zipfile.ZipInfo("oak\\1.jpg")
        member.create_system = system
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr(member, b"a")
        assert originals.of_zip(tmp_path / "a.zip").names == [name]


def test_names_that_lead_out_are_only_names(zipped: Zipped) -> None:
    found = originals.of_zip(zipped({"../oak/1.jpg": b"a", "/elm/2.jpg": b"b", "a\nb.jpg": b"c"}))
    assert found.names == ["../oak/1.jpg", "/elm/2.jpg", "a%0Ab.jpg"]
    assert [found.read(name) for name in found.names] == [b"a", b"b", b"c"]


def test_litter_of_an_archive_is_passed_over_and_empty_folders_told(zipped: Zipped) -> None:
    members = {
        "p/": b"",
        "p/oak/1.jpg": b"a",
        "p/ash/": b"",
        "p/elm/old/": b"",
        "p/elm/": b"",
        "__MACOSX/p/oak/._1.jpg": b"",
        "__MACOSX/": b"",
        "p/oak/.DS_Store": b"",
    }
    found = originals.of_zip(zipped(members))
    assert found.names == ["p/oak/1.jpg"]
    assert found.problems == [
        ("p/ash/", "an empty folder"),
        ("p/elm/old/", "an empty folder"),
    ]


def test_links_in_an_archive_are_told(tmp_path: Path) -> None:
    member = zipfile.ZipInfo("oak/1.jpg")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(member, "/etc/hostname")
    found = originals.of_zip(tmp_path / "a.zip")
    assert (found.names, found.problems) == ([], [("oak/1.jpg", "a link in an archive")])


def test_other_archives_are_to_be_unpacked(tmp_path: Path, zipped: Zipped) -> None:
    inner = zipped({"oak/1.jpg": b"a"})
    for name, mode, kind in (
        ("trees.tar.gz", "w:gz", "gzip, as in .tar.gz"),
        ("trees.tar.bz2", "w:bz2", "bzip2, as in .tar.bz2"),
        ("trees.tar.xz", "w:xz", "xz, as in .tar.xz"),
        ("trees.tar", "w", "tar"),
    ):
        with tarfile.open(tmp_path / name, mode) as tar:  # type: ignore[call-overload]
            tar.add(inner, "trees/inner.zip")
        refused(tmp_path / name, kind, "Unpack it and give the folder.")
    for name, start, kind in (
        ("trees.7z", b"7z\xbc\xaf\x27\x1c\0\4", "7-Zip"),
        ("trees.rar", b"Rar!\x1a\x07\x01\0", "RAR"),
        ("trees.zip", b"Rar!\x1a\x07\x01\0", "RAR"),
    ):
        (tmp_path / name).write_bytes(start + bytes(500))
        refused(tmp_path / name, kind, "Unpack it and give the folder.")


def refused(path: Path, received: str, advice: str) -> None:
    with pytest.raises(errors.InputError) as caught:
        originals.of_zip(path)
    message = str(caught.value)
    assert message.startswith(f"{path.name}: expected ")
    assert received in message
    assert message.endswith(advice)


def test_an_archive_that_is_not_whole_is_refused(zipped: Zipped) -> None:
    path = zipped({"oak/1.jpg": b"a" * 100})
    path.write_bytes(path.read_bytes()[:-30])
    refused(path, "zip", "if it can be unpacked, give the folder.")
    path.write_bytes(b"\xff\xd8\xff\xe0 a picture")
    refused(path, "a file of another kind", "Give the folder that the pictures are in.")
    path.write_bytes(b"")
    refused(path, "a file of another kind", "Give the folder that the pictures are in.")
    refused(path.with_name("gone.zip"), "No such file", "or its permissions.")


def changed(path: Path, offset: int, value: int) -> Path:
    """Changes 16 bits of the only member's entry in the table of contents."""
    raw = bytearray(path.read_bytes())
    struct.pack_into("<H", raw, raw.find(b"PK\x01\x02") + offset, value)
    path.write_bytes(raw)
    return path


def test_members_that_cannot_be_read_are_refused(zipped: Zipped, tmp_path: Path) -> None:
    refused(
        changed(zipped({"oak/1.jpg": b"a"}), 8, 1),
        "oak/1.jpg, encrypted",
        "Unpack it with its password and give the folder.",
    )
    refused(
        changed(zipped({"oak/1.jpg": b"a"}), 10, 9),
        "oak/1.jpg by method 9",
        "Unpack it and give the folder.",
    )
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("oak/1.jpg", b"a")
        archive.writestr("oak/2.jpg", b"b")
    path = tmp_path / "twice.zip"
    path.write_bytes(content.getvalue().replace(b"2.jpg", b"1.jpg"))
    refused(path, "oak/1.jpg, which stands there twice", "Unpack it and give the folder.")


def test_a_damaged_member_is_an_error_of_reading(zipped: Zipped) -> None:
    path = zipped({"oak/1.jpg": b"sound", "oak/2.jpg": b"picture"})
    path.write_bytes(path.read_bytes().replace(b"picture", b"damaged"))
    found = originals.of_zip(path)
    assert found.read("oak/1.jpg") == b"sound"
    with pytest.raises(OSError, match=r"damaged in the archive: Bad CRC-32"):
        found.read("oak/2.jpg")


def test_a_datasets_pictures_are_an_archive_or_a_folder(tmp_path: Path, zipped: Zipped) -> None:
    with (
        pytest.raises(errors.InputError, match=r"images\.zip or the folder pictures"),
        originals.opened(tmp_path / "raw"),
    ):
        pass
    path = tmp_path / "raw/pictures/oak/1.jpg"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"in a folder")
    with originals.opened(tmp_path / "raw") as found:
        assert (found.names, found.read("oak/1.jpg")) == (["oak/1.jpg"], b"in a folder")
    zipped({"oak/1.jpg": b"in an archive"}, path=tmp_path / "raw/images.zip")
    with originals.opened(tmp_path / "raw") as found:
        assert (found.names, found.read("oak/1.jpg")) == (["oak/1.jpg"], b"in an archive")
    with pytest.raises(OSError, match="closed"):
        found.read("oak/1.jpg")
