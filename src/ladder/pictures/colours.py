"""Pixels of any kind become 8-bit RGB here, by stated rules that keep what can be seen.

Values of more than 8 bits lose their lowest bits: of 8, 10, 12, 14 and 16 bits the fewest count
that hold the picture's largest value, and the upper 8 of them are kept. So a picture that uses all
16 is divided by 256, and one that holds 0 to 255 in 16 bits stays what it was.

Grey of 32 bits: fractions from 0 to 1 are multiplied by 255; values from 0 to 65535 are as of 16
bits; all others are stretched from the picture's least, black, to its largest, white. What is no
number is the least.

CMYK in JPEG is taken as Adobe writes it, inverted, as Pillow does.

Transparency becomes white; black where nothing could be seen on white but something on black.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

VISIBLE = 16  # of 255: what can be seen differs this much between its brightest and darkest pixel
DEPTHS = (8, 10, 12, 14, 16)  # bits
_BITS, _WHITE_IS_ZERO, _SAMPLE_FORMAT = 258, 262, 339  # TIFF's tags
_SIGNED = 2  # TIFF's sample format

Pixels = NDArray[Any]


def to_rgb(picture: Image.Image, content: bytes) -> Image.Image:
    """Returns a decoded picture as 8-bit RGB; `content` is the file that it was decoded from."""
    if picture.mode.startswith(("I", "F")):
        picture = _from_grey(picture)
    elif _has_16_bits(picture, content):
        picture = _from_16_bits(picture, content)
    elif picture.mode == "LAB":
        lab, rgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        picture = ImageCms.profileToProfile(picture, lab, rgb, outputMode="RGB") or picture
    if picture.has_transparency_data:
        return _without_transparency(picture.convert("RGBA"))
    return picture.convert("RGB")


def _from_grey(picture: Image.Image) -> Image.Image:
    """Returns grey of 16 or 32 bits as 8 bits, with alpha where one value is transparent."""
    tags = getattr(picture, "tag_v2", {})
    values = np.asarray(picture)
    if values.dtype == np.int32 and tags and tags.get(_SAMPLE_FORMAT, (1,))[0] != _SIGNED:
        bits = tags.get(_BITS, (0,))[0]
        values = values.view(np.uint32) if bits == 32 else values
    grey = grey_of(values)
    if tags.get(_WHITE_IS_ZERO) == 0:
        grey = 255 - grey
    image = Image.fromarray(grey)
    transparent = picture.info.get("transparency")
    if isinstance(transparent, int):
        alpha = np.where(values == transparent, 0, 255).astype(np.uint8)
        return Image.merge("LA", [image, Image.fromarray(alpha)])
    return image


def grey_of(values: Pixels) -> NDArray[np.uint8]:
    """Returns grey values of any type as 8 bits, by the rules above, in the same shape."""
    numbers = np.isfinite(values)
    if not numbers.any():
        return np.zeros(values.shape, np.uint8)
    low, high = values[numbers].min(), values[numbers].max()
    values = np.where(numbers, values, low)
    if low < 0 or high >= 2 ** DEPTHS[-1]:
        spread = np.float64(high) - np.float64(low)
        share = (values - np.float64(low)) / (spread or 1)
    elif values.dtype.kind == "f" and high <= 1:
        share = values
    else:
        return upper_bits(values.astype(np.uint16))
    grey: NDArray[np.uint8] = np.rint(255 * share).astype(np.uint8)
    return grey


def upper_bits(values: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Returns the upper 8 of the 8, 10, 12, 14 or 16 bits that hold the largest value."""
    depth = next(bits for bits in DEPTHS if int(values.max()) < 2**bits)
    upper: NDArray[np.uint8] = (values >> (depth - 8)).astype(np.uint8)
    return upper


def _has_16_bits(picture: Image.Image, content: bytes) -> bool:
    if picture.format == "PNG":
        return content[24:25] == b"\x10"
    return 16 in getattr(picture, "tag_v2", {}).get(_BITS, ())


def _from_16_bits(picture: Image.Image, content: bytes) -> Image.Image:
    """Returns colours, or grey with alpha, of 16 bits as 8: Pillow has kept the upper 8 of 16.

    Where these are small, or one colour is transparent, the file is decoded again by OpenCV. What
    Pillow has decoded stands where OpenCV's upper bytes are others.
    """
    upper = np.asarray(picture)
    full = 2 ** (DEPTHS[-2] - 8)  # from here on the largest value needs all 16 bits
    channels = [upper[..., :3], *([upper[..., 3]] if picture.mode == "RGBA" else [])]
    transparent = "transparency" in picture.info
    if picture.mode not in ("RGB", "RGBA"):
        return picture
    if not transparent and all(channel.max() >= full for channel in channels):
        return picture
    whole = _by_opencv(content)
    if whole is None or whole.dtype != np.uint16 or whole.ndim != 3:
        return picture
    whole = whole[..., [2, 1, 0, *range(3, whole.shape[2])]]  # OpenCV has blue first
    known = whole[..., : upper.shape[2]]
    if known.shape != upper.shape or (known >> 8 != upper).any():
        return picture
    colours = upper_bits(whole[..., :3])
    if whole.shape[2] == 3:
        return Image.fromarray(colours)
    alpha = upper_bits(whole[..., 3])
    return Image.fromarray(np.dstack([colours, alpha]))


def _by_opencv(content: bytes) -> Pixels | None:
    """Returns the pixels of a file in their own type, blue first; None if it cannot be read.

    Raises:
        ModuleNotFoundError: OpenCV is not there, as where an exported model is used.
    """
    try:
        import cv2
    except ModuleNotFoundError:
        message = "16 bits: pip install opencv-python-headless"
        raise ModuleNotFoundError(message) from None
    pixels: Pixels | None = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    return pixels


def _without_transparency(picture: Image.Image) -> Image.Image:
    white = _laid_on("white", picture)
    if _spread(white) >= VISIBLE:
        return white
    black = _laid_on("black", picture)
    return black if _spread(black) > _spread(white) else white


def _laid_on(ground: str, picture: Image.Image) -> Image.Image:
    return Image.alpha_composite(Image.new("RGBA", picture.size, ground), picture).convert("RGB")


def _spread(picture: Image.Image) -> int:
    """Returns the largest difference within a channel, 0 to 255."""
    return int(np.ptp(np.reshape(picture.getextrema(), (-1, 2)), axis=1).max())
