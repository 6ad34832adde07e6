"""Opens pictures that may be anything, and says why one cannot be used."""

import io
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

from ladder.pictures import colours, containers, formats

FORMATS = formats.READ  # by content, whatever the name says
BYTES = 200_000_000  # of a file
PIXELS = 40_000_000

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION = 0x0112  # tags of Exif and TIFF
_NEW_SUBFILE_TYPE, _DNG_VERSION = 0x00FE, 0xC612


class UnreadableError(Exception):
    """A picture cannot be used; the message is the reason."""


class Opened(NamedTuple):
    """A picture as 8-bit RGB, upright, with what its file is."""

    rgb: Image.Image
    format: str  # a name that `formats.sniff` gives
    mode: str  # Pillow's name of the file's kind of pixels: RGB, P, I;16 …


def open_picture(content: bytes) -> Image.Image:
    """Returns the whole picture as 8-bit RGB, upright, transparency on white, first frame.

    More than 8 bits, and white on nothing, become 8 bits by the rules of `colours`. Metadata do not
    count: damaged ones keep no picture from being read.

    Raises:
        UnreadableError: empty, of a format that is not read, cut, damaged or too large.
    """
    return open_with_kind(content).rgb


def open_with_kind(content: bytes) -> Opened:
    """Returns what `open_picture` does, with the format and the mode of the file.

    Raises:
        UnreadableError: as `open_picture`.
    """
    if not content:
        raise UnreadableError("empty file")
    if len(content) > BYTES:
        raise UnreadableError(f"{len(content):,} bytes, more than {BYTES:,}")
    head = content[: formats.HEAD]
    kind = formats.sniff(head)
    if kind is None or not (kind in FORMATS or (kind == formats.HEIC and _reads_heic())):
        raise UnreadableError(formats.refusal(head))
    try:
        return _open(content, kind)
    except UnreadableError:
        raise
    except Exception as error:  # a decoder may raise anything on bytes made to break it
        bare = containers.without_metadata(content)
        if bare != content:
            try:
                return _open(bare, kind, containers.orientation(content) if kind == "JPEG" else 1)
            except UnreadableError:
                raise
            except Exception as again:  # the whole file's error says more
                raise UnreadableError(_reason(error, kind)) from again
        raise UnreadableError(_reason(error, kind)) from error


def _reads_heic() -> bool:
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True


def _open(content: bytes, kind: str, orientation: int = 1) -> Opened:
    opener = "HEIF" if kind == formats.HEIC else kind
    with Image.open(io.BytesIO(content), formats=(opener,)) as picture:
        if picture.width * picture.height > PIXELS:
            raise UnreadableError(f"{picture.width} x {picture.height} pixels, over {PIXELS:,}")
        _refuse_copy(picture)
        mode = picture.mode
        picture.load()
        orientation = _orientation(picture) or orientation
        rgb = colours.to_rgb(picture, content)
    turn = _TURNS.get(orientation)
    return Opened(rgb if turn is None else rgb.transpose(turn), kind, mode)


def _refuse_copy(picture: Image.Image) -> None:
    """Cameras' raw files may be TIFF whose first picture is a small copy: that is not the picture.

    Raises:
        UnreadableError: the picture is such a copy.
    """
    tags = getattr(picture, "tag_v2", {})
    if _DNG_VERSION in tags:
        raise UnreadableError("DNG, a camera's raw file, is not read")
    kind = tags.get(_NEW_SUBFILE_TYPE)
    if isinstance(kind, int) and kind & 1:
        raise UnreadableError("TIFF that begins with a reduced copy, as cameras' raw files do")


def _orientation(picture: Image.Image) -> int | None:
    """Returns how the picture is turned, 2 to 8, by Exif or XMP; None if upright or not known."""
    try:
        value = picture.getexif().get(_ORIENTATION)
    except Exception:  # whatever Pillow makes of odd tags
        value = containers.exif_orientation(picture.info.get("exif", b"").removeprefix(b"Exif\0\0"))
    value = value[0] if isinstance(value, bytes | tuple) and value else value
    return int(value) if isinstance(value, int) and value in _TURNS else None


def _reason(error: Exception, kind: str) -> str:
    if isinstance(error, UnidentifiedImageError):
        return f"{kind} that breaks off or is damaged at its beginning"
    return str(error) or type(error).__name__
