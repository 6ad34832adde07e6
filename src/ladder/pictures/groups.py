"""Which pictures belong together, so that one subset must take them all."""

import re

import numpy as np
import pandas as pd

from ladder import errors
from ladder.pictures import similarity


def of_pictures(pictures: pd.DataFrame, group: str | None, hash_distance: int | None) -> pd.Series:
    """Returns the key (text) of every picture's group; its index is that of `pictures`.

    `pictures` has path, class_name, sha256, pixels_sha256, hash and mirrored_hash (64 hexadecimal
    digits each). What links two pictures: equal bytes, equal pixels, or one value of `group`, a
    regular expression that is sought in the path. The value is what its first pair of parentheses
    matches, or the whole match if it has none; a path without a value, or with an empty one, is
    linked to none. Near duplicates of one class are linked, too: at most `hash_distance` of 256
    bits differ, one of them mirrored or not; but not where a hash tells nothing, as that of drawn
    stripes. A group is all that links lead to.

    Its key is its value, of several the first in order, and else its smallest sha256. So no
    picture that is outside a group can change its key.

    Raises:
        InputError: no path has a value.
    """
    values = _values(pictures["path"], group)
    links = [_links(column) for column in (pictures["sha256"], pictures["pixels_sha256"], values)]
    if hash_distance is not None:
        links += _near(pictures, hash_distance)
    numbers = similarity.groups(len(pictures), pd.concat(links))
    keys = values.groupby(numbers).transform("min")
    return keys.fillna(pictures["sha256"].groupby(numbers).transform("min")).rename("group")


def _values(paths: pd.Series, expression: str | None) -> pd.Series:
    """Returns what the expression says of each path; missing where it says nothing."""
    if expression is None:
        return pd.Series(index=paths.index, dtype=str)
    pattern = re.compile(expression)
    place = min(pattern.groups, 1)
    matches = [pattern.search(path) for path in paths]
    found = [(match[place] or None) if match else None for match in matches]
    if len(paths) and not any(found):
        raise errors.InputError(
            "split.group",
            expected="a regular expression that matches a part of the pictures' paths",
            received=f"{expression}, which matches in none of them, such as {paths.iloc[0]}",
            advice="Correct it, or set it to null.",
        )
    return pd.Series(found, paths.index, str)


def _links(values: pd.Series) -> pd.DataFrame:
    """Returns the rows (first, second) of pictures and of the first picture of the same value."""
    rows = np.flatnonzero(values.notna())
    _, first, codes = np.unique(pd.factorize(values)[0][rows], True, True)
    return pd.DataFrame({"first": rows[first[codes]], "second": rows})


def _near(pictures: pd.DataFrame, hash_distance: int) -> list[pd.DataFrame]:
    """Returns, as `_links` does, what links the near duplicates of each class."""
    plain = similarity.from_hex(pictures["hash"])
    mirrored = similarity.from_hex(pictures["mirrored_hash"])
    sha256 = pictures["sha256"].to_numpy(str)
    links = []
    for of_class in pictures.groupby("class_name").indices.values():
        rows = np.asarray(of_class)
        rows = rows[similarity.telling(plain[rows])]
        # Which of two is mirrored can matter by a bit or two: names must not decide it.
        ordered = rows[np.argsort(sha256[rows], kind="stable")]
        numbers = similarity.linked(plain[ordered], mirrored[ordered], hash_distance)
        places = _links(pd.Series(numbers))
        links.append(pd.DataFrame({end: ordered[places[end]] for end in places}))
    return links


def two_labels(pictures: pd.DataFrame) -> pd.DataFrame:
    """Returns the pictures that stand in two classes, in order of `pictures`.

    Their bytes or their decoded pixels are equal. `pictures` has path, class_name, sha256 and
    pixels_sha256. Columns: path, reason, class_name. The reason names the first picture of another
    class, and how many more there are.
    """
    links = [_links(pictures[column]) for column in ("sha256", "pixels_sha256")]
    numbers = similarity.groups(len(pictures), pd.concat(links))
    ambiguous = pictures[["path", "class_name", "sha256"]].assign(group=numbers)
    ambiguous = ambiguous[ambiguous.groupby("group")["class_name"].transform("nunique") > 1]
    reasons: dict[str, str] = {}
    for _, same in ambiguous.sort_values("path").groupby("group"):
        for class_name, own in same.groupby("class_name"):
            others = same[same["class_name"] != class_name]
            reasons |= _reasons(own, others.iloc[0], len(others) - 1)
    described = ambiguous.assign(reason=ambiguous["path"].map(reasons).astype(str))
    return described[["path", "reason", "class_name"]].reset_index(drop=True)


def _reasons(pictures: pd.DataFrame, other: pd.Series, more: int) -> dict[str, str]:
    """Returns a reason by path; `more` pictures besides `other` are of other classes."""
    end = f", and {more} more of other classes" if more else ""
    return {
        path: f"the same {'bytes' if sha256 == other['sha256'] else 'pixels'} as {other['path']}, "
        f"of class {other['class_name']}{end}"
        for path, sha256 in zip(pictures["path"], pictures["sha256"], strict=True)
    }
