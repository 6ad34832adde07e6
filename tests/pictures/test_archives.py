import hashlib
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from conftest import write_zip
from ladder import errors, settings
from ladder.pictures import archives, examination, manifests, originals, reading, split

FETCH_AGAIN = r"Fetch the archive again and compare its sha256\."
OTHER_LAYOUT = (
    r"Give a zip or a folder with a folder for each class, or Kaggle's inner train\.zip\."
)

Zipped = Callable[..., Path]


def rows(archive: Path) -> list[tuple[str, str, int]]:
    frame = archives.members(archive)
    return list(frame[["path", "class_name", "number"]].itertuples(index=False, name=None))


def named(*names: str) -> dict[str, bytes]:
    return dict.fromkeys(names, b"picture")


def folder_of(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return root


def test_microsofts_layout_is_read_and_what_is_no_picture_ignored(zipped: Zipped) -> None:
    archive = zipped(
        named(
            "PetImages/Dog/0.jpg",
            "PetImages/Cat/10.jpg",
            "PetImages/Cat/9.jpg",
            "PetImages/Cat/Thumbs.db",
            "PetImages/Dog/",
            "readme[1].txt",
            "MSR-LA - 3467.docx",
            "__MACOSX/._x",
            "__MACOSX/PetImages/Cat/._9.jpg",
        )
    )
    assert rows(archive) == [
        ("PetImages/Cat/9.jpg", "cat", 0),
        ("PetImages/Cat/10.jpg", "cat", 1),
        ("PetImages/Dog/0.jpg", "dog", 0),
    ]


def test_kaggles_layout_is_read_and_what_is_no_picture_ignored(zipped: Zipped) -> None:
    archive = zipped(
        named(
            "train/dog.2.jpg",
            "train/cat.11.png",
            "train/cat.2.jpg",
            "train/cat3.jpg",
            "test1/1.jpg",
            "sampleSubmission.csv",
            "__MACOSX/train/._cat.2.jpg",
        )
    )
    assert rows(archive) == [
        ("train/cat.2.jpg", "cat", 2),
        ("train/cat.11.png", "cat", 11),
        ("train/dog.2.jpg", "dog", 2),
    ]


@pytest.mark.parametrize("prefix", ["", "a/", "my folder/deep/"])
@pytest.mark.parametrize("names", [("Cat/0.jpg", "Dog/0.jpg"), ("cat.0.jpg", "dog.0.jpg")])
def test_pictures_may_lie_in_any_folder(
    zipped: Zipped, prefix: str, names: tuple[str, str]
) -> None:
    archive = zipped(named(*(prefix + name for name in names)))
    assert [(name, number) for _, name, number in rows(archive)] == [("cat", 0), ("dog", 0)]


def test_more_than_two_classes_are_read(zipped: Zipped) -> None:
    archive = zipped(named("train/fox.0.jpg", "train/cat.0.jpg", "train/dog.0.jpg"))
    assert [name for _, name, _ in rows(archive)] == ["cat", "dog", "fox"]


@pytest.mark.parametrize(
    ("names", "received"),
    [
        ((), "an empty archive"),
        (("a.gif", "b/c.tiff"), r"a\.gif, b/c\.tiff"),
        (("train/cat.0.jpg", "train/cat.1.jpg"), r"train/cat\.0\.jpg, train/cat\.1\.jpg"),
        (("PetImages/Cat/0.jpg", "cat.1.jpg"), r"PetImages/Cat/0\.jpg, cat\.1\.jpg"),
        (("Oak/0.heic", "Elm/0.jpg"), r"Oak/0\.heic, Elm/0\.jpg"),
        (tuple("abcdefg"), "a, b, c, d, e"),
    ],
)
def test_fewer_than_two_classes_of_a_known_layout_are_refused(
    zipped: Zipped, names: tuple[str, ...], received: str
) -> None:
    message = (
        r"images\.zip: expected at least two classes of JPEG, PNG, BMP, GIF, WebP or TIFF pictures "
        r"in a folder of each class, such as Oak/holiday\.jpg "
        r"\(Microsoft's PetImages/Cat/0\.jpg\), or named as Kaggle's train/cat\.0\.jpg\. "
        rf"Received: {received}\. {OTHER_LAYOUT}"
    )
    with pytest.raises(errors.InputError, match=message):
        archives.members(zipped(named(*names)))


@pytest.mark.parametrize(
    "names",
    [
        ("a/cat.1.jpg", "b/cat.1.jpg"),
        ("train/cat.1.jpg", "train/cat.01.jpg"),
        ("train/cat.1.jpg", "train/cat.1.PNG"),
    ],
)
def test_a_number_that_a_class_has_twice_is_refused(zipped: Zipped, names: tuple[str, str]) -> None:
    message = (
        r"images\.zip: expected one picture per class and number\. "
        rf"Received: (?:{names[0]} and {names[1]}|{names[1]} and {names[0]})\. {OTHER_LAYOUT}"
    )
    with pytest.raises(errors.InputError, match=message):
        archives.members(zipped(named("train/dog.1.jpg", *names)))


@pytest.mark.parametrize(
    ("one", "other"), [("Oak", "oak"), ("train/oak", "test/oak"), ("7", "Class 7")]
)
def test_two_folders_of_one_class_are_refused(zipped: Zipped, one: str, other: str) -> None:
    archive = zipped(named("Elm/0.jpg", f"{one}/0.jpg", f"{other}/1.jpg"))
    message = (
        r"images\.zip: expected one folder per class, which `split` divides\. "
        rf"Received: {one} and {other}\. Put the pictures of a class into one folder\."
    )
    with pytest.raises(errors.InputError, match=message):
        archives.members(archive)


@pytest.mark.parametrize("suffix", ["JPG", "jpeg", "Png", "webp", "bmp", "gif"])
@pytest.mark.parametrize("name", ["train/{class_name}.0.{suffix}", "{class_name}/0.{suffix}"])
def test_pictures_of_every_format_are_read_in_both_layouts(
    zipped: Zipped, name: str, suffix: str
) -> None:
    names = [name.format(class_name=class_name, suffix=suffix) for class_name in ("elm", "oak")]
    assert rows(zipped(named(*names))) == [(names[0], "elm", 0), (names[1], "oak", 0)]


def test_pictures_of_every_format_that_is_opened_are_taken(zipped: Zipped) -> None:
    known = Image.registered_extensions().items()
    suffixes = [suffix for suffix, name in known if name in (*reading.FORMATS, "MPO")]
    other = [suffix for suffix, _ in known if suffix not in suffixes]
    assert {".jpg", ".tif", ".webp"} <= {*suffixes}
    names = [f"{class_name}/0{suffix}" for class_name in ("Oak", "elm") for suffix in suffixes]
    unread = [f"ash/0{suffix}" for suffix in other]
    members = archives.members(zipped(named(*names, *unread, "Oak/1.JPG")))
    assert {*members["path"]} == {*names, "Oak/1.JPG"}


def test_a_folder_is_a_class_whatever_it_and_its_pictures_are_called(zipped: Zipped) -> None:
    archive = zipped(
        named(
            "mine/maine-coon/img 10.jpg",
            "mine/maine-coon/IMG 2.JPG",
            "mine/maine-coon/0.webp",
            "mine/Golden Retriever/holiday.jpg",
            "mine/Golden Retriever/Überall.png",
            "mine/Golden Retriever/a.7.jpg",
            "mine/Épagneul/12.jpeg",
            "mine/Épagneul/3.jpg",
            "mine/St. Bernard/10.jpg",
        )
    )
    assert rows(archive) == [
        ("mine/Golden Retriever/a.7.jpg", "golden retriever", 0),
        ("mine/Golden Retriever/holiday.jpg", "golden retriever", 1),
        ("mine/Golden Retriever/Überall.png", "golden retriever", 2),
        ("mine/maine-coon/0.webp", "maine-coon", 0),
        ("mine/maine-coon/IMG 2.JPG", "maine-coon", 1),
        ("mine/maine-coon/img 10.jpg", "maine-coon", 2),
        ("mine/St. Bernard/10.jpg", "st. bernard", 0),
        ("mine/Épagneul/3.jpg", "épagneul", 0),
        ("mine/Épagneul/12.jpeg", "épagneul", 1),
    ]


@pytest.mark.parametrize("folder", ["7", "0.5", "1e5", "-", "NaN", "Null", "inf", "True"])
def test_ids_of_a_class_are_texts_in_every_table(
    zipped: Zipped, tmp_path: Path, folder: str
) -> None:
    members = archives.members(zipped(named("Oak/0.jpg", f"{folder}/0.jpg")))
    one = members[members["class_name"] != "oak"].assign(subset="test", sha256="0")
    manifest = manifests.build(one)
    manifest.to_csv(tmp_path / "manifest.csv", index=False)
    (row,) = pd.read_csv(tmp_path / "manifest.csv").to_dict("records")
    assert (row["class_name"], row["id"]) == (
        f"class {folder.lower()}",
        f"class {folder.lower()}.0",
    )


NUMBERS = st.sets(st.integers(0, 10**18 - 1), min_size=1, max_size=9)


@given(cats=NUMBERS, dogs=NUMBERS)
def test_kaggles_numbers_are_kept_and_in_a_folder_the_place_counts(
    tmp_path_factory: pytest.TempPathFactory, cats: set[int], dogs: set[int]
) -> None:
    pets = [("cat", i, n) for i, n in enumerate(sorted(cats))]
    pets += [("dog", i, n) for i, n in enumerate(sorted(dogs))]
    by_name = [(f"train/{c}.{n}.jpg", c, n) for c, _, n in pets]
    by_folder = [(f"PetImages/{c.title()}/{n}.jpg", c, i) for c, i, n in pets]
    for expected in (by_name, by_folder):
        members = named(*(name for name, _, _ in reversed(expected)))
        assert rows(write_zip(members, tmp_path_factory.mktemp("a") / "images.zip")) == expected


@given(names=st.sets(st.integers(0, 3000).map("img{}.jpg".format), min_size=1, max_size=20))
def test_other_names_are_numbered_from_0_by_the_numbers_in_them(
    tmp_path_factory: pytest.TempPathFactory, names: set[str]
) -> None:
    by_number = sorted(names, key=lambda name: int(name[3:-4]))
    members = named("Elm/leaf.jpg", *(f"Oak/{name}" for name in names))
    pictures = rows(write_zip(members, tmp_path_factory.mktemp("a") / "images.zip"))
    assert pictures[1:] == [(f"Oak/{name}", "oak", i) for i, name in enumerate(by_number)]


def test_a_few_names_like_kaggles_do_not_take_the_folders_classes_away(zipped: Zipped) -> None:
    names = [f"{folder}/{i}.jpg" for folder in ("Oak", "Elm") for i in range(3)]
    pictures = rows(zipped(named(*names, "Oak/photo.1.jpg", "Elm/scan.2.jpg")))
    assert [name for _, name, _ in pictures] == ["elm"] * 4 + ["oak"] * 4


def test_numbers_beyond_64_bits_are_names(zipped: Zipped) -> None:
    longest = "9" * 5000
    names = [f"Oak/{number}.jpg" for number in ("5", "20250101123456789012", longest)]
    archive = zipped(named(*names, "Elm/0.jpg"))
    assert [number for _, name, number in rows(archive) if name == "oak"] == [0, 1, 2]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("Oak/0.jpg", "Elm/0.jpg"), ""),
        (("Oak/0.jpg", "Elm/0.jpg", ".x", "Oak/.y.jpg", "__MACOSX/Oak/._0.jpg"), ""),
        (("Oak/0.jpg", "Elm/0.jpg", "Oak/Thumbs.db", ".cache/Ash/0.jpg", "Ash/"), ""),
        (("Oak/0.jpg", "Elm/0.jpg", "cover.jpg"), "ladder: 1 file passed over: cover.jpg\n"),
        (
            ("Oak/0.jpg", "Elm/0.jpg", "Ash/0.heic", "Ash/1.heic", "Ash/2.heic", "notes.txt"),
            "ladder: 4 files passed over: Ash/0.heic, Ash/1.heic, Ash/2.heic, …\n",
        ),
        (
            ("train/cat.0.jpg", "train/dog.0.jpg", "test1/1.jpg"),
            "ladder: 1 file passed over: test1/1.jpg\n",
        ),
    ],
)
def test_what_is_passed_over_is_named_on_stderr(
    zipped: Zipped, capsys: pytest.CaptureFixture[str], names: tuple[str, ...], message: str
) -> None:
    assert len(archives.members(zipped(named(*names)))) == 2
    assert capsys.readouterr().err == message


