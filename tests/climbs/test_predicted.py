"""What is asked of DVC, and what is taken from its cache."""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from ladder import errors, paths, provenance, rungs
from ladder.climbs import experiments, predicted

FILES = paths.DatasetPaths("flowers")
IDENTITY = provenance.Identity({}, "1a2b", "float32", "2.21.0", "3.15.1")
SOME: tuple[rungs.Rung, ...] = ("features", "fine_tuned")
COMMIT = "5e6f"


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str], list[str]]]:
    """The climbs that are asked for, none of which is climbed."""
    runs: list[tuple[str, list[str], list[str]]] = []

    def climb(name: str, overrides: Sequence[str], targets: Sequence[str]) -> str:
        runs.append((name, [*overrides], [*targets]))
        return COMMIT

    def fetched(commit: str, path: Path) -> str:
        assert commit == COMMIT
        rung = path.stem
        if path == FILES.predictions(rungs.named(rung)):
            return f"id,label,probability,subset\n{rung},1,0.75,test\n"
        assert path == FILES.description(rungs.named(rung))
        machine = {"policy": "float32", "tensorflow": "2.21.0", "keras": "3.15.1", "threads": rung}
        return json.dumps({"fingerprint": "1a2b", "runtime": machine})

    monkeypatch.setattr(experiments, "climb", climb)
    monkeypatch.setattr(experiments, "fetched", fetched)
    return runs


def test_a_climb_asks_for_predictions_and_takes_them(
    asked: list[tuple[str, list[str], list[str]]],
) -> None:
    climbed = predicted.climb("flowers-seed-1", ["seed=1"], SOME, FILES, IDENTITY)
    targets = ["predict@features", "predict@fine_tuned"]
    assert asked == [("flowers-seed-1", ["seed=1"], targets)]
    assert climbed.commit == COMMIT
    assert [*climbed.predictions] == [*climbed.machines] == [*SOME]
    for rung, frame in climbed.predictions.items():
        row = pd.DataFrame({"id": [rung], "label": 1, "probability": 0.75, "subset": "test"})
        pd.testing.assert_frame_equal(frame, row)
        assert climbed.machines[rung]["threads"] == rung


def test_a_rung_from_another_machines_cache_is_refused() -> None:
    other = provenance.Identity({}, "1a2b", "mixed_bfloat16", "2.21.0", "3.15.1")
    with pytest.raises(errors.InputError, match="run cache: policy: mixed_bfloat16, float32"):
        predicted.climb("flowers-seed-1", [], SOME, FILES, other)
