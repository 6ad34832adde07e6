import io
import itertools
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from ladder import errors
from ladder.pictures import folders, layouts, originals

Rows = list[tuple[str, str, str]]
ADVICE = "Put the pictures of each class into a folder of its own"
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0heicmif1"
FILM = b"\0\0\0\x14ftypqt  \0\0\0\0qt  "


def encoded(kind: str) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (8, 6), "teal").save(content, kind)
    return content.getvalue()


def put(root: Path, files: Mapping[str, bytes] | list[str]) -> Path:
    """Writes files, and empty folders for names that end in a slash."""
    for name in files:
        path = root / name
        if name.endswith("/"):
            path.mkdir(parents=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(files[name] if isinstance(files, Mapping) else b"")
    return root


def recognise(root: Path) -> layouts.Layout:
    files, problems = folders.listing(root)
    layout = layouts.recognise(originals.of_folder(files), "photos", problems)
    assert layout.pictures["path"].is_monotonic_increasing
    assert not set(layout.pictures["path"]) - set(layout.files)
    return layout


def rows(layout: layouts.Layout) -> Rows:
    return list(layout.pictures.itertuples(index=False, name=None))


def passed_over(layout: layouts.Layout) -> dict[str, str]:
    return dict(layout.passed_over.itertuples(index=False, name=None))


def classes(layout: layouts.Layout) -> dict[str, int]:
    return {str(name): n for name, n in layout.pictures["class_name"].value_counts().items()}


def refusal(root: Path) -> str:
    with pytest.raises(errors.InputError) as caught:
        recognise(root)
    assert str(caught.value).startswith("photos: expected ")
    return str(caught.value)


# Folders of classes


def test_the_folders_below_the_root_are_the_classes(tmp_path: Path) -> None:
    layout = recognise(put(tmp_path, ["oak/1.jpg", "oak/2.PNG", "Elm/3.tiff"]))
    assert rows(layout) == [
        ("Elm/3.tiff", "Elm", ""),
        ("oak/1.jpg", "oak", ""),
        ("oak/2.PNG", "oak", ""),
    ]
    assert layout.sentence == "The folders are the classes."
    assert layout.files == ["Elm/3.tiff", "oak/1.jpg", "oak/2.PNG"]
    assert layout.passed_over.empty
    assert list(layout.passed_over.columns) == ["path", "reason"]


def test_deeper_folders_only_group(tmp_path: Path) -> None:
    names = ["healthy/session 2021/1.jpg", "healthy/session 2022/a/1.jpg", "sick/s/1.jpg"]
    layout = recognise(put(tmp_path, names))
    assert classes(layout) == {"healthy": 2, "sick": 1}
    assert layout.sentence == "The folders are the classes; deeper folders only group."


@pytest.mark.parametrize("prefix", ["photos", "photos/photos", "PetImages", "train"])
def test_a_folder_with_everything_in_it_is_entered(tmp_path: Path, prefix: str) -> None:
    names = [f"{prefix}/Cat/1.jpg", f"{prefix}/Dog/1.jpg", "readme[1].txt"]
    layout = recognise(put(tmp_path, {**dict.fromkeys(names, b""), "manual.pdf": b"%PDF-1.7"}))
    assert classes(layout) == {"Cat": 1, "Dog": 1}
    assert layout.sentence == f"The folders in {prefix} are the classes."
    assert set(passed_over(layout)) == {"readme[1].txt", "manual.pdf"}


def test_a_folder_beside_others_is_not_entered(tmp_path: Path) -> None:
    message = refusal(put(tmp_path, ["oak/2021/1.jpg", "oak/2022/1.jpg", "elm/"]))
    assert "Received: elm: an empty folder." in message


def test_links_are_classes_like_any_folder(tmp_path: Path) -> None:
    put(tmp_path / "elsewhere", ["1.jpg", "2.jpg"])
    root = put(tmp_path / "root", ["oak/1.jpg", "elm/1.jpg", "ash/"])
    (root / "ash/1.jpg").symlink_to(tmp_path / "elsewhere/1.jpg")
    (root / "yew").symlink_to(tmp_path / "elsewhere")
    (root / "oak/gone.jpg").symlink_to("nothing")
    (root / "round").symlink_to(root)
    layout = recognise(root)
    assert classes(layout) == {"yew": 2, "ash": 1, "elm": 1, "oak": 1}
    assert passed_over(layout) == {
        "oak/gone.jpg": "a link to nothing",
        "round": "a link to a folder that it lies in",
    }


def test_a_class_without_a_picture_is_named_with_what_lies_in_it(tmp_path: Path) -> None:
    root = put(tmp_path, ["oak/1.jpg", "elm/1.jpg", "ash/"])
    assert "pictures that are read in every class. Received: ash: an empty folder." in refusal(root)
    put(root, {f"ash/{n}.heic": HEIC for n in range(12)})
    assert "Received: ash: 12 files (HEIC is not read" in refusal(root)
    put(root, {"yew/a.mov": FILM, "yew/b.txt": b"text"})
    (root / "yew/c.jpg").symlink_to("nothing")
    (root / "yew/d.jpg").symlink_to("nothing")
    assert (
        "; yew: 1 file (a film (.mov)), 1 file (not a picture of a known format (.txt)), "
        "2 times a link to nothing (yew/c.jpg, yew/d.jpg). Add pictures as JPEG or PNG, or take "
        "the class out."
    ) in refusal(root)
    put(root, ["fir/deep/deeper/", "box/@eaDir/1.jpg"])
    message = refusal(root)
    assert "box: an empty folder; fir: an empty folder; and 1 more." in message


def test_a_class_of_tiff_is_a_class(tmp_path: Path) -> None:
    layout = recognise(put(tmp_path, ["oak/1.jpg", "elm/1.jpg", "ash/1.tif", "ash/2.TIFF"]))
    assert classes(layout) == {"ash": 2, "elm": 1, "oak": 1}


def test_content_tells_a_picture_where_the_name_does_not(tmp_path: Path) -> None:
    files = {
        "oak/1.jpg": b"no picture: it is put aside later",
        "oak/download": encoded("PNG"),
        "oak/2.dat": encoded("JPEG"),
        "oak/scan.v1": encoded("TIFF"),
        "oak/3.heic": encoded("JPEG"),
        "elm/1.png": b"",
        "elm/2.heic": HEIC,
        "elm/3.nef": encoded("TIFF"),
        "elm/IMG_0001.MOV": FILM,
        "elm/notes": b"notes",
        "elm/a.b, a long ending": b"",
        "elm/4.pdf": b"%PDF-1.7",
        "readme.txt": b"read me",
    }
    layout = recognise(put(tmp_path, files))
    assert [path for path, *_ in rows(layout)] == [
        "elm/1.png",
        "oak/1.jpg",
        "oak/2.dat",
        "oak/3.heic",
        "oak/download",
        "oak/scan.v1",
    ]
    reasons = passed_over(layout)
    assert reasons.pop("elm/2.heic").startswith("HEIC is not read")
    assert reasons == {
        "elm/3.nef": "NEF is not read",
        "elm/4.pdf": "PDF, a document, is not read",
        "elm/IMG_0001.MOV": "a film (.mov)",
        "elm/a.b, a long ending": "not a picture of a known format",
        "elm/notes": "not a picture of a known format",
        "readme.txt": "not a picture of a known format (.txt)",
    }


def test_first_bytes_are_read_only_where_the_name_promises_nothing(tmp_path: Path) -> None:
    root = put(tmp_path, ["oak/1.jpg", "elm/1.jpg"])
    files, _ = folders.listing(root)
    (root / "oak/1.jpg").unlink()
    assert len(layouts.recognise(originals.of_folder(files), "photos").pictures) == 2


def test_a_file_whose_beginning_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    root = put(tmp_path, ["oak/1.jpg", "oak/2", "elm/1.jpg"])
    files, _ = folders.listing(root)
    (root / "oak/2").unlink()
    layout = layouts.recognise(originals.of_folder(files), "photos")
    assert passed_over(layout) == {"oak/2": "cannot be read: no such file or directory"}


def test_what_the_system_refuses_is_told_as_unreadable(tmp_path: Path) -> None:
    files, _ = folders.listing(put(tmp_path, ["oak/1.jpg", "elm/1.jpg"]))
    problems = [("oak/2.jpg", "Permission denied"), ("oak/3/", folders.EMPTY)]
    layout = layouts.recognise(originals.of_folder(files), "photos", problems)
    assert passed_over(layout) == {
        "oak/2.jpg": "cannot be read: permission denied",
        "oak/3/": "an empty folder",
    }


def test_of_several_empty_folders_two_are_named(tmp_path: Path) -> None:
    root = put(tmp_path, ["oak/1.jpg", "elm/1.jpg", *(f"ash/{n}/" for n in "abcd")])
    assert "Received: ash: 4 times an empty folder (ash/a/, ash/b/ and 2 more)." in refusal(root)


def test_pictures_beside_the_class_folders_are_passed_over(tmp_path: Path) -> None:
    layout = recognise(put(tmp_path, ["oak/1.jpg", "elm/1.jpg", "cat.0.jpg", "dog.0.jpg"]))
    assert classes(layout) == {"elm": 1, "oak": 1}
    assert passed_over(layout) == dict.fromkeys(
        ["cat.0.jpg", "dog.0.jpg"], "beside the class folders"
    )


def test_folders_win_against_names_and_it_is_told(tmp_path: Path) -> None:
    names = [
        f"{folder}/{camera}.{number:04d}.jpg"
        for folder in ("healthy", "sick")
        for camera in ("left", "right")
        for number in range(3)
    ]
    layout = recognise(put(tmp_path / "a", names))
    assert classes(layout) == {"healthy": 6, "sick": 6}
    assert layout.sentence == (
        "The folders are the classes. Names such as left.0000.jpg would say other classes (left "
        "and right): left.0000.jpg lies in healthy, and the folders count."
    )
    agreeing = recognise(put(tmp_path / "b", ["Cat/cat.0.jpg", "dog/dog.0.jpg", "dog/dog.1.jpg"]))
    assert agreeing.sentence == "The folders are the classes."
    of_a_camera = recognise(put(tmp_path / "c", ["oak/img.0001.jpg", "elm/img.0002.jpg"]))
    assert of_a_camera.sentence == "The folders are the classes."


@pytest.mark.parametrize(
    ("names", "pair"),
    [
        (("Oak", "oak"), "Oak and oak"),
        (("oak", "oak "), r"'oak' and 'oak '"),
        (("caf\u00e9", "cafe\u0301"), r"'cafe\u0301' and 'caf\xe9'"),
        (("Straße", "strasse"), "Straße and strasse"),
    ],
)
def test_class_names_that_are_easily_mixed_up_are_refused(
    tmp_path: Path, names: tuple[str, str], pair: str
) -> None:
    root = put(tmp_path, ["elm/1.jpg", *(f"{name}/1.jpg" for name in names)])
    assert f"Received: {pair}. Make them one class" in refusal(root)


def test_class_names_keep_their_case_and_lose_spaces_around(tmp_path: Path) -> None:
    names = ["Golden Retriever /1.jpg", "cafe\u0301/1.jpg", "7/1.jpg", "nan/1.jpg", "猫\n/1.jpg"]
    layout = recognise(put(tmp_path, names))
    assert set(classes(layout)) == {"Golden Retriever", "caf\u00e9", "7", "nan", "猫%0A"}
    assert "cafe\u0301/1.jpg" in layout.files  # a path stays as it is


def test_a_folder_without_a_name_is_refused(tmp_path: Path) -> None:
    root = put(tmp_path, ["oak/1.jpg", "elm/1.jpg", "  /1.jpg"])
    assert "Received: the name '  '. Give the folder a name." in refusal(root)


def test_tables_are_read_back_equal(tmp_path: Path) -> None:
    names = ['a,"b"/1.jpg', "7/x\r\n.jpg", "nan/caf\u0301e.jpg", "NA", "7/no\npicture", "7/sub/"]
    root = put(tmp_path / "root", names)
    Path(bytes(root).decode() + "/7/caf\udce9.jpg").write_bytes(b"")
    layout = recognise(root)
    for table in (layout.pictures, layout.passed_over):
        table.to_csv(tmp_path / "table.csv", index=False)
        written = pd.read_csv(tmp_path / "table.csv", dtype=str, na_filter=False)
        pd.testing.assert_frame_equal(written, table)
    assert "7/caf%E9.jpg" in layout.files


@pytest.mark.parametrize(
    ("names", "received"),
    [
        ([], "an empty folder"),
        (["oak/"], "in oak: an empty folder"),
        (["oak/1.jpg", "oak/2.jpg"], "in oak: 2 pictures, no folders"),
        (["1.jpg"], "1 picture, no folders"),
        (["oak/2021/1.jpg", "2.jpg"], "the folder oak (1 picture) and 1 picture beside it"),
        (["notes.txt"], "1 file (not a picture of a known format (.txt))"),
    ],
)
def test_fewer_than_two_classes_are_refused(
    tmp_path: Path, names: list[str], received: str
) -> None:
    message = refusal(put(tmp_path, names))
    assert message.startswith(
        f"photos: expected at least two classes. Received: {received}. {ADVICE}"
    )


def test_the_folder_with_the_classes_is_advised(tmp_path: Path) -> None:
    message = refusal(put(tmp_path, ["photos/oak/1.jpg", "photos/elm/1.jpg", "cover.jpg"]))
    assert "If the classes are in photos, give that folder." in message


def test_archives_in_a_folder_are_to_be_unpacked(tmp_path: Path) -> None:
    message = refusal(put(tmp_path, {"train.zip": b"PK\3\4", "test1.zip": b"PK\3\4"}))
    assert message.endswith("Unpack test1.zip and train.zip first.")


def test_archives_beside_and_in_class_folders_are_passed_over(tmp_path: Path) -> None:
    files = {"oak/1.jpg": b"", "elm/1.jpg": b"", "elm/zipped.zip": encoded("JPEG")}
    archives = {"ash.ZIP": b"PK\3\4", "ash.tar": b"ash", "oak/more.tar.gz": b"\x1f\x8b"}
    layout = recognise(put(tmp_path, {**files, **archives, "oak/letter.docx": b"PK\3\4"}))
    assert classes(layout) == {"elm": 2, "oak": 1}
    told = passed_over(layout)
    assert told.pop("oak/letter.docx") == "an archive, not a picture (.docx)"
    assert told == dict.fromkeys(archives, "an archive: unpack it")


@pytest.mark.parametrize("wrap", ["", "photos/", "{}/"])
def test_folders_that_hold_the_same_folders_are_asked_about(tmp_path: Path, wrap: str) -> None:
    names = [f"{f}/{wrap.format(f)}{c}/1.jpg" for f in ("fold1", "fold2") for c in ("oak", "elm")]
    layout = recognise(put(tmp_path, [*names, "fold2/" + wrap.format("fold2") + "ash/1.jpg"]))
    assert classes(layout) == {"fold1": 2, "fold2": 3}
    assert "Each of them holds elm and oak: if those are the classes, give one" in layout.sentence
    assert "such as fold1, or name them train, validation and test." in layout.sentence


def test_subsets_in_the_folders_of_classes_are_refused(tmp_path: Path) -> None:
    names = [f"{c}/{s}/1.jpg" for c in ("oak", "elm") for s in ("train", "test")]
    message = refusal(put(tmp_path, names))
    assert "Received: test and train in each of elm and oak. Put the classes into the" in message
    assert "as test/elm; or" in message


def test_one_folder_in_common_only_groups(tmp_path: Path) -> None:
    names = ["oak/2021/1.jpg", "oak/2022/1.jpg", "elm/2022/1.jpg", "elm/2023/1.jpg"]
    assert classes(recognise(put(tmp_path, names))) == {"elm": 2, "oak": 2}
    put(tmp_path, {"elm/2021/1.heic": HEIC, "elm/2021/notes.txt": b""})
    assert classes(recognise(tmp_path)) == {"elm": 2, "oak": 2}


# Given subsets


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [
        ("train", "validation", "test"),
        ("Train", "valid", "TEST"),
        ("training", "val", "testing"),
        ("photos/train", "photos/dev", "photos/test"),
        ("Training Set", "Validation Set", "Test Set"),
        ("training_set", "dev-set", "test_set"),
        ("seg_train", "seg_val", "seg_test"),
        ("train-images", "Valid Data", "testset"),
        ("train/train", "valid/valid", "test/test"),
        ("training_set/training_set", "val", "test_set/test_set"),
        ("seg_train/seg_train", "seg_val/seg_val", "seg_test/seg_test"),
        ("train/images", "val/images", "test/images/all"),
    ],
)
def test_given_subsets_are_kept(tmp_path: Path, train: str, validation: str, test: str) -> None:
    subsets = {"train": train, "validation": validation, "test": test}
    names = [f"{folder}/{c}/{s}/1.jpg" for s, folder in subsets.items() for c in ("oak", "elm")]
    top = "photos/" if train.startswith("photos/") else ""
    layout = recognise(put(tmp_path, [*names, f"{train}/cover.jpg", f"{top}notes/a.txt"]))
    assert sorted((c, s) for _, c, s in rows(layout)) == sorted(
        itertools.product(("oak", "elm"), subsets)
    )
    assert all(path.split("/")[-2] == subset for path, _, subset in rows(layout))
    assert passed_over(layout)[f"{train}/cover.jpg"] == "beside the class folders"
    assert "and this division is kept." in layout.sentence