def test_any_folder_of_pictures_is_split(tmp_path: Path) -> None:
    names = [f"{name}/{i * 37 % 11} at home.JPG" for name in ("Oak tree", "elm") for i in range(8)]
    folder = folder_of(tmp_path / "mine", *names)
    archives.pack(folder, tmp_path / "p.zip")
    counts = settings.Split(
        train=4,
        validation=2,
        test=2,
        group=None,
        hash_distance=None,
        unreadable_share=0.01,
        train_used_per_class=None,
        shuffle_train_labels=False,
        corrections=None,
    )
    picked = split.by_number(archives.members(tmp_path / "p.zip"), counts, None)
    assert set(picked["path"]) == set(names)
    manifest = manifests.build(picked.assign(sha256=""))
    assert split.example(manifest, "oak tree.7") == [15]


def test_names_that_lead_elsewhere_are_names_alone(zipped: Zipped, tmp_path: Path) -> None:
    archive = zipped(named("../../Cat/0.jpg", "/etc/Dog/0.jpg", "C:/x/Fox/1.jpg", "Cat/../1.jpg"))
    before = sorted(tmp_path.parent.rglob("*"))
    archives.check(archive, archive.name)
    pictures = originals.of_zip(archive)
    examined = examination.examine(pictures.read, archives.members(archive)["path"])
    pictures.close()
    assert set(examined["reason"]) == {"not a picture of a known format"}  # they were read
    assert sorted(tmp_path.parent.rglob("*")) == before


