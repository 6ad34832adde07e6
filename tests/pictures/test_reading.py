import io
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

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
    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", b"")


def chunk(kind: bytes, data: bytes, checksum: int | None = None) -> bytes:
    """Returns a part of a PNG file, with another checksum where one is given."""
    checksum = zlib.crc32(kind + data) if checksum is None else checksum
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def png_of_16_bits(channels: int, *values: int, transparent: tuple[int, ...] = ()) -> bytes:
    """Returns a PNG of one row of pixels; 1 to 4 channels: grey, grey and alpha, RGB, RGBA."""
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    size = struct.pack(">IIBBBBB", len(values) // channels, 1, 16, kind, 0, 0, 0)
    row = b"\0" + struct.pack(f">{len(values)}H", *values)
    parts = [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", size)]
    if transparent:
        parts.append(chunk(b"tRNS", struct.pack(f">{len(transparent)}H", *transparent)))
    return b"".join([*parts, chunk(b"IDAT", zlib.compress(row)), chunk(b"IEND", b"")])


def with_part(png: bytes, part: bytes) -> bytes:
    """Returns a PNG with one more part after its header."""
    return png[:33] + part + png[33:]


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("BMP", {}),
        ("WEBP", {"lossless": True}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "tiff_adobe_deflate"}),
    ],
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


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("PPM", "PNM is not read"),
        ("ICO", "ICO, an icon, is not read"),
        ("AVIF", "AVIF is not read"),
        ("JPEG2000", "JPEG 2000 is not read"),
        ("PDF", "PDF, a document, is not read"),
    ],
)
def test_a_format_that_is_not_read_is_named(kind: str, reason: str) -> None:
    with pytest.raises(reading.UnreadableError, match=f"^{reason}$"):
        reading.open_picture(encode(noise(16), kind))


HEIC = b"\0\0\0\x1cftypheic\0\0\0\0mif1heicmiaf" + bytes(100)


def test_heic_is_named_with_what_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(reading.UnreadableError, match="HEIC is not read: pip install pillow-heif"):
        reading.open_picture(HEIC)


def test_heic_is_read_where_its_package_is_installed() -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    picture = Image.new("RGB", (64, 48), (200, 100, 50))
    content = io.BytesIO()
    pillow_heif.from_pillow(picture).save(content, quality=95)
    opened = reading.open_with_kind(content.getvalue())
    assert (opened.format, opened.rgb.size) == ("HEIC", (64, 48))
    np.testing.assert_allclose(np.asarray(opened.rgb)[20, 20], [200, 100, 50], atol=3)
    with pytest.raises(reading.UnreadableError, match=r"."):
        reading.open_picture(content.getvalue()[:200])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b"text", "not a picture of a known format"),
        (b"\n<!DOCTYPE HTML><html>404</html>", "a web page, not a picture"),
        (b"\xff\xd8\xff\xe0", "JPEG that breaks off or is damaged at its beginning"),
        (bytes(1000), "zeros, not a picture"),
    ],
)
def test_what_is_no_picture_is_unreadable(content: bytes, reason: str) -> None:
    with pytest.raises(reading.UnreadableError, match=rf"^{reason}$"):
        reading.open_picture(content)


def test_a_file_of_too_many_bytes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    content = encode(noise(8))
    monkeypatch.setattr(reading, "BYTES", len(content) - 1)
    with pytest.raises(reading.UnreadableError, match=f"{len(content)} bytes, more than"):
        reading.open_picture(content)