def test_train_and_test_alone_are_kept_and_train_alone_is_divided(tmp_path: Path) -> None:
    names = ["train/oak/1.jpg", "train/elm/1.jpg"]
    layout = recognise(put(tmp_path, [*names, "notes/a.txt"]))
    assert rows(layout) == [("train/elm/1.jpg", "elm", ""), ("train/oak/1.jpg", "oak", "")]
    layout = recognise(put(tmp_path, ["test/oak/1.jpg", "test/elm/1.jpg"]))
    assert set(layout.pictures["subset"]) == {"train", "test"}


def test_a_class_that_lacks_a_subset_is_named(tmp_path: Path) -> None:
    names = [f"{s}/{c}/1.jpg" for s in ("train", "val", "test") for c in ("oak", "elm", "ash")]
    names.remove("test/ash/1.jpg")
    root = put(tmp_path, names)
    message = "expected pictures of every class in train, validation and test. Received: ash has "
    assert f"{message}none in test. Add pictures" in refusal(root)
    put(root, {"test/ash/1.heic": HEIC})
    assert f"{message}none in test (1 file (HEIC is not read" in refusal(root)


@pytest.mark.parametrize(
    ("names", "received"),
    [
        (["train/oak/1.jpg", "train/elm/1.jpg", "val/"], "an empty folder"),
        (["train/oak/1.jpg", "train/elm/1.jpg", "test/1.jpg"], "1 picture"),
        (["train/1.jpg", "test/1.jpg"], "test: 1 picture; train: 1 picture"),
        (["val/oak/1.jpg", "test/oak/1.jpg"], "test and val"),
        (["train/a/1.jpg", "val/a/1.jpg", "valid/a/1.jpg"], "val and valid"),
        (["train/oak/1.jpg", "train/elm/1.jpg", "test1/1.jpg"], "test1 beside them"),
        (
            ["train/Oak/1.jpg", "test/oak/1.jpg"],
            "Oak (train/Oak/1.jpg) and oak (test/oak/1.jpg)",
        ),
        (
            ["train/oak/1.jpg", "train/elm/1.jpg", "train_data/oak/1.jpg", "train_data/elm/1.jpg"],
            "train and train_data",
        ),
        (["train/oak/1.jpg", "test/oak/1.jpg"], "oak (2 pictures)"),
    ],
)
def test_subsets_that_are_no_subsets_are_refused(
    tmp_path: Path, names: list[str], received: str
) -> None:
    assert f"Received: {received}. " in refusal(put(tmp_path, names))


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    layout = recognise(put(tmp_path, ["train/1.jpg", "bus/1.jpg", "car/1.jpg"]))
    assert set(classes(layout)) == {"train", "bus", "car"}