def test_a_sound_archive_passes(drawn_archive: Callable[..., Path]) -> None:
    archive = drawn_archive(count=2)
    archives.check(archive, archive.name)
    assert len(archives.members(archive)) == 4


@pytest.mark.parametrize("kept", [0, 100, -100, -1])
def test_a_cut_archive_is_refused(zipped: Zipped, kept: int) -> None:
    path = zipped(named("train/cat.0.jpg", "train/dog.0.jpg"))
    path.write_bytes(path.read_bytes()[:kept])
    message = rf"images\.zip: expected a whole zip archive\. Received: .+\. {FETCH_AGAIN}"
    with pytest.raises(errors.InputError, match=message):
        archives.check(path, path.name)


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "page.zip"
    path.write_text("<html>404 Not Found</html>")
    message = (
        r"page\.zip: expected a whole zip archive\. Received: File is not a zip file\. "
        + FETCH_AGAIN
    )
    with pytest.raises(errors.InputError, match=message):
        archives.check(path, path.name)


def test_an_encrypted_member_is_refused(zipped: Zipped) -> None:
    path = zipped(named("train/cat.0.jpg"))
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1  # APPNOTE 4.4.4, bit 0
    path.write_bytes(content)
    message = rf"expected no encryption\. Received: an encrypted member\. {FETCH_AGAIN}"
    with pytest.raises(errors.InputError, match=message):
        archives.check(path, path.name)


