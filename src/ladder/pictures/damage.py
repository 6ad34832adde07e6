"""What damaged JPEG and PNG files do not say when they are opened: decoders fill the gaps in.

libjpeg warns of data that do not fit, and goes on; Pillow does not pass the warnings on. They tell
of a damaged block, of bytes lost or exchanged. Two kinds are of no weight: an odd revision number,
and what follows the end of the picture. Between the two are surplus bytes right before the end:
cameras write some after a sound picture, and a damaged one may leave some.

A block of zeros may fit all the same. In a JPEG file zeros are the first code of its tables again
and again. Where that code does not mean "as before, nothing new", no picture has so many.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import simplejpeg

from ladder.pictures import containers

ZEROS = bytes(64)  # at 3 bits or more a value, nearly three blocks of 64 values in which all differ
_CERTAIN = re.compile(
    r"Corrupt JPEG data: (premature end of data segment|bad Huffman code|found marker .*"
    r"|\d+ extraneous bytes before marker 0x(?!d9).*)"
)
_POSSIBLE = re.compile(r"Corrupt JPEG data: \d+ extraneous bytes before marker 0xd9")
_SEQUENTIAL, _PROGRESSIVE = {0xC0, 0xC1}, 0xC2  # markers of frames with Huffman codes


class Damage(NamedTuple):
    """What a decoder stumbled over, and whether pixels are wrong for certain."""

    message: str
    certain: bool


def damage(content: bytes, kind: str) -> Damage | None:
    """Returns what is damaged in the file of a picture that could be decoded; None if nothing.

    `kind` is what `formats.sniff` calls the format. Only JPEG and PNG are looked at.
    """
    if kind == "JPEG":
        return _of_jpeg(content)
    if kind == "PNG":
        pixels = (chunk for chunk in containers.png_chunks(content) if chunk.kind == b"IDAT")
        if not all(chunk.sound for chunk in pixels):
            return Damage("wrong checksum of the pixels", certain=False)
    return None


def _of_jpeg(content: bytes) -> Damage | None:
    warning = _warning(content)
    if found := _CERTAIN.match(warning):
        return Damage(f"damaged JPEG data: {found[1]}", certain=True)
    if has_zeroed_block(content):
        return Damage("damaged JPEG data: a block of zeros", certain=True)
    if _POSSIBLE.match(warning):
        return Damage("surplus bytes before the end of its data", certain=False)
    return None


def _warning(content: bytes) -> str:
    """Returns the last of libjpeg's warnings, or why it cannot decode the file; else nothing."""
    try:
        _, _, colours, _ = simplejpeg.decode_jpeg_header(content, strict=False)
        target = "CMYK" if colours in ("CMYK", "YCCK") else "GRAY"
        simplejpeg.decode_jpeg(content, target, min_factor=8, strict=True)  # small: the data count
    except ValueError as error:
        return str(error)
    return ""


def has_zeroed_block(content: bytes) -> bool:
    """Returns whether a JPEG file's data hold more zeros than a picture of its tables can have."""
    if ZEROS not in content:
        return False
    frame = 0
    first_codes: dict[int, int] = {}
    segments = list(containers.jpeg_segments(content))
    for i, segment in enumerate(segments):
        if segment.marker in (*_SEQUENTIAL, _PROGRESSIVE):
            frame = segment.marker
        elif segment.marker == containers.DHT:
            first_codes |= dict(_first_codes(segment.body))
        elif segment.marker == containers.SOS and frame:
            end = segments[i + 1].start if i + 1 < len(segments) else len(content)
            zeros = ZEROS in content[segment.end : end]
            if zeros and not _may_be_zeros(segment.body, frame == _PROGRESSIVE, first_codes):
                return True
    return False


def _first_codes(tables: bytes) -> Iterator[tuple[int, int]]:
    """Yields each table's number (16 and up: of AC) and the value that its all-zeros code means."""
    while len(tables) > 17:
        length = 17 + sum(tables[1:17])
        yield tables[0], tables[17]
        tables = tables[length:]


def _may_be_zeros(scan: bytes, progressive: bool, first_codes: Mapping[int, int]) -> bool:
    """Returns whether a scan of an even area can be all zeros: its first codes mean no change."""
    count = scan[0]
    if len(scan) != 4 + 2 * count:
        return True  # no scan that is known
    first, _, refined = scan[1 + 2 * count :]
    if progressive and refined >> 4:
        return True  # bits that are added to known values, which zeros may be
    used = scan[2 : 2 + 2 * count : 2]
    numbers = []
    if not (progressive and first):  # a progressive scan has either first values (DC) or the others
        numbers += [tables >> 4 for tables in used]
    if not progressive or first:
        numbers += [16 + (tables & 15) for tables in used]
    return not any(first_codes.get(number, 0) & 15 for number in numbers)