# Names


@pytest.mark.parametrize("prefix", ["", "train/", "dogs-vs-cats/train/", "train/train/"])
def test_names_tell_the_classes_where_folders_do_not(tmp_path: Path, prefix: str) -> None:
    names = ["cat.0.jpg", "cat.1.jpg", "dog.0.jpg", "Red fox.jpg", "notes.txt"]
    layout = recognise(put(tmp_path, [prefix + name for name in names]))
    assert classes(layout) == {"cat": 2, "dog": 1}
    assert layout.sentence == "Names such as cat.0.jpg say the classes."
    assert passed_over(layout)[prefix + "Red fox.jpg"] == (
        "its name says no class, as cat.0.jpg does"
    )


def test_kaggles_train_and_test1_are_known(tmp_path: Path) -> None:
    root = put(tmp_path, ["train/cat.0.jpg", "train/dog.0.jpg", "test1/1.jpg", "sample.csv"])
    layout = recognise(root)
    assert rows(layout) == [("train/cat.0.jpg", "cat", ""), ("train/dog.0.jpg", "dog", "")]
    put(root, ["test/cat.1.jpg", "test/dog.1.jpg"])
    assert [subset for *_, subset in rows(recognise(root))] == ["test", "test", "train", "train"]


@pytest.mark.parametrize(
    "names",
    [
        ["cat.0.jpg", "cat.1.jpg"],
        ["cat.0.jpg", "dog.0.jpg", "1.jpg", "2.jpg"],
        ["cat.0.jpg", "dog.0.jpg", "more/1.jpg"],
    ],
)
def test_names_that_tell_too_little_are_refused(tmp_path: Path, names: list[str]) -> None:
    assert ADVICE in refusal(put(tmp_path, names))