@pytest.mark.parametrize("method", [9, 93, 96, 98])
def test_a_member_of_an_unknown_method_is_refused(zipped: Zipped, method: int) -> None:
    path = zipped(named("train/cat.0.jpg", "train/dog.0.jpg"))
    content = bytearray(path.read_bytes())
    last = content.rindex(b"PK\x01\x02")
    struct.pack_into("<H", content, last + 10, method)  # APPNOTE 4.4.5
    path.write_bytes(content)
    message = (
        r"images\.zip: expected members that are stored, or compressed by Deflate, BZIP2 or LZMA\. "
        rf"Received: train/dog\.0\.jpg by method {method}\. "
        r"Pack the pictures again, without compression\."
    )
    with pytest.raises(errors.InputError, match=message):
        archives.check(path, path.name)


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_a_known_method_passes(zipped: Zipped, method: int) -> None:
    path = zipped(named("train/cat.0.jpg"), method=method)
    archives.check(path, path.name)
    assert zipfile.ZipFile(path).read("train/cat.0.jpg") == b"picture"


def test_a_bomb_is_refused(zipped: Zipped) -> None:
    path = zipped({"small": b"", "bomb": bytes(1_000_000)}, method=zipfile.ZIP_DEFLATED)
    message = (
        r"expected members of at most 50,000,000 bytes, packed at most 200 to 1\. "
        rf"Received: bomb\. {FETCH_AGAIN}"
    )
    with pytest.raises(errors.InputError, match=message):
        archives.check(path, path.name)


