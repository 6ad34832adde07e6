import hashlib
import io
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import imagehash
import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageFilter

from ladder.pictures import examination, reading, threads


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    content = io.BytesIO()
    picture.save(content, kind, **options)
    return content.getvalue()


def photograph(seed: int = 0, width: int = 120, height: int = 80) -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(noise).filter(ImageFilter.GaussianBlur(1))


def examined(members: dict[str, bytes], **options: bool) -> pd.DataFrame:
    names = pd.Series(list(members), range(100, 100 + len(members)))
    return examination.examine(members.__getitem__, names, **options)


def row(content: bytes, **options: bool) -> pd.Series:
    return examined({"a": content}, **options).iloc[0]


def zeroed() -> bytes:
    content = bytearray(encoded(photograph(0, 400, 300), "JPEG"))
    middle = len(content) // 2
    content[middle : middle + 2000] = bytes(2000)
    return bytes(content)


def test_pictures_keep_their_order_and_index() -> None:
    members = {f"{i}.png": encoded(photograph(i)) for i in range(20)}
    table = examined(members)
    assert table.index.tolist() == list(range(100, 120))
    assert table["path"].tolist() == list(members)
    digests = [hashlib.sha256(content).hexdigest() for content in members.values()]
    assert table["sha256"].tolist() == digests
    assert list(table) == list(examination.TYPES)
    assert table["reason"].isna().all()
    assert table["damage"].isna().all()


def test_the_pixels_are_hashed_upright_with_their_size() -> None:
    picture = photograph()
    exif = Image.Exif()
    exif[0x0112] = 3
    turned = encoded(picture.transpose(Image.Transpose.ROTATE_180), exif=exif)
    expected = hashlib.sha256(struct.pack("<2I", 120, 80) + picture.tobytes()).hexdigest()
    for content in (encoded(picture), encoded(picture, "BMP"), encoded(picture, "TIFF"), turned):
        assert row(content)["pixels_sha256"] == expected
    reshaped = Image.frombytes("RGB", (80, 120), picture.tobytes())
    assert row(encoded(reshaped))["pixels_sha256"] != expected


def test_size_format_and_mode_are_those_of_the_file() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded(photograph().convert("L"), "JPEG", exif=exif)
    found = row(content)
    assert found[["format", "mode"]].tolist() == ["JPEG", "L"]
    assert found[["width", "height", "bytes"]].tolist() == [80, 120, len(content)]
    assert row(encoded(Image.new("I;16", (4, 4)), "TIFF"))["mode"] == "I;16"


def test_brightness_and_contrast_are_mean_and_deviation_of_grey() -> None:
    found = row(encoded(photograph()))
    grey = np.asarray(photograph().convert("L")) / 255
    assert found["brightness"] == pytest.approx(grey.mean())
    assert found["contrast"] == pytest.approx(grey.std())


def test_sharpness_is_the_variance_of_the_laplacian() -> None:
    grey = photograph().convert("L")
    laplacian = cv2.Laplacian(np.asarray(grey), cv2.CV_64F, borderType=cv2.BORDER_REPLICATE)
    assert examination.sharpness(grey) == pytest.approx(laplacian.var())
    large = grey.resize((1024, 512), Image.Resampling.NEAREST)
    reduced = large.resize((256, 128), Image.Resampling.BOX)
    assert examination.sharpness(large) == examination.sharpness(reduced)
    assert examination.sharpness(Image.new("L", (5000, 1))) == 0


def test_the_hashes_are_those_of_imagehash_for_a_square_copy() -> None:
    picture = photograph()
    found = row(encoded(picture))
    square = picture.resize((64, 64), Image.Resampling.BILINEAR)
    assert found["hash"] == str(imagehash.phash(square, 16))
    mirrored = square.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    assert found["mirrored_hash"] == str(imagehash.phash(mirrored, 16))
    assert len(found["hash"]) == 64


@pytest.mark.parametrize(
    ("content", "reason", "kind"),
    [
        (b"", "empty file", None),
        (b"<svg>", "SVG, a drawing, is not read", "SVG"),
        (b"text", "not a picture of a known format", None),
        (b"\xff\xd8\xff", "JPEG that breaks off or is damaged at its beginning", "JPEG"),
    ],
)
def test_what_cannot_be_used_has_its_reason(content: bytes, reason: str, kind: str | None) -> None:
    found = row(content)
    assert found["reason"] == reason
    assert found["sha256"] == hashlib.sha256(content).hexdigest()
    assert found["format"] == kind or (kind is None and pd.isna(found["format"]))
    assert found[["pixels_sha256", "mode", "brightness", "hash"]].isna().all()
    assert found[["width", "height"]].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PermissionError(13, "Permission denied", "x"), "cannot be read: Permission denied"),
        (ValueError("odd"), "damaged in the archive: odd"),
        (reading.UnreadableError("too large"), "too large"),
    ],
)
def test_what_cannot_be_fetched_has_its_reason(error: Exception, reason: str) -> None:
    def read(name: str) -> bytes:
        raise error

    table = examination.examine(read, pd.Series(["a"]))
    assert table["reason"].tolist() == [reason]
    assert table["sha256"].isna().all()


def test_damaged_pixels_are_a_reason_or_a_finding() -> None:
    message = "damaged JPEG data: premature end of data segment"
    refused = row(zeroed())
    assert refused["reason"] == refused["damage"] == message
    table = examined({"a": zeroed(), "b": encoded(photograph())}, refuse_damaged=False)
    assert table["reason"].isna().all()
    (found,) = examination.findings(table).to_dict("records")
    assert (found["path"], found["finding"], found["detail"]) == ("a", "damaged", message)
    assert np.isnan(found["value"])