def test_a_class_in_names_whose_pictures_are_not_read_is_named(tmp_path: Path) -> None:
    files = {"cat.0.jpg": b"", "dog.0.jpg": b"", "fox.0.heic": HEIC}
    assert "Received: fox: 1 file (HEIC is not read" in refusal(put(tmp_path, files))


# Tables

PICTURES = ["images/1.jpg", "images/2.jpg", "images/deep/3.jpg"]


def labelled(root: Path, name: str, text: str | bytes, pictures: list[str] = PICTURES) -> Path:
    put(root, pictures)
    return put(root, {name: text if isinstance(text, bytes) else text.encode()})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("metadata.csv", "file_name,label\nimages/1.jpg,oak\nimages/2.jpg,elm\n{deep},oak\n"),
        (
            "metadata.csv",
            "\ufefffile_name;label\r\nimages/1.jpg;oak\r\nimages/2.jpg;elm\r\n{deep};oak\r\n",
        ),
        (
            "trees.csv",
            'Label,extra, Path \noak,1,images/1.jpg\nelm,,images\\2.jpg\noak,"a\nb",{deep}\n',
        ),
        ("trees.tsv", "image\tclass\n./images/1.jpg\toak\nimages/2.jpg\t elm \n\n{deep}\toak"),
        ("labels.CSV", 'filename,class_name\nimages/1.jpg,"oak"\n/images/2.jpg,elm\n{deep},oak\n'),
    ],
)
def test_a_table_tells_the_classes(tmp_path: Path, name: str, text: str) -> None:
    layout = recognise(labelled(tmp_path, name, text.format(deep="images/deep/3.jpg")))
    assert rows(layout) == [
        ("images/1.jpg", "oak", ""),
        ("images/2.jpg", "elm", ""),
        ("images/deep/3.jpg", "oak", ""),
    ]
    assert layout.files == sorted([*PICTURES, name])
    assert layout.sentence == f"{name} says the class of each picture."
    assert layout.passed_over.empty


