"""Formats of pictures, by the first bytes of a file and by the ending of its name."""

import re

HEAD = 1024  # bytes that `sniff` needs to know every format in the table

READ = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF")
HEIC = "HEIC"  # read where the package pillow-heif is installed

# Formats that are known and not read, and what such a file is.
NOT_READ = {
    HEIC: "",
    "AVIF": "",
    "JPEG XL": "",
    "JPEG 2000": "",
    "JPEG XR": "",
    "JPEG-LS": "",
    "SVG": "a drawing",
    "EPS": "a drawing",
    "WMF": "a drawing",
    "EMF": "a drawing",
    "PDF": "a document",
    "DjVu": "a document",
    "PSD": "a Photoshop file",
    "XCF": "a GIMP file",
    "CR2": "a camera's raw file",
    "CR3": "a camera's raw file",
    "CRW": "a camera's raw file",
    "RAF": "a camera's raw file",
    "ORF": "a camera's raw file",
    "RW2": "a camera's raw file",
    "X3F": "a camera's raw file",
    "MRW": "a camera's raw file",
    "DICOM": "a medical file",
    "FITS": "an astronomical file",
    "ICO": "an icon",
    "CUR": "a mouse pointer",
    "ICNS": "an icon",
    "PNM": "",
    "PCX": "",
    "QOI": "",
    "DDS": "",
    "OpenEXR": "",
    "Radiance HDR": "",
    "MNG": "",
    "BPG": "",
    "FLIF": "",
    "XPM": "",
    "Sun raster": "",
}