def test_a_small_member_may_be_packed_tighter(zipped: Zipped) -> None:
    path = zipped({"flat.bmp": bytes(190_000)}, method=zipfile.ZIP_DEFLATED)
    (member,) = zipfile.ZipFile(path).infolist()
    assert member.file_size > 200 * member.compress_size
    archives.check(path, path.name)


@pytest.mark.parametrize(
    ("limit", "value", "expected", "received"),
    [
        ("MEMBERS", 1, "at most 1 members", "2"),
        ("MEMBER_BYTES", 1999, "members of at most 1,999 bytes, packed at most 200 to 1", "b"),
        ("TOTAL_BYTES", 2999, "at most 2,999 bytes unpacked", "3,000"),
    ],
)
def test_more_than_a_limit_is_refused_and_the_limit_itself_is_not(
    zipped: Zipped,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    value: int,
    expected: str,
    received: str,
) -> None:
    path = zipped({"a": bytes(1000), "b": bytes(2000)})
    monkeypatch.setattr(archives, limit, value + 1)
    archives.check(path, path.name)
    monkeypatch.setattr(archives, limit, value)
    message = rf"images\.zip: expected {expected}\. Received: {received}\. {FETCH_AGAIN}"
    with pytest.raises(errors.InputError, match=message):
        archives.check(path, path.name)


def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "images.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a", b"2")
    message = rf"expected every name once\. Received: a name that stands twice\. {FETCH_AGAIN}"
    with pytest.raises(errors.InputError, match=message):
        archives.check(path, path.name)


@pytest.mark.parametrize(
    ("offset", "value"),
    [(6, 99), (8, 0x800)],  # APPNOTE 4.3.12: a version to come; a name marked as UTF-8
)
def test_a_table_of_contents_that_cannot_be_read_is_refused(
    zipped: Zipped, offset: int, value: int
) -> None:
    path = zipped({"train/cat.0.jpg": b""})
    content = bytearray(path.read_bytes()).replace(b"cat", b"c\xfft")
    struct.pack_into("<H", content, content.index(b"PK\x01\x02") + offset, value)
    path.write_bytes(content)
    message = rf"images\.zip: expected a whole zip archive\. Received: .+\. {FETCH_AGAIN}"
    with pytest.raises(errors.InputError, match=message):
        archives.check(path, path.name)