def test_a_table_in_utf16_is_read(tmp_path: Path) -> None:
    text = "path\tlabel\nimages/1.jpg\tÄpfel\nimages/2.jpg\tBäume\nimages/deep/3.jpg\tÄpfel\n"
    layout = recognise(labelled(tmp_path, "labels.csv", text.encode("utf-16")))
    assert classes(layout) == {"Äpfel": 2, "Bäume": 1}


def test_metadata_of_lines_of_json_is_read(tmp_path: Path) -> None:
    lines = [
        {"file_name": "images/1.jpg", "label": 0, "note": ["any"]},
        {"file_name": "images/2.jpg", "label": "elm", "split": None},
        {"file_name": "images/deep/3.jpg", "label": 0},
    ]
    text = "\n".join(map(json.dumps, lines)) + "\n\n"
    assert classes(recognise(labelled(tmp_path, "metadata.jsonl", text))) == {"0": 2, "elm": 1}


def test_every_subset_may_have_its_metadata(tmp_path: Path) -> None:
    for folder in ("train", "test"):
        text = b"file_name,label\n1.jpg,oak\n2.jpg,elm\n"
        put(tmp_path, {f"{folder}/1.jpg": b"", f"{folder}/2.jpg": b""})
        put(tmp_path, {f"{folder}/metadata.csv": text})
    layout = recognise(tmp_path)
    assert rows(layout) == [
        ("test/1.jpg", "oak", "test"),
        ("test/2.jpg", "elm", "test"),
        ("train/1.jpg", "oak", "train"),
        ("train/2.jpg", "elm", "train"),
    ]
    assert layout.sentence == (
        "test/metadata.csv and train/metadata.csv say the class of each picture."
    )
    put(tmp_path, {"metadata.csv": b"file_name,label\ntrain/1.jpg,oak\n"})
    assert "expected one table of labels in a folder" in refusal(tmp_path)


