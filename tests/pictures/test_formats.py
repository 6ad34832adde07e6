import io
import re

import pytest
from PIL import Image

from ladder.pictures import formats

ISO = b"\0\0\0\x1cftyp"  # what every file of the ISO base media format begins with


def encoded(kind: str) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(content, kind)
    return content.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF"])
def test_a_format_that_is_read_is_known_by_64_bytes(kind: str) -> None:
    assert formats.sniff(encoded(kind)[:64]) == kind
    assert kind in formats.READ


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("AVIF", "AVIF"),
        ("JPEG2000", "JPEG 2000"),
        ("ICO", "ICO"),
        ("PPM", "PNM"),
        ("PCX", "PCX"),
        ("DDS", "DDS"),
        ("ICNS", "ICNS"),
        ("PDF", "PDF"),
        ("EPS", "EPS"),
        ("QOI", "QOI"),
    ],
)
def test_a_format_that_pillow_writes_is_known(kind: str, name: str) -> None:
    assert formats.sniff(encoded(kind)[:64]) == name
    assert name in formats.NOT_READ


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (ISO + b"heic\0\0\0\0mif1heic", "HEIC"),
        (ISO + b"mif1\0\0\0\0heicmif1", "HEIC"),
        (ISO + b"mif1\0\0\0\0avifmif1", "AVIF"),
        (ISO + b"mif1\0\0\0\0miafmif1", "HEIC"),
        (ISO + b"avif\0\0\0\0mif1avif", "AVIF"),
        (ISO + b"crx \0\0\0\1crx isom", "CR3"),
        (b"\xff\x0a\x00", "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"\xff\x4f\xff\x51", "JPEG 2000"),
        (b"\xff\xd8\xff\xf7", "JPEG-LS"),
        (b"8BPS\0\1", "PSD"),
        (b"II*\0\x10\0\0\0CR\2\0", "CR2"),
        (b"FUJIFILMCCD-RAW 0201", "RAF"),
        (b"IIRO\x08\0\0\0", "ORF"),
        (b"IIU\0\x08\0\0\0", "RW2"),
        (bytes(128) + b"DICM", "DICOM"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", "SVG"),
        (b"\xef\xbb\xbf\n<?xml version='1.0'?>\n<!-- a leaf -->\n<svg width='1'>", "SVG"),
        (b"\1\0\0\0" + bytes(36) + b" EMF", "EMF"),
        (b"MM\0+\0\x08", "TIFF"),
    ],
)
def test_a_known_format_is_named(head: bytes, name: str) -> None:
    assert formats.sniff(head) == name
    assert name in formats.NOT_READ or name in formats.READ


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"", "not a picture of a known format"),
        (b"BMW and other cars", "not a picture of a known format"),
        (b"P3 is a name", "not a picture of a known format"),
        (ISO + b"qt  \0\0\0\0qt  ", "a film"),
        (ISO + b"isom\0\0\0\0avc1", "a film"),
        (b"\0\0\0\x08wide\0\0\0\0mdat", "a film"),
        (b"\x1aE\xdf\xa3", "a film"),
        (b"RIFF\0\0\0\0AVI LIST", "a film"),
        (b"\0\0\1\xba", "a film"),
        (b"PK\3\4", "an archive, not a picture"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code>", "XML, not a picture"),
        (b"  <HTML><svg>", "a web page, not a picture"),
        (b"version https://git-lfs.github.com/spec/v1", "a pointer of Git LFS: run git lfs pull"),
        (bytes(512), "zeros, not a picture"),
    ],
)
def test_what_is_no_picture_is_described(head: bytes, reason: str) -> None:
    assert formats.sniff(head) is None
    assert formats.refusal(head) == reason


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (ISO + b"heic\0\0\0\0mif1heic", "HEIC is not read: pip install pillow-heif"),
        (b"<svg>", "SVG, a drawing, is not read"),
        (b"\xff\x0a", "JPEG XL is not read"),
    ],
)
def test_why_a_format_is_not_read_is_said(head: bytes, reason: str) -> None:
    assert formats.refusal(head) == reason


def test_the_suffixes_of_what_is_read_are_those_of_pillow() -> None:
    known = Image.registered_extensions().items()
    assert {suffix for suffix, name in known if name in (*formats.READ, "MPO")} == set(
        formats.READ_SUFFIXES
    )


def test_suffixes_are_small_letters_after_a_dot() -> None:
    assert all(re.fullmatch(r"\.[a-z0-9]+", suffix) for suffix in formats.SUFFIXES)
    assert {".heic", ".avif", ".svg", ".nef", ".psd", ".tif", ".jpg"} <= formats.SUFFIXES
    assert not {".mov", ".mp4", ".txt", ".zip", ".csv", ".xmp", ".pdf"} & formats.SUFFIXES
