"""Pictures that differ in their colour."""

from pathlib import Path

import numpy as np

from ladder import settings
from ladder.experiments import amounts, on_base, plan

RANDOM = np.random.default_rng(0)
RANGES = settings.Ranges(
    rotation_degrees=10, shift_fraction=0.1, shear_degrees=0, zoom_fraction=0, horizontal_flip=True
)
AMOUNTS = plan.Amounts(
    train_pictures=[160, 200],
    seen=1600,
    batch_size=8,
    learning_rate=1e-3,
    dropout=0.5,
    head_seen=1600,
)
HEADS = plan.Heads(epochs=1, batch_size=8, learning_rate=1e-3, dropout=0.0)


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


def test_a_training_sees_as_many_pictures_whatever_there_are() -> None:
    assert [AMOUNTS.on(count).epochs for count in (160, 1600, 9000)] == [10, 1, 1]
    assert AMOUNTS.on(64).schedule == "cosine"
    assert AMOUNTS.head_on(80, HEADS) == HEADS.model_copy(update={"epochs": 20})


def test_every_way_learns_what_is_plain(untrained: Path) -> None:
    network = on_base.network(0, 32, 0.0, untrained)
    train = drawn(200)
    right = amounts.of_seed(0, train.first(160), drawn(40), network, AMOUNTS, RANGES, HEADS)
    assert {way: answers.mean() > 0.9 for way, answers in right.items()} == {
        "as_they_are": True,
        "augmented": True,
        "head": True,
    }
    assert len(train.first(160).labels) == 160
