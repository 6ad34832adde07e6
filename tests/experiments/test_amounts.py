"""Pictures that differ in their colour."""

from pathlib import Path

import numpy as np

from ladder import settings
from ladder.experiments import amounts, on_base, plan

RANDOM = np.random.default_rng(0)
RANGES = settings.Ranges(
    rotation_degrees=10, shift_fraction=0.1, shear_degrees=0, zoom_fraction=0, horizontal_flip=True
)
SEEN = plan.Seen(pictures=1600, batch_size=8, learning_rate=1e-3)


def drawn(count: int) -> amounts.Pictures:
    labels = (np.arange(count) % 2).astype(np.uint8)
    images = RANDOM.integers(0, 100, (count, 32, 32, 3)).astype(np.uint8)
    images[labels == 1, ..., 0] += 150
    features = RANDOM.normal(size=(count, 1, 1, 512)).astype(np.float16)
    features[labels == 1] += 2
    return amounts.Pictures(images, features, labels)


def test_the_convnet_has_the_parameters_of_its_layers() -> None:
    convolutions = 3 * 9 * 32 + 32 + 32 * 9 * 64 + 64 + 64 * 9 * 128 + 128
    dense = 2 * 2 * 128 * 512 + 512 + 512 + 1
    assert amounts.convnet(0.5).count_params() == convolutions + dense
    assert "dropout" in [layer.name.split("_")[0] for layer in amounts.convnet(0.5).layers]
    assert "dropout" not in [layer.name.split("_")[0] for layer in amounts.convnet(0.0).layers]


def test_a_training_sees_as_many_pictures_whatever_there_are() -> None:
    assert (SEEN.on(160).epochs, SEEN.on(1600).epochs, SEEN.on(9000).epochs) == (10, 1, 1)
    assert SEEN.on(64).schedule == "cosine"


def test_every_way_learns_what_is_plain(untrained: Path) -> None:
    heads = plan.Heads(
        train_pictures=160, epochs=10, batch_size=8, learning_rate=1e-3, dropout=0.0, views=1
    )
    parameters = plan.Amounts(
        train_pictures=[160, 200], as_they_are=SEEN, augmented=SEEN, dropout=0.5
    )
    network = on_base.network(0, 32, 0.0, untrained)
    train = drawn(200)
    right = amounts.of_seed(0, train.first(160), drawn(40), network, parameters, RANGES, heads)
    assert {way: answers.mean() > 0.9 for way, answers in right.items()} == {
        "as_they_are": True,
        "augmented": True,
        "head": True,
    }
    assert len(train.first(160).labels) == 160
