"""The table of pictures that everything after `split` follows: a row per picture."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ladder import paths

COLUMNS = ["id", "path", "class_name", "label", "subset", "sha256", "duplicate_group"]


def labels(manifest: pd.DataFrame, subset: paths.Subset) -> NDArray[np.int64]:
    """Returns the subset's labels (n,) in manifest order."""
    return manifest.loc[manifest["subset"] == subset, "label"].to_numpy(np.int64)


def class_names(manifest: pd.DataFrame) -> list[str]:
    """Returns the class names in order of their labels, which is that of the names as text.

    The names tell it, since the labels of train may have been dealt out at random.
    """
    return sorted(manifest["class_name"].unique())


def shared_groups(manifest: pd.DataFrame) -> int:
    """Returns how many pictures, byte for byte, stand in more than one subset."""
    subsets = manifest.groupby("duplicate_group")["subset"].nunique()
    return int((subsets > 1).sum())


def build(members: pd.DataFrame) -> pd.DataFrame:
    """Returns a row per picture (id, path, class_name, label, subset, sha256, duplicate_group).

    `members` has path, class_name, number, subset and sha256, in order of subset, class and
    number. Labels count the class names from 0 in alphabetical order. Pictures of equal bytes have
    equal duplicate groups, numbered in order of their first.
    """
    names = sorted(members["class_name"].unique())
    return pd.DataFrame(
        {
            "id": members["class_name"] + "." + members["number"].astype(str),
            "path": members["path"],
            "class_name": members["class_name"],
            "label": members["class_name"].map(names.index),
            "subset": members["subset"],
            "sha256": members["sha256"],
            "duplicate_group": pd.factorize(members["sha256"])[0],
        }
    )


def relabelled(manifest: pd.DataFrame, class_names: pd.Series) -> pd.DataFrame:
    """Returns the manifest with other class names and their labels; ids and order stay."""
    names = sorted(class_names.unique())
    return manifest.assign(class_name=class_names, label=class_names.map(names.index))


def of_folder(pictures: pd.DataFrame) -> pd.DataFrame:
    """Returns a row per picture, with the columns of `build`; the id is the path.

    `pictures` has path, class_name, subset, sha256 and group. Rows are in order of subset (train,
    validation, test), class_name and path. Labels count the class names from 0 in order. The keys
    of groups become numbers in order of their first.
    """
    places = pictures["subset"].map(paths.SUBSETS.index)
    ordered = pictures.assign(place=places).sort_values(
        ["place", "class_name", "path"], ignore_index=True
    )
    names = sorted(pictures["class_name"].unique())
    return ordered.assign(
        id=ordered["path"],
        label=ordered["class_name"].map({name: label for label, name in enumerate(names)}),
        duplicate_group=pd.factorize(ordered["group"])[0],
    )[COLUMNS]