def test_a_column_may_tell_the_subset(tmp_path: Path) -> None:
    pictures = [f"{n}.jpg" for n in range(4)]
    text = "path,label,split\n0.jpg,oak,Train\n1.jpg,elm,train\n2.jpg,oak,val\n3.jpg,elm,VAL\n"
    layout = recognise(labelled(tmp_path / "a", "a.csv", text, pictures))
    assert [subset for *_, subset in rows(layout)] == ["train", "train"] + ["validation"] * 2
    text = text.replace("3.jpg,elm,VAL\n", "")
    message = refusal(labelled(tmp_path / "b", "a.csv", text, pictures))
    assert "Received: elm has none in validation." in message


def test_an_unknown_subset_is_refused(tmp_path: Path) -> None:
    text = "path,label,split\nimages/1.jpg,oak,train\nimages/2.jpg,elm,holdout\n"
    root = labelled(tmp_path, "a.csv", text)
    files, _ = folders.listing(root)
    with pytest.raises(errors.InputError, match=r"^a\.csv: .* Received: holdout \(line 3\)\."):
        layouts.recognise(originals.of_folder(files), "photos")


def test_rows_that_fit_nothing_are_told_with_name_and_line(tmp_path: Path) -> None:
    pictures = [f"{n}.jpg" for n in range(9)]
    text = (
        "path,label\n0.jpg,oak\n1.jpg,elm\n2.jpg,\n3.jpg\ngone.jpg,oak\n0.jpg,oak\n"
        "4.jpg,oak\n5.jpg,elm\n4.jpg,elm\n6.heic,elm\n../out.jpg,oak\nno\x1bte.txt,elm\n"
    )
    root = labelled(tmp_path, "a.csv", text, pictures)
    put(root, {"6.heic": HEIC, "film.mov": FILM})
    layout = recognise(root)
    assert [(path, name) for path, name, _ in rows(layout)] == [
        ("0.jpg", "oak"),
        ("1.jpg", "elm"),
        ("5.jpg", "elm"),
    ]
    told = passed_over(layout)
    assert told.pop("6.heic").startswith("HEIC is not read")
    assert told == {
        "../out.jpg": "a.csv, line 12: no such file",
        "0.jpg": "a.csv, line 7: a second row",
        "2.jpg": "a.csv, line 4: no label",
        "3.jpg": "a.csv, line 5: no label",
        "4.jpg": "a.csv, line 8 and a.csv, line 10: another label or subset",
        "6.jpg": "no row in a.csv",
        "7.jpg": "no row in a.csv",
        "8.jpg": "no row in a.csv",
        "film.mov": "a film (.mov)",
        "gone.jpg": "a.csv, line 6: no such file",
        "no%1Bte.txt": "a.csv, line 13: no such file",
    }


