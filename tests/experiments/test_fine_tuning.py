import itertools
from pathlib import Path

import numpy as np
import pytest

from ladder.evidence import interpretation
from ladder.experiments import animals, fine_tuning, on_base, plan
from ladder.networks import models

SIZE = 64
HEADS = plan.Heads(epochs=1, batch_size=4, learning_rate=1e-3, dropout=0.5)
FIT = plan.FineTuning(
    epochs=1, batch_size=4, learning_rate=1e-5, large_learning_rate=1e-2, pasted_pictures=4
)


@pytest.mark.filterwarnings("ignore")  # of tf-keras-vis
def test_a_seed_has_every_way_and_the_large_rate_moves_most(untrained: Path) -> None:
    labels = (np.arange(8) % 2).astype(np.uint8)
    images = np.random.default_rng(0).integers(0, 256, (8, SIZE, SIZE, 3)).astype(np.uint8)
    network = on_base.network(0, SIZE, HEADS.dropout, untrained)
    (maps,) = on_base.outputs(models.between(network, [fine_tuning.CUT]), images)
    (features,) = on_base.outputs(on_base.last_block(network), maps)
    pasted, corners = animals.pasted(images[:4], labels[:4], SIZE)
    pictures = fine_tuning.Pictures(
        views=[maps, maps],
        features=[features, features],
        labels=labels,
        test=maps,
        test_labels=labels,
        pasted=pasted,
        corners=corners,
        pasted_labels=labels[:4].astype(np.int64),
    )
    results = fine_tuning.of_seed(0, network, pictures, HEADS, FIT)
    tuned = ("trained_head", "untrained_head", "large_rate")
    for name in ("frozen", *tuned):
        assert results[f"{name}_right"].shape == (8,)
    for name in tuned:
        assert results[f"{name}_relearned"].shape == (8,)
    moved = {name: float(results[f"{name}_moved"]) for name in tuned}
    assert 0 < moved["trained_head"] < moved["large_rate"]
    for name in ("frozen", "trained_head"):
        for method, of in itertools.product(interpretation.METHODS, ("corner", "whole")):
            shares = results[f"{name}_{method}_{of}"]
            assert shares.shape == (4,)
            assert ((shares >= 0) & (shares <= 1)).all()
