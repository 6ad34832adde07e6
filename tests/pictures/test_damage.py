import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from ladder.pictures import damage, reading

KINDS: list[tuple[str, dict[str, Any]]] = [
    ("RGB", {}),
    ("RGB", {"optimize": True}),
    ("RGB", {"progressive": True}),
    ("RGB", {"restart_marker_rows": 1}),
    ("L", {}),
    ("CMYK", {}),
]


def photograph(seed: int = 0) -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 256, (300, 400, 3), np.uint8)
    return Image.fromarray(noise).filter(ImageFilter.GaussianBlur(1))


def encoded(picture: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    content = io.BytesIO()
    picture.save(content, kind, **options)
    return content.getvalue()


def data_of(content: bytes | bytearray) -> int:
    """Returns where the data of a JPEG file's first scan begin."""
    scan = content.index(b"\xff\xda")
    return scan + 2 + int.from_bytes(content[scan + 2 : scan + 4], "big")


@pytest.mark.parametrize(("mode", "options"), KINDS)
@pytest.mark.parametrize("size", [1, 8, 300])
def test_a_sound_jpeg_is_not_damaged(mode: str, options: dict[str, Any], size: int) -> None:
    content = encoded(photograph().convert(mode).crop((0, 0, size, size)), **options)
    assert damage.damage(content, "JPEG") is None
    assert damage.damage(content + b"after the end\0" * 100, "JPEG") is None


@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"progressive": True}])
@pytest.mark.parametrize("colour", ["white", "black", "red"])
def test_a_large_even_area_is_no_zeroed_block(options: dict[str, Any], colour: str) -> None:
    picture = Image.new("RGB", (1600, 1200), colour)
    picture.paste(photograph(), (500, 500))
    assert damage.damage(encoded(picture, **options), "JPEG") is None
    content = encoded(Image.new("RGB", (1600, 1200), colour), **options)
    assert damage.damage(content, "JPEG") is None


@pytest.mark.parametrize(("mode", "options"), KINDS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_zeroed_block_is_told(mode: str, options: dict[str, Any], share: float) -> None:
    content = bytearray(encoded(photograph().convert(mode), **options))
    start = data_of(content)
    at = start + int(share * (len(content) - start - 4096))
    content[at : at + 4096] = bytes(4096)
    reading.open_picture(bytes(content))  # without a word
    found = damage.damage(bytes(content), "JPEG")
    assert found is not None
    if "progressive" not in options:
        assert found.certain
        assert found.message.startswith("damaged JPEG data: ")


@pytest.mark.parametrize("seed", range(20))
def test_a_zeroed_block_is_told_where_all_data_are_used(seed: int) -> None:
    """Then libjpeg has nothing to warn of."""
    content = bytearray(encoded(photograph(seed)))
    at = data_of(content) + 1000 * seed
    content[at : at + 80] = bytes(80)
    found = damage.damage(bytes(content), "JPEG")
    assert found is not None
    assert found.certain


@pytest.mark.parametrize(("mode", "options"), KINDS)
def test_lost_bytes_are_told(mode: str, options: dict[str, Any]) -> None:
    content = encoded(photograph().convert(mode), **options)
    at = (data_of(content) + len(content)) // 2
    found = damage.damage(content[:at] + content[at + 500 :], "JPEG")
    assert found is not None


def test_surplus_bytes_before_the_end_may_be_harmless() -> None:
    content = encoded(photograph())
    padded = content[:-2] + b"\x12\x34" * 50 + content[-2:]
    np.testing.assert_array_equal(reading.open_picture(padded), reading.open_picture(content))
    message = "surplus bytes before the end of its data"
    assert damage.damage(padded, "JPEG") == damage.Damage(message, certain=False)


def test_an_odd_revision_is_harmless() -> None:
    content = bytearray(encoded(photograph()))
    content[11] = 0  # of JFIF 1.01
    assert damage.damage(bytes(content), "JPEG") is None


def test_a_wrong_checksum_of_a_png_is_told() -> None:
    content = bytearray(encoded(photograph(), "PNG"))
    assert damage.damage(bytes(content), "PNG") is None
    at = content.index(b"IEND") - 8  # the checksum before it
    content[at : at + 4] = b"abcd"
    found = damage.damage(bytes(content), "PNG")
    assert found == damage.Damage("wrong checksum of the pixels", certain=False)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "WEBP", "TIFF"])
def test_other_formats_are_not_looked_at(kind: str) -> None:
    assert damage.damage(encoded(photograph(), kind), kind) is None
