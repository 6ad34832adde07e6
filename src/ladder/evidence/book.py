"""Whether the pictures are those that the book's figures were measured on."""

import pandas as pd

from ladder import settings
from ladder.pictures import similarity

COUNTS = {"train": 1000, "validation": 500, "test": 500}  # of each class (DLwP 5.2.2)
ALIKE = 0.9  # of these pictures
HASH_DISTANCE = 70  # bits of 256: the same photograph at any size, from Microsoft or Kaggle

# Perceptual hashes (`examination.examine`) of some of the book's test pictures, at 200 pixels.
HASHES = {
    "cat.1500": "ffc08ff8805a801f83f4d017d807de00d43d5cbd3cb33d2d2d2d2de921f923e8",
    "cat.1562": "faaa9e5b8551927085c56d87857471f2b57071e195d132c5b6586c4ccc0dcd9f",
    "cat.1624": "e00320e38eba4a9cd1c62fa785a689545267a6f12c19d3e5767f5698a1bb3c5d",
    "cat.1686": "c7b427249a6f58cead98d4d966e1adb7914d4b65a99296327a43a4ae14d869c9",
    "cat.1748": "ff868001c0afdac49f13cf468d5861aa608c7eb873d32cc00663376bfc6ef327",
    "cat.1810": "d551e55ca2ea8f672a20dfc8bc1c157efdd043936b88540fe63b8278a61134e7",
    "cat.1872": "cee5383b9105c3a621dcdc0f2370b67fd993f94c1c8961e612ccc7994d5e926c",
    "cat.1934": "cb403cde7830811d672fa6d653f1ee2913d0cb2494acc257b5834bbca84d67bb",
    "dog.1500": "87038d2c3def26dae438d1e10bcd2f97fc3152920a7846935ae1ce85a94f157d",
    "dog.1562": "fdec32fe8f16c0cac3a5c45349680f068edd6da2f03ddc106c1e2da09ff508f8",
    "dog.1624": "f0cfb4cbac8e4f86b079c9997ce84cc49646ec3419c3f71899d0778ec85895c3",
    "dog.1686": "f2f6b1f38b412626127e1070bfa3270b94ee0d247f8e4e1b7e2149cd5f1f1609",
    "dog.1748": "a69270cb99758f94b5108d644925c3ecc25fcad3c6f2a53287ede22622db7569",
    "dog.1810": "85113eeef06443db9e1840768d8148cf3b706381666e6c7cdde3ee17439bc9cc",
    "dog.1872": "e5537cf0c3b82b0e6998da3004cc5f835e7c4ec3cbe7366126d6c96494cc93e3",
    "dog.1934": "f8189a6e958fcf0fd28b4f1e6d4f853251293cf9f0e470982a3011687e5e7ea4",
}


def is_book(split: settings.Split, manifest: pd.DataFrame, examined: pd.DataFrame) -> bool:
    """Returns whether a climb is on the book's pictures, divided as the book does, with its labels.

    `examined` is that of `examination.examine`. Some of the test pictures are looked for by their
    ids, at whatever size, so that an archive of other cats and dogs with the book's numbers is not
    taken for it.
    """
    as_it_is = split.train_used_per_class is None and not split.shuffle_train_labels
    if split.counts != COUNTS or not as_it_is or manifest["class_name"].nunique() != 2:
        return False
    test = manifest[manifest["subset"] == "test"]
    hashes = test.merge(examined[["path", "hash"]], on="path").set_index("id")["hash"]
    known = [name for name in HASHES if name in hashes.index]
    if len(known) < ALIKE * len(HASHES):
        return False
    expected = similarity.from_hex(pd.Series([HASHES[name] for name in known]))
    received = similarity.from_hex(hashes[known])
    distances = similarity.distances(expected, received).diagonal()
    return bool((distances <= HASH_DISTANCE).sum() >= ALIKE * len(HASHES))
