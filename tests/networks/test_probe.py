import itertools
from types import SimpleNamespace
from typing import Any

import pytest

from conftest import PARAMS
from ladder import settings
from ladder.networks import bases, models, probe, runtime

BASE = settings.Base.model_validate(PARAMS["base"])
RUNTIME = settings.Runtime(precision="float32", threads=1)


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> list[settings.Runtime]:
    """What the runtime is started with: in earnest only once in a process."""
    starts: list[settings.Runtime] = []
    monkeypatch.setattr(runtime, "start", lambda parameters, seed: starts.append(parameters))
    return starts


def test_a_machine_has_a_rate_for_the_base_and_one_for_training(
    monkeypatch: pytest.MonkeyPatch, started: list[settings.Runtime]
) -> None:
    monkeypatch.setattr(probe, "SECONDS", 0.01)
    monkeypatch.setattr(probe, "PICTURES", 2)
    rates = probe.rates(BASE, 48, 2, RUNTIME)
    assert set(rates) == {"base", "scratch"}
    assert all(rate > 0 for rate in rates.values())
    assert started == [RUNTIME]


class Network:
    """Counts its steps on a batch."""

    def __init__(self, description: models.Description) -> None:
        self.description, self.predicted, self.trained = description, 0, 0
        self.output_shape = (None, len(description.class_names))

    def predict_on_batch(self, pixels: Any) -> None:
        assert pixels.shape == (probe.PICTURES, 64, 64, 3)
        self.predicted += 1

    def train_on_batch(self, pixels: Any, labels: Any) -> None:
        assert len(pixels) == len(labels) == probe.PICTURES
        self.trained += 1

    def compile(self, *_: Any, **__: Any) -> None:
        pass


def test_a_rate_is_the_pictures_of_the_steps_after_the_first_by_their_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    networks: list[Network] = []

    def build(description: models.Description) -> Network:
        networks.append(Network(description))
        return networks[-1]

    clock = itertools.count(100.0, 0.3)  # seconds: a step takes 0.3 of them
    monkeypatch.setattr(models, "build", build)
    monkeypatch.setattr(probe, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    rates = probe.rates(BASE, 64, 40, RUNTIME)
    # begun 0.3, 0.6 and 0.9 s after the start; at 1.2 s it ends
    assert rates == pytest.approx({"base": 3 * 32 / 1.2, "scratch": 3 * 32 / 1.2})
    base, scratch = networks
    assert (base.description.base, scratch.description.base) == (bases.resolved(BASE), None)
    assert (base.predicted, base.trained) == (4, 0)  # the first compiles, and does not count
    assert (scratch.predicted, scratch.trained) == (0, 4)
    assert {len(network.description.class_names) for network in networks} == {40}