def test_a_packed_folder_holds_its_files_in_order_relative_to_it(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "train", "dog.0.jpg", "a/cat.1.jpg", "a.txt")
    archives.pack(folder, tmp_path / "p.zip")
    with zipfile.ZipFile(tmp_path / "p.zip") as archive:
        packed = [(name, archive.read(name)) for name in archive.namelist()]
    assert packed == [
        ("a.txt", b"a.txt"),
        ("a/cat.1.jpg", b"a/cat.1.jpg"),
        ("dog.0.jpg", b"dog.0.jpg"),
    ]


def test_the_same_files_pack_into_the_same_bytes(tmp_path: Path) -> None:
    one = folder_of(tmp_path / "1/train", "cat.0.jpg", "dog.0.jpg", "cat.1.jpg")
    two = folder_of(tmp_path / "2/another", "cat.1.jpg", "dog.0.jpg", "cat.0.jpg")
    (two / "cat.0.jpg").chmod(0o600)
    os.utime(two / "cat.0.jpg", (10**9, 10**9))
    for folder in (one, two):
        archives.pack(folder, folder.with_suffix(".zip"))
    assert one.with_suffix(".zip").read_bytes() == two.with_suffix(".zip").read_bytes()
    dates = {member.date_time for member in zipfile.ZipFile(one.with_suffix(".zip")).infolist()}
    assert dates == {(1980, 1, 1, 0, 0, 0)}  # not the present, which the next run is not in


def test_links_are_not_packed(tmp_path: Path) -> None:
    outside = folder_of(tmp_path / "outside", "secret.jpg")
    folder = folder_of(tmp_path / "train", "cat.0.jpg")
    (folder / "cat.1.jpg").symlink_to(outside / "secret.jpg")
    (folder / "deep").symlink_to(outside)
    archives.pack(folder, tmp_path / "p.zip")
    assert zipfile.ZipFile(tmp_path / "p.zip").namelist() == ["cat.0.jpg"]


def test_a_packed_folder_is_read_like_an_archive(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "PetImages", "Cat/0.jpg", "Dog/0.jpg", "Dog/Thumbs.db")
    archives.pack(folder, tmp_path / "p.zip")
    archives.check(tmp_path / "p.zip", "p.zip")
    assert rows(tmp_path / "p.zip") == [
        ("Cat/0.jpg", "cat", 0),
        ("Dog/0.jpg", "dog", 0),
    ]


def test_an_archives_hash_is_that_of_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "abc.zip"
    path.write_bytes(b"abc")  # FIPS 180-2, appendix B.1
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert archives.sha256(path) == expected


def test_a_folders_hash_is_that_of_its_archive(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "train", "cat.0.jpg", "dog.0.jpg")
    archives.pack(folder, tmp_path / "p.zip")
    expected = hashlib.sha256((tmp_path / "p.zip").read_bytes()).hexdigest()
    assert archives.sha256(folder) == expected


def test_a_folders_hash_changes_with_a_file(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "train", "cat.0.jpg")
    before = archives.sha256(folder)
    (folder / "cat.0.jpg").write_bytes(b"another")
    assert archives.sha256(folder) != before


@pytest.mark.parametrize(
    "act", [archives.sha256, lambda path: archives.store(path, path.with_name("target.zip"))]
)
def test_a_path_to_nothing_is_refused(tmp_path: Path, act: Callable[[Path], None]) -> None:
    message = (
        r"no\.zip: expected a zip archive or a folder of pictures\. "
        r"Received: nothing there\. Correct the path\."
    )
    with pytest.raises(errors.InputError, match=message):
        act(tmp_path / "no.zip")
    assert list(tmp_path.iterdir()) == []


def test_the_place_of_microsofts_pictures_is_their_number(tmp_path: Path) -> None:
    names = [f"PetImages/{c}/{i}.jpg" for c in ("Cat", "Dog") for i in range(120)]
    pictures = rows(write_zip(named(*reversed(names)), tmp_path / "images.zip"))
    assert pictures == [(name, name.split("/")[1].lower(), int(Path(name).stem)) for name in names]
