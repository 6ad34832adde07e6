"""Duplicate pictures, exact or near, that stand in two subsets."""

import numpy as np
import pandas as pd

from ladder import paths


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