@pytest.mark.parametrize("tags", [{254: 1}, {50706: b"\1\4\0\0"}])
def test_the_small_copy_in_a_cameras_raw_file_is_not_the_picture(tags: dict[int, Any]) -> None:
    with pytest.raises(reading.UnreadableError, match="camera"):
        reading.open_picture(encode(noise(8), "TIFF", tiffinfo=tags))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0, 7, 255), (0, 7, 255)),  # 8 bits
        ((0, 256, 1023), (0, 64, 255)),  # 10
        ((0, 1024, 4095), (0, 64, 255)),  # 12
        ((0, 4096, 16383), (0, 64, 255)),  # 14
        ((255, 16384, 32768), (0, 64, 128)),  # 16
        ((0, 0, 0), (0, 0, 0)),
    ],
)
def test_the_upper_8_of_the_bits_that_are_used_count(
    values: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    assert pixels(png_of_16_bits(1, *values)) == grey(*expected)
    assert pixels(encode(Image.fromarray(np.array([values], np.uint16)), "TIFF")) == grey(*expected)
    opaque = [number for value in values for number in (value, 65535)]
    assert pixels(png_of_16_bits(2, *opaque)) == grey(*expected)
    colours = [number for value in values for number in (value, 0, values[-1])]
    red_and_blue = [[red, 0, expected[-1]] for red in expected]
    assert pixels(png_of_16_bits(3, *colours)) == [red_and_blue]
    for suffix in (".png", ".tiff"):
        rows = np.array(colours, np.uint16).reshape(1, -1, 3)[..., ::-1]  # OpenCV: blue first
        assert pixels(cv2.imencode(suffix, rows)[1].tobytes()) == [red_and_blue]


def test_alpha_of_16_bits_keeps_its_own_upper_bits() -> None:
    content = png_of_16_bits(4, 200, 100, 0, 255, 200, 100, 0, 51)
    assert pixels(content) == [[[200, 100, 0], [244, 224, 204]]]


@pytest.mark.parametrize("scale", [1, 256])
def test_a_transparent_colour_of_16_bits_becomes_white(scale: int) -> None:
    low, high = 7 * scale, 200 * scale
    assert pixels(png_of_16_bits(1, low, high, transparent=(low,))) == grey(255, 200)
    content = png_of_16_bits(3, low, high, 0, high, high, 0, transparent=(low, high, 0))
    assert pixels(content) == [[[255, 255, 255], [200, 200, 0]]]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.2, 1.0], (0, 51, 255)),  # fractions
        ([0.0, 51.4, 200.0], (0, 51, 200)),  # levels
        ([0.0, 1024.0, 4095.0], (0, 64, 255)),  # levels of 12 bits
        ([-0.5, 0.0, 0.5], (0, 128, 255)),  # from the least to the largest
        ([0.0, 20_000.0, 100_000.0], (0, 51, 255)),
        ([np.nan, 0.2, 1.0], (51, 51, 255)),  # no number is as the least
        ([np.nan, np.nan, np.inf], (0, 0, 0)),
        ([-3.0, -3.0, -3.0], (0, 0, 0)),
    ],
)
def test_grey_of_32_bit_floats_is_made_visible(
    values: list[float], expected: tuple[int, ...]
) -> None:
    content = encode(Image.fromarray(np.array([values], np.float32)), "TIFF")
    assert pixels(content) == grey(*expected)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0, 7, 255], (0, 7, 255)), ([0, 256, 65535], (0, 1, 255)), ([-100, 0, 400], (0, 51, 255))],
)
def test_grey_of_32_bit_integers_is_made_visible(
    values: list[int], expected: tuple[int, ...]
) -> None:
    content = encode(Image.fromarray(np.array([values], np.int32)), "TIFF")
    assert pixels(content) == grey(*expected)


def test_16_bit_grey_whose_white_is_zero_is_turned_round() -> None:
    row = Image.fromarray(np.array([[0, 100 * 256, 65535]], np.uint16))
    assert pixels(encode(row, "TIFF", tiffinfo={262: 0})) == grey(255, 155, 0)


def test_a_cmyk_tiff_becomes_rgb() -> None:
    picture = Image.new("CMYK", (1, 1), (0, 255, 255, 0))
    assert pixels(encode(picture, "TIFF")) == [[[255, 0, 0]]]


def test_a_lab_tiff_becomes_rgb() -> None:
    picture = Image.merge("LAB", [Image.new("L", (1, 1), value) for value in (255, 128, 128)])
    np.testing.assert_allclose(pixels(encode(picture, "TIFF")), [[[255, 255, 255]]], atol=2)


@pytest.mark.parametrize(
    ("seen", "ground"),
    [((255, 255, 255), 0), ((250, 250, 250), 0), ((0, 0, 0), 255), ((200, 100, 50), 255)],
)
def test_what_cannot_be_seen_on_white_lies_on_black(seen: tuple[int, ...], ground: int) -> None:
    picture = Image.new("RGBA", (2, 1), (*seen, 0))
    picture.putpixel((0, 0), (*seen, 255))
    assert pixels(encode(picture)) == [[list(seen), [ground] * 3]]


def test_a_white_icon_of_16_bits_lies_on_black() -> None:
    assert pixels(png_of_16_bits(2, 65535, 65535, 65535, 0)) == grey(255, 0)


