import numpy as np
import pandas as pd
import pytest

from ladder import settings
from ladder.evidence import book

SPLIT = settings.Split(
    train=1000,
    validation=500,
    test=500,
    group=None,
    hash_distance=None,
    unreadable_share=0.5,
    train_used_per_class=None,
    shuffle_train_labels=False,
    corrections=None,
)


def with_bits_turned(digits: str, count: int) -> str:
    """Returns a hash of which so many bits differ."""
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(digits), np.uint8))
    bits[:count] ^= 1
    return np.packbits(bits).tobytes().hex()


def tables(bits: int = 0, others: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns manifest and examination of the book's pictures, some of them others."""
    hashes = [with_bits_turned(digits, bits) for digits in book.HASHES.values()]
    hashes[:others] = [with_bits_turned(digits, 128) for digits in hashes[:others]]
    paths = [f"train/{name}.jpg" for name in book.HASHES]
    class_names = [name.partition(".")[0] for name in book.HASHES]
    manifest = pd.DataFrame(
        {"id": [*book.HASHES], "path": paths, "class_name": class_names, "subset": "test"}
    )
    return manifest, pd.DataFrame({"path": paths, "hash": hashes})


@pytest.mark.parametrize(
    ("bits", "others", "expected"),
    [(0, 0, True), (40, 0, True), (80, 0, False), (0, 1, True), (0, 2, False), (0, 16, False)],
)
def test_the_books_pictures_are_known_by_their_looks(
    bits: int, others: int, expected: bool
) -> None:
    assert book.is_book(SPLIT, *tables(bits, others)) is expected


@pytest.mark.parametrize(
    "change",
    [
        {"train": 999},
        {"validation": 499},
        {"test": 501},
        {"train": 0.5, "validation": 0.25, "test": 0.25},
        {"train_used_per_class": 500},
        {"shuffle_train_labels": 1},
    ],
)
def test_another_split_is_not_the_books(change: dict[str, object]) -> None:
    assert not book.is_book(SPLIT.model_copy(update=change), *tables())


def test_other_names_numbers_or_classes_are_not_the_books() -> None:
    manifest, examined = tables()
    renamed = manifest.assign(id=manifest["id"].str.replace("cat", "eel"))
    assert not book.is_book(SPLIT, renamed, examined)
    of_train = manifest.assign(subset="train")
    assert not book.is_book(SPLIT, of_train, examined)
    of_one = manifest.assign(class_name="cat")
    assert not book.is_book(SPLIT, of_one, examined)
