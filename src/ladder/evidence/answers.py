"""Which answers of many climbs were right: all that their means and comparisons need."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ladder import artifacts, errors
from ladder.evidence import prediction_tables

KEYS = ["subset", "id"]


def of_predictions(predictions: pd.DataFrame, rung: str, seed: int) -> pd.DataFrame:
    """Returns a row per picture of one climb's rung: subset, id, rung, seed, right (bool)."""
    right = prediction_tables.right(predictions)
    return predictions[KEYS].assign(rung=rung, seed=seed, right=right)


def write(path: Path, answers: pd.DataFrame) -> None:
    """Writes rows of `of_predictions` as a row per picture and a column per rung.

    A cell has a digit per seed, in rising order, 1 where the answer was right: some 60 bytes a
    picture for ten seeds of five rungs.
    """
    digits = answers.assign(digit=answers["right"].map({True: "1", False: "0"}))
    ordered = digits.sort_values("seed", kind="stable")
    table = ordered.pivot_table("digit", KEYS, "rung", aggfunc="".join, sort=False)
    artifacts.write_csv(path, table.reset_index())


def read(path: Path, seeds: Sequence[int]) -> pd.DataFrame:
    """Returns the rows that `write` wrote of these seeds, by seed, rung and picture.

    Raises:
        InputError: the file is of another number of seeds.
    """
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    rungs = table.columns.drop(KEYS)
    lengths = {int(length) for rung in rungs for length in table[rung].str.len().unique()}
    if lengths != {len(seeds)}:
        raise errors.InputError(
            str(path),
            expected=f"a digit for each of {len(seeds)} seeds",
            received=f"{', '.join(map(str, sorted(lengths)))} digits",
            advice="Take the study back from git, or climb its seeds again.",
        )
    frames = [
        table[KEYS].assign(rung=rung, seed=seed, right=table[rung].str[place] == "1")
        for place, seed in enumerate(sorted(seeds))
        for rung in rungs
    ]
    return pd.concat(frames, ignore_index=True)
