import io
import itertools
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from ladder.pictures import containers


def encoded(kind: str, **options: Any) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (24, 16, 3), np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, kind, **options)
    return content.getvalue()


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F] = "a maker"
    exif[0x0112] = orientation
    return exif


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}])
def test_a_jpeg_is_taken_apart_and_each_byte_lies_once(options: dict[str, Any]) -> None:
    content = encoded("JPEG", exif=turned(6), comment=b"\xff\xd9", **options)
    segments = list(containers.jpeg_segments(content))
    assert segments[-1].marker == containers.EOI
    assert segments[-1].end == len(content)
    for segment, following in itertools.pairwise(segments):
        assert content[segment.start : segment.start + 2] == bytes([0xFF, segment.marker])
        assert content[segment.start + 4 : segment.end] == segment.body
        scan = segment.marker == containers.SOS
        assert following.start > segment.end if scan else following.start == segment.end
    scans = sum(segment.marker == containers.SOS for segment in segments)
    assert scans > 1 if "progressive" in options else scans == 1


def test_a_png_is_taken_apart_and_each_byte_lies_once() -> None:
    content = encoded("PNG")
    chunks = list(containers.png_chunks(content + b"more"))
    assert b"".join(chunk.whole for chunk in chunks) == content[8:]
    assert [chunk.kind for chunk in chunks] == [b"IHDR", b"IDAT", b"IEND"]
    assert all(chunk.sound for chunk in chunks)
    assert len(zlib.decompress(chunks[1].body)) == 24 * (1 + 3 * 16)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_metadata_go_and_pixels_stay(kind: str) -> None:
    about = PngImagePlugin.PngInfo()
    about.add_text("Comment", "x" * 1000, zip=False)
    more = {"pnginfo": about} if kind == "PNG" else {"comment": b"x" * 1000}
    content = encoded(kind, exif=turned(1), icc_profile=b"x" * 1000, **more)
    bare = containers.without_metadata(content)
    assert len(bare) < len(content) - 1000
    before, after = (np.asarray(Image.open(io.BytesIO(file))) for file in (content, bare))
    np.testing.assert_array_equal(before, after)
    assert containers.without_metadata(bare) == bare


def test_other_files_stay_as_they_are() -> None:
    content = encoded("BMP")
    assert containers.without_metadata(content) == content


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
def test_the_orientation_is_read_in_both_byte_orders(orientation: int, order: str) -> None:
    exif = turned(orientation)
    exif.endian = order
    assert containers.orientation(encoded("JPEG", exif=exif)) == orientation


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"II*\0",
        b"XX*\0" + bytes(20),
        struct.pack("<2sHLH", b"II", 42, 8, 9),
        struct.pack("<2sHLHHHLH", b"II", 42, 8, 1, 0x0112, 3, 1, 9),
        struct.pack("<2sHL", b"II", 42, 0xFFFFFFFF),
    ],
)
def test_odd_exif_says_upright(exif: bytes) -> None:
    assert containers.exif_orientation(exif) == 1


def test_no_cut_stops_the_search_for_parts() -> None:
    for kind in ("JPEG", "PNG"):
        content = encoded(kind, exif=turned(3))
        for end in range(0, len(content), 7):
            list(containers.jpeg_segments(content[:end]))
            list(containers.png_chunks(content[:end]))
            containers.without_metadata(content[:end])
            assert containers.orientation(content[:end]) in (1, 3)
