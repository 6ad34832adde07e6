import hashlib
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ladder import errors
from ladder.pictures import reading

Zipped = Callable[..., Path]

TWO_PIXELS = [[[10, 20, 30], [200, 100, 50]]]


def encode(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    content = io.BytesIO()
    picture.save(content, kind, **options)
    return content.getvalue()


def two_pixels() -> Image.Image:
    return Image.fromarray(np.array(TWO_PIXELS, np.uint8))


def noise(size: int) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8)
    return Image.fromarray(pixels)


def pixels(content: bytes) -> Any:
    picture = reading.open_picture(content)
    assert picture.mode == "RGB"
    return np.asarray(picture).tolist()


def grey(*values: int) -> list[list[list[int]]]:
    """Returns the RGB pixels of one row of greys."""
    return [[[value] * 3 for value in values]]


def palette() -> Image.Image:
    picture = Image.new("P", (2, 1))
    picture.putpalette([10, 20, 30, 200, 100, 50])
    picture.putpixel((1, 0), 1)
    return picture


def header(width: int, height: int) -> bytes:
    """Returns the beginning of a PNG that says how large it is, without its pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", b"")


@pytest.mark.parametrize(
    ("kind", "options"),
    [("PNG", {}), ("BMP", {}), ("WEBP", {"lossless": True})],
)
def test_a_lossless_picture_keeps_its_pixels(kind: str, options: dict[str, Any]) -> None:
    assert pixels(encode(two_pixels(), kind, **options)) == TWO_PIXELS


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_a_palette_is_looked_up(kind: str) -> None:
    assert pixels(encode(palette(), kind)) == TWO_PIXELS


def test_a_jpeg_of_one_colour_keeps_it() -> None:
    content = encode(Image.new("RGB", (8, 8), (200, 100, 50)), "JPEG", quality=100)
    np.testing.assert_allclose(pixels(content), np.full((8, 8, 3), [200, 100, 50]), atol=2)


def test_a_cmyk_jpeg_becomes_rgb() -> None:
    content = encode(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=100)
    np.testing.assert_allclose(pixels(content), np.full((8, 8, 3), [255, 0, 0]), atol=2)


def test_8_bit_grey_becomes_three_equal_channels() -> None:
    row = np.array([[0, 7, 255]], np.uint8)
    assert pixels(encode(Image.fromarray(row))) == grey(0, 7, 255)


def test_1_bit_becomes_black_and_white() -> None:
    picture = Image.new("1", (2, 1))
    picture.putpixel((1, 0), 1)
    assert pixels(encode(picture)) == grey(0, 255)


def test_16_bit_grey_is_scaled() -> None:
    row = np.array([[0, 100 * 257, 128 * 257, 65535]], np.uint16)
    content = encode(Image.fromarray(row))
    assert content[24] == 16  # the bit depth in the PNG's header
    assert pixels(content) == grey(0, 100, 128, 255)


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),  # alpha · colour + (1 - alpha) · 255
    [
        ("LA", (100, 51), [224, 224, 224]),
        ("LA", (100, 0), [255, 255, 255]),
        ("RGBA", (200, 100, 0, 51), [244, 224, 204]),
        ("RGBA", (200, 100, 0, 255), [200, 100, 0]),
        ("RGBA", (0, 0, 0, 0), [255, 255, 255]),
    ],
)
def test_transparency_is_laid_on_white(
    mode: str, colour: tuple[int, ...], expected: list[int]
) -> None:
    assert pixels(encode(Image.new(mode, (1, 1), colour))) == [[expected]]


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_a_transparent_colour_of_a_palette_becomes_white(kind: str) -> None:
    content = encode(palette(), kind, transparency=0)
    assert pixels(content) == [[[255, 255, 255], [200, 100, 50]]]


def test_alphas_of_a_palette_are_laid_on_white() -> None:
    content = encode(palette(), transparency=bytes([51, 255]))
    assert pixels(content) == [[[206, 208, 210], [200, 100, 50]]]


@pytest.mark.parametrize(
    ("orientation", "upright"),  # where the Exif standard puts the first row and column
    [
        (1, [[1, 2], [3, 4], [5, 6]]),
        (2, [[2, 1], [4, 3], [6, 5]]),
        (3, [[6, 5], [4, 3], [2, 1]]),
        (4, [[5, 6], [3, 4], [1, 2]]),
        (5, [[1, 3, 5], [2, 4, 6]]),
        (6, [[5, 3, 1], [6, 4, 2]]),
        (7, [[6, 4, 2], [5, 3, 1]]),
        (8, [[2, 4, 6], [1, 3, 5]]),
    ],
)
def test_a_picture_is_turned_upright(orientation: int, upright: list[list[int]]) -> None:
    stored = Image.fromarray(np.array([[1, 2], [3, 4], [5, 6]], np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    opened = reading.open_picture(encode(stored, exif=exif))
    np.testing.assert_array_equal(np.asarray(opened)[..., 0], upright)


def test_a_photograph_is_turned_upright() -> None:
    stored = np.zeros((16, 32, 3), np.uint8)
    stored[:, :16] = 255  # left, which orientation 6 puts on top
    exif = Image.Exif()
    exif[0x0112] = 6
    opened = np.asarray(reading.open_picture(encode(Image.fromarray(stored), "JPEG", exif=exif)))
    assert opened.shape == (32, 16, 3)
    assert opened[:14].min() > 250
    assert opened[18:].max() < 5


@pytest.mark.filterwarnings("ignore")  # `for_each_picture` drops them
def test_damaged_metadata_does_not_count() -> None:
    content = encode(noise(8), "JPEG", exif=b"Exif\x00\x00II*\x00\x08\x00\x00\x00\xff\xff")
    assert np.shape(pixels(content)) == (8, 8, 3)


def test_an_animation_is_its_first_frame() -> None:
    first, second = (Image.new("RGB", (2, 2), colour) for colour in ("red", "blue"))
    content = encode(first, "GIF", save_all=True, append_images=[second])
    assert pixels(content) == [[[255, 0, 0]] * 2] * 2


@pytest.mark.parametrize("kind", ["TIFF", "PPM", "ICO"])
def test_a_picture_of_another_format_is_unreadable(kind: str) -> None:
    with pytest.raises(reading.UnreadableError, match="not a picture of a known format"):
        reading.open_picture(encode(noise(16), kind))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b"<html>404</html>", "not a picture of a known format"),
        (b"\xff\xd8\xff\xe0", ".+"),
        (bytes(1000), "not a picture of a known format"),
    ],
)
def test_what_is_no_picture_is_unreadable(content: bytes, reason: str) -> None:
    with pytest.raises(reading.UnreadableError, match=rf"^{reason}$"):
        reading.open_picture(content)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_cut_picture_is_unreadable(kind: str, share: float) -> None:
    content = encode(noise(64), kind)
    with pytest.raises(reading.UnreadableError, match=r"."):
        reading.open_picture(content[: int(share * len(content))])


def test_a_cut_jpeg_says_so() -> None:
    content = encode(noise(64), "JPEG")
    with pytest.raises(reading.UnreadableError, match="truncated"):
        reading.open_picture(content[: len(content) // 2])


@pytest.mark.parametrize(
    ("width", "height", "reason"),
    [
        (8000, 5001, "8000 x 5001 pixels"),
        (10_000, 10_000, "10000 x 10000 pixels"),  # Pillow warns
        (20_000, 20_000, r"Image size \(400000000 pixels\)"),  # Pillow refuses
    ],
)
@pytest.mark.filterwarnings("ignore")  # `for_each_picture` drops them
def test_a_picture_too_large_is_refused_before_it_is_decoded(
    width: int, height: int, reason: str
) -> None:
    with pytest.raises(reading.UnreadableError, match=reason):
        reading.open_picture(header(width, height))


def test_a_picture_of_the_largest_size_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PIXELS", 64)
    assert np.shape(pixels(encode(noise(8)))) == (8, 8, 3)
    monkeypatch.setattr(reading, "PIXELS", 63)
    with pytest.raises(reading.UnreadableError, match="8 x 8 pixels"):
        reading.open_picture(encode(noise(8)))


def rows_of(members: dict[str, bytes]) -> pd.DataFrame:
    """Returns rows as `split.by_number` gives them, with an index of their own."""
    count = len(members)
    return pd.DataFrame({"path": list(members), "number": range(count)}, range(100, 100 + count))


def sound(count: int) -> dict[str, bytes]:
    return {f"{i}.jpg": encode(Image.new("L", (1, 1), i)) for i in range(count)}


def test_sound_pictures_are_kept_in_order_with_their_hashes(zipped: Zipped) -> None:
    members = sound(5)
    rows = rows_of(members)
    usable, quarantine = reading.examine(zipped(members), rows)
    pd.testing.assert_frame_equal(usable[["path", "number"]], rows)
    assert usable["sha256"].tolist() == [hashlib.sha256(c).hexdigest() for c in members.values()]
    assert len(quarantine) == 0
    assert list(quarantine) == ["path", "reason"]


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "WEBP"])
def test_a_name_may_say_jpg_of_any_known_format(zipped: Zipped, kind: str) -> None:
    members = {"cat.0.jpg": encode(noise(8), kind)}
    usable, _ = reading.examine(zipped(members), rows_of(members))
    assert usable["path"].tolist() == ["cat.0.jpg"]


def test_one_unreadable_in_200_is_set_aside_with_its_reason(zipped: Zipped) -> None:
    members = sound(200) | {"7.jpg": b""}
    usable, quarantine = reading.examine(zipped(members), rows_of(members))
    assert quarantine.to_dict("records") == [{"path": "7.jpg", "reason": "empty file"}]
    assert usable["number"].tolist() == [i for i in range(200) if i != 7]
    assert usable.index.tolist() == [100 + i for i in range(200) if i != 7]
    digests = [hashlib.sha256(members[path]).hexdigest() for path in usable["path"]]
    assert usable["sha256"].tolist() == digests


def test_one_in_a_hundred_unreadable_is_the_most_that_passes(zipped: Zipped) -> None:
    members = sound(200) | {"7.jpg": b"", "8.jpg": b"text"}
    assert len(reading.examine(zipped(members), rows_of(members))[1]) == 2
    members["9.jpg"] = b""
    message = (
        r"images\.zip: expected at most 1% of 200 pictures unreadable\. Received: 3 "
        r"\(7\.jpg: empty file; 8\.jpg: not a picture of a known format; 9\.jpg: empty file\)\. "
        r"Mend or replace the pictures\."
    )
    with pytest.raises(errors.InputError, match=message):
        reading.examine(zipped(members), rows_of(members))


@pytest.mark.parametrize(
    ("method", "damage"),
    [
        (zipfile.ZIP_STORED, b"\x00\x00"),
        (zipfile.ZIP_DEFLATED, b"\xff\xff"),  # a kind of block that deflate does not have
    ],
)
def test_a_member_damaged_in_the_archive_is_set_aside(
    zipped: Zipped, method: int, damage: bytes
) -> None:
    members = sound(100)
    path = zipped(members, method=method)
    content = bytearray(path.read_bytes())
    start = content.index(b"3.jpg") + len(b"3.jpg")
    content[start : start + 2] = damage
    path.write_bytes(content)
    usable, quarantine = reading.examine(path, rows_of(members))
    ((damaged, reason),) = quarantine.itertuples(index=False)
    assert damaged == "3.jpg"
    assert reason.startswith("damaged in the archive: ")
    assert len(usable) == 99
