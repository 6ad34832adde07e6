"""Draws the small folder of labelled pictures that docs/own-pictures.md follows.

Run `python docs/own_pictures.py FOLDER`. It draws three kinds of striped cloth, of which there are
unequal numbers, as JPEG. The same command draws the same files everywhere.
"""

import argparse
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from ladder.pictures import drawing

COUNTS = {"awning": 60, "deckchair": 40, "ticking": 20}  # pictures of each class
MORE, NEW = 10, 2  # of each class, that are added later, and that are new
SIZE = 96  # pixels
NOISE = 60  # standard deviation, of 255 levels: else every network knows every picture
FILM = b"\0\0\0\x18ftypisom\0\0\x02\0isommp41" + bytes(1000)


def jpeg(kind: int, number: int) -> bytes:
    """Returns a picture of a class, counted from 0; no two of them are alike."""
    random = np.random.default_rng([kind, number])
    stripes = drawing.draw(kind, SIZE, random)[..., random.permutation(3)]  # no colour tells
    pixels = (stripes + random.normal(0, NOISE, stripes.shape)).clip(0, 255).astype(np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "JPEG", quality=90)
    return content.getvalue()


def pictures(start: int, counts: dict[str, int]) -> Iterator[tuple[str, bytes]]:
    """Yields names such as awning/000.jpg, numbered from `start`, with their content."""
    for kind, (class_name, count) in enumerate(counts.items()):
        for number in range(start, start + count):
            yield f"{class_name}/{number:03}.jpg", jpeg(kind, number)


def whole() -> dict[str, bytes]:
    """Returns the files of the folder by their names.

    One picture stands there under two names, another one breaks off, and a film lies among them.
    """
    files = dict(pictures(0, COUNTS))
    files["awning/000 copy.jpg"] = files["awning/000.jpg"]
    files["deckchair/007.jpg"] = files["deckchair/007.jpg"][:1500]
    files["deckchair/windy day.mp4"] = FILM
    return files


def more() -> dict[str, bytes]:
    """Returns pictures that are added to the folder, by their names."""
    return dict(pictures(100, dict.fromkeys(COUNTS, MORE)))


def new() -> dict[str, bytes]:
    """Returns pictures that no network has seen, by names that do not tell the class."""
    drawn = pictures(200, dict.fromkeys(COUNTS, NEW))
    return {f"{number}.jpg": content for number, (_, content) in enumerate(drawn, 1)}


def main() -> None:
    """Writes one of the three sets of files into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where to write; it is made if it is not there")
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--more", action="store_true", help=f"{MORE} more pictures of each class")
    choice.add_argument("--new", action="store_true", help=f"{NEW} of each class, without labels")
    arguments = parser.parse_args()
    files = more() if arguments.more else new() if arguments.new else whole()
    for name, content in files.items():
        path = arguments.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    print(f"{len(files)} files in {arguments.folder}")


if __name__ == "__main__":
    main()
