"""The parts that JPEG and PNG files are made of: which decide pixels, and which only describe."""

import re
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

SOS, DHT, EOI = 0xDA, 0xC4, 0xD9  # markers of JPEG: a scan, tables of codes, the end
_ALONE = {0x01, *range(0xD0, 0xD9)}  # markers without a length
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.S)  # after a scan's data

_PNG_START = b"\x89PNG\r\n\x1a\n"
_ORIENTED = (b"XML:com.adobe.xmp\0\0", b"Raw profile type exif\0", b"Raw profile type APP1\0")


class Segment(NamedTuple):
    """A part of a JPEG file: its marker, its body, and where the file's bytes of it lie."""

    marker: int
    body: bytes
    start: int  # of the marker
    end: int  # of the body; a scan's data follow it


class Chunk(NamedTuple):
    """A part of a PNG file: its kind, its body, all its bytes, and if its checksum is right."""

    kind: bytes
    body: bytes
    whole: bytes
    sound: bool


def jpeg_segments(content: bytes) -> Iterator[Segment]:
    """Yields the segments of a JPEG file in order, its end included, or until they break off."""
    at = 2
    while found := _NEXT_MARKER.search(content, at):
        at, marker = found.start(), content[found.start() + 1]
        if marker == EOI:
            yield Segment(marker, b"", at, at + 2)
            return
        if marker in _ALONE:
            at += 2
            continue
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        if end > len(content) or end < at + 4:
            return
        yield Segment(marker, content[at + 4 : end], at, end)
        at = end


def png_chunks(content: bytes) -> Iterator[Chunk]:
    """Yields the chunks of a PNG file in order, up to its end or to where they break off."""
    at = len(_PNG_START)
    while at + 12 <= len(content):
        end = at + 12 + int.from_bytes(content[at : at + 4], "big")
        if end > len(content):
            return
        whole = content[at:end]
        checksum = zlib.crc32(memoryview(whole)[4:-4])
        kind = whole[4:8]
        yield Chunk(kind, whole[8:-4], whole, checksum == int.from_bytes(whole[-4:], "big"))
        if kind == b"IEND":
            return
        at = end


def without_metadata(content: bytes) -> bytes:
    """Returns a JPEG or PNG file without what does not decide its pixels; other files as they are.

    PNG keeps what may say how the picture is turned; for JPEG there is `orientation`.
    """
    if content.startswith(_PNG_START):
        return _bare_png(content)
    if content.startswith(b"\xff\xd8"):
        return _bare_jpeg(content)
    return content


def _bare_png(content: bytes) -> bytes:
    parts, taken = [_PNG_START], len(_PNG_START)
    for chunk in png_chunks(content):
        taken += len(chunk.whole)
        critical = chunk.kind[:1].isupper()  # as the format has it
        turned = chunk.kind == b"eXIf" or (
            chunk.kind in (b"iTXt", b"zTXt", b"tEXt") and chunk.body.startswith(_ORIENTED)
        )
        if critical or chunk.kind == b"tRNS" or (turned and chunk.sound):
            parts.append(chunk.whole)
    return b"".join([*parts, content[taken:]])


def _bare_jpeg(content: bytes) -> bytes:
    parts = [content[:2]]
    for segment in jpeg_segments(content):
        if segment.marker == SOS:
            return b"".join([*parts, content[segment.start :]])
        # What JFIF and Adobe write says which colours the channels are.
        colours = segment.body.startswith((b"JFIF\0", b"Adobe"))
        if colours or not (0xE0 <= segment.marker <= 0xEF or segment.marker == 0xFE):
            parts.append(content[segment.start : segment.end])
    return content


def orientation(content: bytes) -> int:
    """Returns the Exif orientation, 1 to 8, of a JPEG file, whatever its other tags hold; else 1.

    Pillow reads it too. This is for files whose other metadata keep Pillow from it.
    """
    for segment in jpeg_segments(content):
        if segment.marker == SOS:
            break
        if segment.marker == 0xE1 and segment.body.startswith(b"Exif\0\0"):
            return exif_orientation(segment.body[6:])
    return 1


def exif_orientation(exif: bytes) -> int:
    """Returns the orientation, 1 to 8, of Exif data that begin with their byte order; else 1."""
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    try:
        if order is not None:
            (at,) = struct.unpack_from(f"{order}L", exif, 4)
            (count,) = struct.unpack_from(f"{order}H", exif, at)
            for i in range(count):
                tag, kind, _, value = struct.unpack_from(f"{order}HHLH", exif, at + 2 + 12 * i)
                if tag == 0x0112 and kind == 3 and 1 <= value <= 8:
                    return int(value)
    except struct.error:  # cut
        pass
    return 1