@pytest.mark.parametrize(
    ("row", "received"),
    [
        ("gone.jpg,ash", "ash: a.csv, line 4: no such file (gone.jpg). Correct the paths"),
        ("a.jpg,ash\nb.jpg,ash", "ash: a.csv, line 4: no such file (a.jpg) and 1 more row."),
        ("images/deep/3.jpg,ash\nimages/deep/3.jpg,oak", "ash: 1 file (a.csv, line 4 and a.csv, "),
        ("images/deep/3.jpg,Oak", "Oak (images/deep/3.jpg) and oak (images/1.jpg)"),
    ],
)
def test_a_class_of_a_table_does_not_get_lost(tmp_path: Path, row: str, received: str) -> None:
    text = f"path,label\nimages/1.jpg,oak\nimages/2.jpg,elm\n{row}\n"
    assert f"Received: {received}" in refusal(labelled(tmp_path, "a.csv", text))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"path,label\nimages/1.jpg,\xe4pfel\n", "text in UTF-8. Received: the byte 0xe4"),
        ("a.csv", b"path,label\n1.jpg," + b"a" * 200_000, "Received: field larger than"),
        ("metadata.jsonl", b'{"file_name": "1.jpg", "label": 1}\n{', "Received: line 2: "),
        ("metadata.jsonl", b'{"file_name": "1.jpg", "label": 1}\n3', "Received: line 2: no object"),
        ("metadata.jsonl", b'{"file_name": "1.jpg", "label": [1]}', "Received: line 1: [1] where"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    files, _ = folders.listing(labelled(tmp_path, name, content))
    with pytest.raises(errors.InputError) as caught:
        layouts.recognise(originals.of_folder(files), "photos")
    assert str(caught.value).startswith(f"{name}: expected ")
    assert message in str(caught.value)


def test_two_tables_are_refused_and_other_tables_are_no_labels(tmp_path: Path) -> None:
    root = put(tmp_path, {"oak/1.jpg": b"", "elm/1.jpg": b"", "results.csv": b"epoch,loss\n1,2\n"})
    layout = recognise(root)
    assert layout.sentence == "The folders are the classes."
    assert passed_over(layout) == {
        "results.csv": "a table without the columns file_name and label; it has epoch and loss"
    }
    root = labelled(tmp_path / "tables", "a.csv", "path,label\n")
    put(root, {"b.csv": b"path,label\n"})
    assert "Received: a.csv and b.csv. Make them one" in refusal(root)


def test_a_table_without_rows_is_refused(tmp_path: Path) -> None:
    root = labelled(tmp_path, "a.csv", "path,label\n")
    assert "at least two classes. Received: no class (0 pictures)." in refusal(root)


def test_metadata_without_labels_is_named_where_folders_tell_nothing(tmp_path: Path) -> None:
    root = labelled(tmp_path, "metadata.csv", "file_name,text\nimages/1.jpg,a tree\n")
    put(root, {"metadata.json": b"[]"})
    message = refusal(root)
    assert "; metadata.csv: a table without the column label; it has file_name and text." in message
    assert "; metadata.json: a table in JSON is read as metadata.jsonl, one object" in message


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("metadata.csv", b"file_name,breed\n", "without the column label; it has file_name and br"),
        ("metadata.csv", b"id;label\n", "without the column file_name; it has id and label"),
        ("metadata.jsonl", b'{"file_name": "a", "x": 1}', "without the column label; it has file_"),
        ("metadata.csv", b"a,b\x1b,c,d,e,f\n", "file_name and label; it has a, b%1B, c and 3 more"),
        ("metadata.csv", b"", "a table without columns"),
        ("metadata.jsonl", b"3", "a table without columns"),
        ("metadata.json", b"[]", "a table in JSON is read as metadata.jsonl, one object a line"),
    ],
)
def test_metadata_that_tell_no_labels_say_why_beside_folders(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    layout = recognise(put(tmp_path, {"oak/1.jpg": b"", "elm/1.jpg": b"", name: content}))
    assert layout.sentence == "The folders are the classes."
    assert reason in passed_over(layout)[name]


@pytest.mark.parametrize("prefix", ["", "train/"])
def test_beside_class_folders_only_metadata_count(tmp_path: Path, prefix: str) -> None:
    names = [f"{prefix}{c}/{n}.jpg" for c in ("oak", "elm") for n in (1, 2)]
    predictions = "path,label,confidence\n" + "".join(f"{name},oak,0.9\n" for name in names)
    root = labelled(tmp_path, "predictions.csv", predictions, names)
    layout = recognise(root)
    assert classes(layout) == {"elm": 2, "oak": 2}
    reason = "beside folders of classes, only metadata.csv counts as a table of labels"
    assert passed_over(layout) == {"predictions.csv": reason}
    text = f"file_name,label\n{prefix}oak/1.jpg,Oak\n{prefix}oak/2.jpg,elm\n"
    layout = recognise(labelled(root, "metadata.csv", text, names))
    assert classes(layout) == {"Oak": 1, "elm": 1}
    assert layout.sentence == (
        "metadata.csv says the class of each picture. The folders would say other classes (elm and "
        f"oak): {prefix}oak/2.jpg is elm in metadata.csv, and the table counts."
    )
    reason = "metadata.csv counts as the table of labels"
    assert passed_over(layout)["predictions.csv"] == reason


@pytest.mark.parametrize(
    "beginning",
    ["{root}/", "/home/anna/trees/", "C:\\Users\\Anna\\trees\\", "D:/trees/", "\\\\nas\\"],
)
def test_absolute_paths_are_taken_where_their_ends_lie_here(tmp_path: Path, beginning: str) -> None:
    start = beginning.format(root=tmp_path)
    separator = "\\" if "\\" in start else "/"
    text = "".join(
        f"{start}{name.replace('/', separator)},{label}\n"
        for name, label in zip(PICTURES, ("oak", "elm", "oak"), strict=True)
    )
    root = labelled(tmp_path, "a.csv", f"path,label\n{text}/elsewhere/2.jpg,oak\n")
    layout = recognise(root)
    assert rows(layout) == [
        ("images/1.jpg", "oak", ""),
        ("images/2.jpg", "elm", ""),
        ("images/deep/3.jpg", "oak", ""),
    ]
    assert layout.sentence.endswith("Absolute paths in a.csv are taken as paths in its folder.")
    assert passed_over(layout) == {"/elsewhere/2.jpg": "a.csv, line 5: no such file"}


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("3.jpg", "; there is images/deep/3.jpg. Or"),
        ("C:\\photos\\3.jpg", "; there is images/deep/3.jpg. Or"),
        ("images/deep/3", "; there is images/deep/3.jpg. Or"),
        ("2.jpg", "with folders and endings. Or"),
        ("4.jpg", "with folders and endings. Or"),
    ],
)
def test_a_path_that_does_not_fit_is_shown_with_the_file_it_may_mean(
    tmp_path: Path, path: str, hint: str
) -> None:
    put(tmp_path, ["images/deep/2.jpg"])
    text = f"path,label\nimages/1.jpg,oak\nimages/2.jpg,elm\n{path},ash\n"
    message = refusal(labelled(tmp_path, "a.csv", text))
    assert f"Received: ash: a.csv, line 4: no such file ({path})." in message
    assert "paths are relative to the table" in message
    assert hint in message


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (("0", "0.0", "1.0"), {"0": 2, "1": 1}),
        (("-1.0", "2.00", "2"), {"-1": 1, "2": 2}),
        (("0", "0.0", "oak"), {"0": 1, "0.0": 1, "oak": 1}),
        (("1.0", "1.5", "1"), {"1.0": 1, "1.5": 1, "1": 1}),
        (("01", "1.", "1"), {"01": 1, "1.": 1, "1": 1}),
    ],
)
def test_whole_numbers_are_one_class_however_they_are_written(
    tmp_path: Path, labels: tuple[str, ...], expected: dict[str, int]
) -> None:
    text = "".join(f"{p},{label}\n" for p, label in zip(PICTURES, labels, strict=True))
    root = labelled(tmp_path, "a.csv", f"path,label\n{text}gone.jpg,\n")
    assert classes(recognise(root)) == expected


