"""Climbs that end with the predictions of some rungs, which is all that studies need."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ladder import paths, provenance, rungs
from ladder.climbs import climbs, experiments


@dataclass(frozen=True)
class Predicted:
    """What is known of such a climb, by rung."""

    commit: str
    predictions: Mapping[rungs.Rung, pd.DataFrame]
    machines: Mapping[rungs.Rung, Mapping[str, Any]]  # that each rung was trained on


def climb(
    name: str,
    overrides: Sequence[str],
    some: Sequence[rungs.Rung],
    files: paths.DatasetPaths,
    identity: provenance.Identity,
) -> Predicted:
    """Climbs some rungs of a dataset, in a copy, as an experiment of this name.

    `identity` is that of the study. Other rungs are climbed as far as these ask for them.

    Raises:
        InputError: a rung came from another machine's cache, or other libraries.
    """
    commit = experiments.climb(name, overrides, [f"predict@{rung}" for rung in some])
    trained = {
        rung: json.loads(experiments.fetched(commit, files.description(rung))) for rung in some
    }
    machines = {rung: description["runtime"] for rung, description in trained.items()}
    fingerprints = [description["fingerprint"] for description in trained.values()]
    climbed = provenance.of_climb(identity.params, fingerprints, machines.values())
    climbs.check_alike(identity, climbed)
    predictions = {rung: experiments.read_frame(commit, files.predictions(rung)) for rung in some}
    return Predicted(commit, predictions, machines)
