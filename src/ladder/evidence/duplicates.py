"""Duplicate pictures, exact or near, by a perceptual hash."""

import imagehash
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from scipy.sparse import coo_array, csgraph

from ladder import paths

HASH_SIZE = 16  # 16 × 16 = 256 bits: `reading.hash_distance` counts those that differ
ROWS = 256  # of the table of distances that are worked out at a time


def hashes(images: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Returns every image's perceptual hash, (n, 4): 256 bits of its cosine transform."""
    bits = [imagehash.phash(Image.fromarray(image), HASH_SIZE).hash.ravel() for image in images]
    return np.packbits(bits, axis=1).view(np.uint64)


def distances(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Returns how many bits differ between hashes (n, words) and (m, words): (n, m)."""
    differ: NDArray[np.int64] = np.bitwise_count(one[:, None] ^ other).sum(axis=2, dtype=np.int64)
    return differ


def pairs(images: NDArray[np.uint8], hash_distance: int) -> pd.DataFrame:
    """Returns the pairs of images that are nearly the same, also where one is mirrored.

    Columns: first, second (rows of `images`, first < second), distance, mirrored.
    """
    ways = both_ways(images)
    parts = []
    for start in range(0, len(images), ROWS):
        distance, mirrored = nearest(ways[0][start : start + ROWS], ways)
        first, second = np.nonzero(distance <= hash_distance)
        later = first + start < second
        first, second = first[later], second[later]
        parts.append(
            pd.DataFrame(
                {
                    "first": first + start,
                    "second": second,
                    "distance": distance[first, second],
                    "mirrored": mirrored[first, second],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def both_ways(images: NDArray[np.uint8]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Returns the hashes of the images as they are and of their mirror images."""
    return hashes(images), hashes(images[:, :, ::-1])


def nearest(
    one: NDArray[np.uint64], ways: tuple[NDArray[np.uint64], NDArray[np.uint64]]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Returns the distances (n, m) of hashes from the nearer of `both_ways`; mirrored or not."""
    plain, mirrored = (distances(one, other) for other in ways)
    return np.minimum(plain, mirrored), mirrored < plain


def between_subsets(manifest: pd.DataFrame, near: pd.DataFrame) -> pd.DataFrame:
    """Returns the pairs of which each picture stands in another subset, the earlier subset first.

    `near` are the pairs of the manifest's pictures, by row. Columns: id, subset, label, other_id,
    other_subset, other_label, kind (exact: the same bytes; near), distance, mirrored.
    """
    order = manifest["subset"].map(paths.SUBSETS.index).to_numpy()
    first, second = near["first"].to_numpy(), near["second"].to_numpy()
    swapped = order[first] > order[second]
    one = manifest.iloc[np.where(swapped, second, first)].reset_index(drop=True)
    other = manifest.iloc[np.where(swapped, first, second)].reset_index(drop=True)
    same_bytes = one["sha256"] == other["sha256"]
    described = pd.concat(
        [one[["id", "subset", "label"]], other[["id", "subset", "label"]].add_prefix("other_")],
        axis=1,
    ).assign(
        kind=np.where(same_bytes, "exact", "near"),
        distance=near["distance"].to_numpy(),
        mirrored=near["mirrored"].to_numpy(),
    )
    return described[one["subset"] != other["subset"]].reset_index(drop=True)


def groups(count: int, near: pd.DataFrame) -> NDArray[np.int64]:
    """Returns a number for each of `count` pictures, equal where pairs link them."""
    links = coo_array((np.ones(len(near)), (near["first"], near["second"])), shape=(count, count))
    numbers: NDArray[np.int64] = csgraph.connected_components(links, directed=False)[1]
    return numbers.astype(np.int64)