# Of all layouts

LAYOUTS: list[dict[str, bytes]] = [
    {"p/oak/1.jpg": b"", "p/elm/1.jpg": b"", "readme.txt": b"", "p/cover.jpg": b""},
    {
        **{f"{s}/{c}/1.jpg": b"" for s in ("train", "val", "test") for c in ("oak", "elm")},
        "train/cover.jpg": b"",
        "notes/1.txt": b"",
    },
    {"train/cat.0.jpg": b"", "train/dog.0.jpg": b"", "train/x.jpg": b"", "test1/1.jpg": b""},
    {
        "images/1.jpg": b"",
        "images/2.jpg": b"",
        "images/3.jpg": b"",
        "labels.csv": b"path,label\nimages/1.jpg,oak\nimages/2.jpg,elm\n",
        "other.csv": b"a,b",
    },
    {
        "images/1.jpg": b"",
        "images/2.jpg": b"",
        "images/3.jpg": b"",
        "labels.csv": b"path,label\n/home/anna/images/1.jpg,0\n/home/anna/images/2.jpg,1.0\n",
    },
    {
        **{f"{s}/{s}/{c}/1.jpg": b"" for s in ("seg_train", "seg_test") for c in ("oak", "elm")},
        "predictions.csv": b"path,label\nseg_train/seg_train/oak/1.jpg,elm\n",
        "more.zip": b"PK\3\4",
    },
]


@pytest.mark.parametrize("files", LAYOUTS)
def test_a_copy_of_the_files_alone_has_the_same_layout(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    layout = recognise(put(tmp_path / "root", files))
    assert len(layout.passed_over) == len(files) - len(layout.files) > 0
    folders.copy(folders.listing(tmp_path / "root")[0], layout.files, tmp_path / "copy")
    copied = recognise(tmp_path / "copy")
    pd.testing.assert_frame_equal(copied.pictures, layout.pictures)
    assert copied.files == layout.files
    assert copied.passed_over.empty


@pytest.mark.parametrize("files", LAYOUTS)
def test_a_zip_has_the_layout_of_its_folder(
    tmp_path: Path, files: dict[str, bytes], zipped: Callable[..., Path]
) -> None:
    of_folder = recognise(put(tmp_path / "root", files))
    archive = originals.of_zip(zipped({f"../{name}": c for name, c in files.items()}))
    of_zip = layouts.recognise(archive, "photos.zip")
    assert classes(of_zip) == classes(of_folder)
    assert of_zip.files == sorted(f"../{name}" for name in of_folder.files)


def test_an_empty_class_in_a_zip_is_named(zipped: Callable[..., Path]) -> None:
    archive = zipped({"p/oak/1.jpg": b"", "p/elm/1.jpg": b"", "p/ash/": b""})
    with pytest.raises(errors.InputError, match=r"^a\.zip: .* Received: ash: an empty folder\."):
        layouts.recognise(originals.of_zip(archive), "a.zip")


def test_many_pictures_are_recognised_in_time_linear_in_their_number() -> None:
    def seconds(count: int) -> float:
        files = {
            f"class {n % 10}/group {n % 100}/{n}.jpg": Path("never opened") for n in range(count)
        }
        start = time.process_time()
        layout = layouts.recognise(originals.of_folder(files), "photos")
        assert len(layout.pictures) == count
        return time.process_time() - start

    def least(count: int) -> float:
        return min(seconds(count) for _ in range(3))  # other programs take the cache as well

    seconds(100)
    assert least(20_000) < 40 * least(2_000)