def test_each_picture_is_read_once_in_threads_and_memory_holds_few(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threads, "WAITING", 8)
    content, lock = encoded(Image.new("L", (2, 2), 7)), threading.Lock()
    read: list[str] = []
    decoded: list[int] = []
    real: Callable[[bytes], reading.Opened] = reading.open_with_kind

    def count(content: bytes) -> reading.Opened:
        with lock:
            decoded.append(1)
        return real(content)

    def fetch(name: str) -> bytes:
        with lock:
            read.append(name)
        return content

    monkeypatch.setattr(reading, "open_with_kind", count)
    names = pd.Series([f"{i}" for i in range(100)])
    table = examination.examine(fetch, names)
    assert sorted(read) == sorted(names)
    assert len(decoded) == 100
    assert table["path"].tolist() == names.tolist()


def test_no_pictures_are_no_rows() -> None:
    table = examined({})
    assert len(table) == 0
    assert list(table) == list(examination.TYPES)
    assert len(examination.findings(table)) == 0
    assert len(examination.by_class(table.assign(class_name=[]))) == 0


def test_the_tables_are_read_back_equal(tmp_path: Path) -> None:
    members = {"a": encoded(photograph()), "b": b"", "c": zeroed(), "d": encoded(even(0))}
    table = examined(members, refuse_damaged=False).reset_index(drop=True)
    table.to_csv(tmp_path / "a.csv", index=False)
    types: dict[Any, Any] = examination.TYPES
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "a.csv", dtype=types), table)
    found = examination.findings(table)
    found.to_csv(tmp_path / "b.csv", index=False)
    assert len(found) > 1
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "b.csv"), found)


def even(level: int, width: int = 64, height: int = 64) -> Image.Image:
    return Image.new("RGB", (width, height), (level, level, level))


def tiles(brightest: int) -> Image.Image:
    levels = np.random.default_rng(0).integers(0, brightest, (4, 5), np.uint8)
    return Image.fromarray(np.kron(levels, np.ones((50, 50), np.uint8)))


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        (photograph(), []),
        (even(128), ["blank"]),
        (even(0), ["blank", "dark"]),
        (even(255), ["blank", "bright"]),
        (tiles(255), []),
        (tiles(40), ["dark"]),
        (tiles(255).filter(ImageFilter.GaussianBlur(9)), ["blurry"]),
        (photograph(0, 31, 40), ["tiny"]),
        (photograph(0, 400, 100), ["odd_aspect"]),
        (photograph(0, 100, 400), ["odd_aspect"]),
    ],
)
def test_what_looks_odd_is_found(picture: Image.Image, expected: list[str]) -> None:
    found = examination.findings(examined({"a": encoded(picture)}))
    assert found["finding"].tolist() == expected
    assert set(found["path"]) <= {"a"}


def test_a_finding_says_its_value_and_limit() -> None:
    found = examination.findings(examined({"a": encoded(photograph(0, 400, 100))}))
    assert found.to_dict("records") == [
        {"path": "a", "finding": "odd_aspect", "value": 4.0, "detail": "aspect above 3"}
    ]


def test_a_huge_picture_is_found() -> None:
    table = examined({"a": encoded(photograph())}).assign(width=6000, height=5000)
    assert examination.findings(table)["finding"].tolist() == ["huge"]


def described(count: int, **columns: Any) -> pd.DataFrame:
    """Returns rows as `examine` gives them, with some columns replaced."""
    one = examined({"a": encoded(photograph())})
    rows = pd.concat([one] * count, ignore_index=True)
    return rows.assign(**columns)


def scores(table: pd.DataFrame) -> dict[str, float]:
    return dict(examination.by_class(table)[["property", "score"]].itertuples(index=False))


def test_a_format_of_one_class_gives_it_away() -> None:
    class_names = ["elm"] * 30 + ["oak"] * 30
    table = described(60, class_name=class_names, format=["JPEG"] * 30 + ["PNG"] * 30)
    best = examination.by_class(table).iloc[0]
    assert best.tolist() == ["format", 1.0, "elm", "JPEG 0% (oak) to 100% (elm)"]
    assert sum(scores(table).values()) == 1.0


def test_a_format_of_one_class_among_many_gives_it_away() -> None:
    class_names = [f"c{i % 10}" for i in range(200)]
    formats = ["PNG" if name == "c7" else "JPEG" for name in class_names]
    best = examination.by_class(described(200, class_name=class_names, format=formats)).iloc[0]
    assert best["property"] == "format"
    assert best["class_name"] == "c7"
    assert best["score"] == 1.0


def test_a_score_is_what_the_best_limit_gets_right() -> None:
    """Two uniform distributions that overlap by a half: the best limit names 3 of 4 rightly."""
    random = np.random.default_rng(0)
    brightness = np.concatenate([random.uniform(0, 0.5, 2000), random.uniform(0.25, 0.75, 500)])
    class_names = ["elm"] * 2000 + ["oak"] * 500
    table = described(2500, class_name=class_names, brightness=brightness)
    assert scores(table)["brightness"] == pytest.approx(0.5, abs=0.06)


def test_what_says_nothing_scores_about_0() -> None:
    random = np.random.default_rng(0)
    class_names = ["elm"] * 1500 + ["oak"] * 500
    table = described(2000, class_name=class_names, brightness=random.uniform(0, 1, 2000))
    assert scores(table)["brightness"] < 0.1
    assert scores(table)["width"] == 0


def test_what_cannot_be_used_and_single_pictures_are_left_out() -> None:
    table = described(5, class_name=["elm", "elm", "oak", "oak", "ash"])
    assert len(examination.by_class(table)) == len(examination.NUMBERS + examination.KINDS)
    table.loc[3, "reason"] = "empty file"
    assert len(examination.by_class(table)) == 0