@pytest.mark.parametrize(
    "part",
    [
        chunk(b"zTXt", b"workflow\0\0" + zlib.compress(bytes(3_000_000))),
        chunk(b"iTXt", b"a\0\1\0\0\0" + zlib.compress(bytes(3_000_000))),
        chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(3_000_000))),
        chunk(b"tEXt", b"Comment\0hi", checksum=1),
        chunk(b"pHYs", bytes(9), checksum=1),
        chunk(b"pHYs", b""),
        chunk(b"eXIf", b"II*\0", checksum=1),
        chunk(b"gAMA", b""),
    ],
    ids=lambda part: part[4:8].decode(),
)
def test_odd_metadata_of_a_png_do_not_count(part: bytes) -> None:
    assert pixels(with_part(encode(two_pixels()), part)) == TWO_PIXELS


def test_a_png_whose_other_metadata_are_odd_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    odd = chunk(b"tEXt", b"Comment\0hi", checksum=1)
    content = with_part(encode(two_pixels(), exif=exif), odd)
    assert pixels(content) == [[[10, 20, 30]], [[200, 100, 50]]]


@pytest.mark.parametrize("kind", [b"IDAT", b"IHDR"])
def test_a_png_damaged_where_its_pixels_are_is_unreadable(kind: bytes) -> None:
    content = bytearray(encode(noise(64)))
    at = content.index(kind) + 12
    content[at : at + 8] = bytes(8)
    with pytest.raises(reading.UnreadableError, match=r"."):
        reading.open_picture(bytes(content))


def exif_of(*entries: bytes) -> bytes:
    tags = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    return b"Exif\0\0II*\0" + struct.pack("<L", 8) + tags


SIDEWAYS = struct.pack("<HHLH2x", 0x0112, 3, 1, 6)


@pytest.mark.filterwarnings("ignore")  # `for_each_picture` drops them
@pytest.mark.parametrize(
    "odd",
    [
        struct.pack("<HHL4s", 282, 2, 4, b"72\0\0"),  # a resolution in letters
        struct.pack("<HHLL", 282, 5, 1, 0xFFFFFFF0),  # … beyond the end
        struct.pack("<HHLL", 0x8769, 4, 1, 0xFFFFFFF0),  # more tags beyond the end
        struct.pack("<HHLL", 271, 99, 1, 0),  # a type that there is not
        struct.pack("<HHLL", 34853, 2, 4, 0),
        struct.pack("<HHLL", 700, 7, 0xFFFFFFFF, 0),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_with_an_odd_tag_is_turned_upright(odd: bytes, kind: str) -> None:
    stored = Image.new("RGB", (32, 16), "black")
    stored.paste("white", (0, 0, 16, 16))  # left, which orientation 6 puts on top
    content = encode(stored, kind, exif=exif_of(SIDEWAYS, odd))
    opened = np.asarray(reading.open_picture(content))
    assert opened.shape == (32, 16, 3)
    assert opened[:14].min() > 240
    assert opened[18:].max() < 15


@pytest.mark.filterwarnings("ignore")  # `for_each_picture` drops them
def test_a_turned_tiff_is_turned_once() -> None:
    opened = reading.open_picture(encode(two_pixels(), "TIFF", tiffinfo={0x0112: 6}))
    assert np.asarray(opened).tolist() == [[[10, 20, 30]], [[200, 100, 50]]]


def test_metadata_that_stop_a_jpeg_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow fails on some; which ones differs between its versions."""
    content = encode(noise(16).resize((16, 8)), "JPEG", exif=exif_of(SIDEWAYS))
    expected = pixels(content)
    assert np.shape(expected) == (16, 8, 3)
    factory, accept = Image.OPEN["JPEG"]

    def fails_on_exif(file: io.BytesIO, name: str) -> Any:
        if b"Exif" in file.getvalue():
            raise ValueError("odd")
        return factory(file, name)

    monkeypatch.setitem(Image.OPEN, "JPEG", (fails_on_exif, accept))
    assert pixels(content) == expected


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_ordinary_pictures_are_as_pillow_decodes_them(kind: str, mode: str) -> None:
    content = encode(noise(32).convert(mode), kind)
    np.testing.assert_array_equal(
        np.asarray(reading.open_picture(content)),
        np.asarray(Image.open(io.BytesIO(content)).convert("RGB")),
    )


def test_bytes_after_the_end_do_not_count() -> None:
    content = encode(noise(32), "JPEG")
    assert pixels(content + b"more" * 100) == pixels(content)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF"])
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