# Endings of names, in small letters.
READ_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".bmp", ".gif", ".webp"}
    | {".tif", ".tiff"}
)
HEIC_SUFFIXES = frozenset({".heic", ".heics", ".heif", ".heifs", ".hif"})
_NOT_READ_SUFFIXES = frozenset(
    {".avif", ".avifs", ".jxl", ".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx", ".jxr", ".wdp"}
    | {".jls", ".pnm", ".ppm", ".pgm", ".pbm", ".pam", ".pcx", ".tga", ".qoi", ".dds", ".exr"}
    | {".hdr", ".mng", ".bpg", ".flif", ".xpm", ".xbm", ".ras", ".sgi", ".ico", ".cur", ".icns"}
    | {".dcm", ".dicom", ".fits"}
    | {".svg", ".svgz", ".eps", ".wmf", ".emf", ".psd", ".psb", ".xcf"}  # drawings, editors'
    | {".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".iiq", ".kdc", ".mef"}
    | {".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2", ".rwl", ".sr2", ".srf", ".srw"}
    | {".x3f"}  # cameras' raw files
)
SUFFIXES = READ_SUFFIXES | HEIC_SUFFIXES | _NOT_READ_SUFFIXES  # of names that promise a picture

_STARTS = (  # of files; a longer start stands before a shorter one that it begins with
    (b"\xff\xd8\xff\xf7", "JPEG-LS"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0\x10\0\0\0CR", "CR2"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"IIRO", "ORF"),
    (b"IIRS", "ORF"),
    (b"MMOR", "ORF"),
    (b"IIU\0", "RW2"),
    (b"II\x1a\0\0\0HEAPCCDR", "CRW"),
    (b"II\xbc\x01", "JPEG XR"),
    (b"FUJIFILMCCD-RAW", "RAF"),
    (b"FOVb", "X3F"),
    (b"\0MRM", "MRW"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"8BPS", "PSD"),
    (b"gimp xcf", "XCF"),
    (b"%PDF-", "PDF"),
    (b"%!PS", "EPS"),
    (b"\xc5\xd0\xd3\xc6", "EPS"),
    (b"\xd7\xcd\xc6\x9a", "WMF"),
    (b"AT&TFORM", "DjVu"),
    (b"SIMPLE  =", "FITS"),
    (b"\0\0\2\0", "CUR"),
    (b"icns", "ICNS"),
    (b"qoif", "QOI"),
    (b"DDS \x7c\0\0\0", "DDS"),
    (b"\x76\x2f\x31\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"#?RGBE", "Radiance HDR"),
    (b"\x8aMNG", "MNG"),
    (b"BPG\xfb", "BPG"),
    (b"FLIF", "FLIF"),
    (b"/* XPM */", "XPM"),
    (b"\x59\xa6\x6a\x95", "Sun raster"),
)
_BMP_HEADERS = {12, 40, 52, 56, 64, 108, 124}  # sizes; a text may begin with BM too
_BRANDS = {  # of files of the ISO base media format: the others hold films
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm"), HEIC),
    b"crx ": "CR3",
}
_GENERAL_BRANDS = {b"mif1", b"msf1", b"mif2"}  # pictures of either format
_SPACE = b" \t\r\n"
_NO_PICTURES = (  # other files that lie where a picture should
    (re.compile(rb"<(!doctype html|html|head|body|title|script)\b"), "a web page, not a picture"),
    (re.compile(rb"<\?xml"), "XML, not a picture"),
    (re.compile(rb"version https://git-lfs"), "a pointer of Git LFS: run git lfs pull"),
    (re.compile(rb"....(ftyp|moov|mdat|wide|free|skip)|RIFF....AVI |FLV", re.S), "a film"),
    (re.compile(rb"\x1aE\xdf\xa3|OggS|\x00\x00\x01[\xba\xb3]|\x30\x26\xb2\x75", re.S), "a film"),
    (re.compile(rb"PK\x03\x04|Rar!|7z\xbc\xaf|\x1f\x8b"), "an archive, not a picture"),
    (re.compile(rb"\0{64}"), "zeros, not a picture"),
)


def sniff(head: bytes) -> str | None:
    """Returns the format of a picture by its first `HEAD` bytes; None for what is no picture.

    The name is one of `READ` or a key of `NOT_READ`.
    """
    for start, name in _STARTS:
        if head.startswith(start):
            return name
    if head.startswith(b"BM"):
        return "BMP" if int.from_bytes(head[14:18], "little") in _BMP_HEADERS else None
    if head.startswith(b"RIFF"):
        return "WEBP" if head[8:12] == b"WEBP" else None
    if head[4:8] == b"ftyp":
        return _by_brand(head)
    if head[128:132] == b"DICM":
        return "DICOM"
    if head.startswith(b"\1\0\0\0") and head[40:44] == b" EMF":
        return "EMF"
    if head.startswith(b"\0\0\1\0") and head[4:6] != b"\0\0" and head[9:10] == b"\0":
        return "ICO"
    if re.match(rb"\x0a[\x00-\x05]\x01[\x01\x02\x04\x08]", head):
        return "PCX"
    if re.match(rb"P[1-6]\s+(#|\d)|P7\nWIDTH|P[Ff]\s+\d", head):
        return "PNM"
    return "SVG" if _is_svg(head) else None


def _by_brand(head: bytes) -> str | None:
    size = int.from_bytes(head[:4], "big")
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, min(size, len(head)), 4))]
    if brands[0] in _GENERAL_BRANDS:
        known = [_BRANDS[brand] for brand in brands if brand in _BRANDS]
        return known[0] if known else HEIC
    return _BRANDS.get(brands[0])


def _is_svg(head: bytes) -> bool:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip(_SPACE)
    if text.startswith(b"<svg"):
        return True
    beginning = text.startswith((b"<?xml", b"<!--", b"<!DOCTYPE svg"))
    return beginning and re.search(rb"<(svg|svg:svg|!DOCTYPE svg)\b", text) is not None


def refusal(head: bytes) -> str:
    """Returns why a file that begins with these bytes is not read, in a few words."""
    name = sniff(head)
    if name == HEIC:
        return "HEIC is not read: pip install pillow-heif"
    if name is not None:
        kind = NOT_READ[name]
        return f"{name}, {kind}, is not read" if kind else f"{name} is not read"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip(_SPACE).lower()
    for pattern, reason in _NO_PICTURES:
        if pattern.match(head) or pattern.match(text):
            return reason
    return "not a picture of a known format"
