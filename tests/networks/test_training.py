from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.utils.class_weight import compute_class_weight

from ladder import errors, settings
from ladder.networks import training
from ladder.networks.runtime import keras
from ladder.pictures import augmentation

RANGES = settings.Augmentation(
    views=3,
    rotation_degrees=40,
    shift_fraction=0.2,
    shear_degrees=0.2,
    zoom_fraction=0.2,
    horizontal_flip=True,
)


def fit_settings(**changes: Any) -> settings.Fit:
    values = {"epochs": 3, "batch_size": 4, "learning_rate": 0.01, "schedule": "constant"}
    ends = {"minimum_epochs": 1, "patience": 9, "validate_every": 1}
    return settings.Fit.model_validate({**values, **ends, **changes})


def dense(features: int = 5, units: int = 1) -> keras.Model:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((features,))
    activation = "sigmoid" if units == 1 else "softmax"
    return keras.Model(inputs, keras.layers.Dense(units, activation=activation)(inputs))


def examples(count: int = 24, classes: int = 2) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    random = np.random.default_rng(0)
    labels = random.integers(0, classes, count)
    inputs = random.normal(size=(count, 5)).astype(np.float32)
    inputs[np.arange(count), labels] += 3
    return inputs, labels


def test_every_row_comes_once_an_epoch_with_its_label() -> None:
    inputs = np.arange(10)
    batches = training.Batches(training.unchanged(inputs), 10 * np.arange(10), batch_size=4, seed=0)
    assert batches.per_epoch == 3
    seen = list(batches.epoch(0))
    assert len(seen) == 3
    rows = np.concatenate([batch for batch, _ in seen])
    np.testing.assert_array_equal(np.sort(rows), inputs)
    np.testing.assert_array_equal(np.concatenate([labels for _, labels in seen]), 10 * rows)


def test_the_order_follows_from_seed_and_epoch() -> None:
    def orders(seed: int) -> list[list[int]]:
        batches = training.Batches(training.unchanged(np.arange(32)), np.arange(32), 8, seed)
        return [np.concatenate([rows for rows, _ in batches.epoch(e)]).tolist() for e in range(2)]

    assert orders(0) == orders(0)
    assert orders(0)[0] != orders(0)[1]
    assert orders(0) != orders(1)


def test_the_model_sees_every_view_in_its_epoch() -> None:
    """View e is worth 10 ** e a row, so the digits of the sum count the rows of each epoch."""
    total = keras.Variable(0.0)  # not the layer's own: the best epoch's weights come back

    class Sum(keras.Layer):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            total.assign_add(keras.ops.sum(inputs))
            return inputs

    inputs = keras.Input((1,))
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(Sum()(inputs)))
    batches = training.Batches(
        lambda epoch, rows: np.full((len(rows), 1), 10.0**epoch), np.arange(9) % 2, 2, seed=0
    )
    validation = np.zeros((2, 1)), np.array([0, 1])
    training.fit(model, batches, validation, fit_settings(epochs=4))
    assert float(total) == 9999


def test_cycled_views_come_round() -> None:
    inputs = training.cycled([np.full(4, 1), np.full(4, 2), np.full(4, 3)])
    assert [int(inputs(epoch, np.array([0]))[0]) for epoch in range(5)] == [1, 2, 3, 1, 2]


def test_fresh_views_are_views_1_2_3_of_the_seed() -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), np.uint8)
    inputs, rows = training.augmented(images, RANGES, seed=5), np.array([3, 0])
    for epoch in range(3):
        view = augmentation.view(images, slice(4), RANGES, 5, epoch + 1)
        np.testing.assert_array_equal(inputs(epoch, rows), view[[3, 0]])


@pytest.mark.parametrize(("units", "classes"), [(1, 2), (3, 3)])
def test_history_and_weights_are_of_what_was_trained(units: int, classes: int) -> None:
    inputs, labels = examples(48, classes)
    model = dense(units=units)
    batches = training.Batches(training.unchanged(inputs), labels, batch_size=8, seed=0)
    history = training.fit(model, batches, (inputs, labels), fit_settings(epochs=25))
    assert history.columns.tolist() == [
        "epoch", "loss", "accuracy", "val_loss", "val_accuracy", "seconds",
    ]  # fmt: skip
    assert history["epoch"].tolist() == list(range(1, 26))
    assert history["val_loss"].iloc[-1] < 0.7 * history["val_loss"].iloc[0]
    assert (history["seconds"] > 0).all()
    outputs = model.predict(inputs, verbose=0)
    predicted = (outputs[:, 0] > 0.5) if units == 1 else outputs.argmax(axis=1)
    best = history["val_accuracy"].iloc[history["val_loss"].argmin()]
    assert (predicted == labels).mean() == pytest.approx(best)


def test_the_epoch_with_the_lowest_validation_loss_is_kept() -> None:
    inputs, labels = examples()
    batches = training.Batches(training.unchanged(inputs), labels, batch_size=4, seed=0)
    model = dense()
    against = inputs, 1 - labels  # the better it learns, the worse it does here
    history = training.fit(model, batches, against, fit_settings(epochs=5))
    assert history["val_loss"].idxmin() == 0
    kept = model.evaluate(*against, verbose=0)[0]
    assert kept == pytest.approx(history["val_loss"].min(), rel=1e-5)


def test_patience_ends_a_training_that_no_longer_improves() -> None:
    inputs, labels = examples()
    batches = training.Batches(training.unchanged(inputs), labels, batch_size=4, seed=0)
    parameters = fit_settings(epochs=50, patience=2)
    history = training.fit(dense(), batches, (inputs, 1 - labels), parameters)
    assert len(history) == 3


def test_no_training_ends_before_its_floor() -> None:
    inputs, labels = examples()
    batches = training.Batches(training.unchanged(inputs), labels, batch_size=4, seed=0)
    parameters = fit_settings(epochs=50, patience=2, minimum_epochs=7)
    model, against = dense(), (inputs, 1 - labels)
    history = training.fit(model, batches, against, parameters)
    assert len(history) == 7
    kept = model.evaluate(*against, verbose=0)[0]  # still the first epoch's
    assert kept == pytest.approx(history["val_loss"].iloc[0], rel=1e-5)


@pytest.mark.parametrize(
    ("every", "patience", "validated"), [(3, 99, [3, 6, 8]), (2, 3, [2, 4, 6]), (1, 2, [1, 2, 3])]
)
def test_epochs_are_validated_as_often_as_asked(
    every: int, patience: int, validated: list[int]
) -> None:
    inputs, labels = examples()
    batches = training.Batches(training.unchanged(inputs), labels, batch_size=4, seed=0)
    parameters = fit_settings(epochs=8, patience=patience, validate_every=every)
    history = training.fit(dense(), batches, (inputs, 1 - labels), parameters)
    assert history["epoch"][history["val_loss"].notna()].tolist() == validated
    assert len(history) == validated[-1]
    assert history[["loss", "accuracy", "seconds"]].notna().to_numpy().all()


def test_a_cosine_ends_at_zero() -> None:
    rate = training.rate(fit_settings(schedule="cosine"), steps=10)
    assert float(rate(0)) == pytest.approx(0.01)
    assert float(rate(5)) == pytest.approx(0.005)
    assert float(rate(10)) == pytest.approx(0, abs=1e-9)


def test_first_epochs_and_the_rest_are_one_training() -> None:
    """Orders, views and the falling rate go on; without RMSprop's memory nothing else differs."""
    inputs, labels = examples()
    views = training.cycled([inputs, inputs + 1, inputs - 1, 2 * inputs])
    batches = training.Batches(views, labels, batch_size=4, seed=3)
    parameters = fit_settings(epochs=5, schedule="cosine", learning_rate=1e-4, validate_every=2)
    seen: list[float] = []

    class Rate(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            seen.append(float(self.model.optimizer.learning_rate))

    model = dense()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.callbacks, "TerminateOnNaN", Rate)
        first = training.fit_first(model, batches, 2, parameters)
        rest = training.fit(model, batches, (inputs, labels), parameters, first_epoch=2)
    steps = 5 * batches.per_epoch
    cosine = 1e-4 * (1 + np.cos(np.pi * np.arange(steps) / steps)) / 2
    np.testing.assert_allclose(seen, cosine, rtol=1e-4)
    assert [*first["epoch"], *rest["epoch"]] == [1, 2, 3, 4, 5]
    assert first[["val_loss", "val_accuracy"]].isna().to_numpy().all()
    assert first[["loss", "accuracy", "seconds"]].notna().to_numpy().all()
    assert rest["epoch"][rest["val_loss"].notna()].tolist() == [4, 5]
    whole = training.fit(dense(), batches, (inputs, labels), parameters)
    assert first["loss"].tolist() == whole["loss"].tolist()[:2]
    np.testing.assert_allclose(rest["loss"], whole["loss"][2:], rtol=1e-2)


def test_a_loss_that_is_no_number_is_an_error() -> None:
    inputs, labels = examples()
    broken = np.where(inputs > 2, np.nan, inputs)
    batches = training.Batches(training.unchanged(broken), labels, batch_size=4, seed=0)
    with pytest.raises(errors.InputError, match=r"Received: nan\. Lower its learning_rate"):
        training.fit(dense(), batches, (inputs, labels), fit_settings())


def test_the_same_seed_trains_the_same_weights() -> None:
    inputs, labels = examples()

    def train() -> list[Any]:
        model = dense()
        batches = training.Batches(training.unchanged(inputs), labels, batch_size=4, seed=3)
        training.fit(model, batches, (inputs, labels), fit_settings())
        weights: list[Any] = model.get_weights()
        return weights

    for one, other in zip(train(), train(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_batches_for_validation_come_in_order_and_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "VALIDATION_BATCH_SIZE", 4)
    seen = list(training.in_order(np.arange(10), 10 * np.arange(10)))
    assert [inputs.tolist() for inputs, _ in seen] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert np.concatenate([labels for _, labels in seen]).tolist() == list(range(0, 100, 10))


def test_every_validation_is_of_every_picture_from_the_first_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(training, "VALIDATION_BATCH_SIZE", 10)
    inputs, labels = examples(24)
    inputs[:, 0] = np.arange(24)
    read, in_order = list[int](), training.in_order

    def watched(*arguments: Any) -> Iterator[training.Batch]:
        for batch in in_order(*arguments):
            read.append(int(batch[0][0, 0]))
            yield batch

    monkeypatch.setattr(training, "in_order", watched)
    batches = training.Batches(training.unchanged(inputs), labels, batch_size=4, seed=0)
    training.fit(dense(), batches, (inputs, labels), fit_settings(epochs=3, patience=9))
    assert read == [0, *[0, 10, 20] * 3]  # the first one tells shapes and types


def test_tensorflow_reads_every_batch_untuned() -> None:
    batches = training.Batches(training.unchanged(np.eye(10)), np.arange(10), batch_size=4, seed=0)
    read = training.dataset(batches.endless)
    assert read.options().autotune.enabled is False  # else training waits where iterators end
    expected = [*batches.epoch(0), *batches.epoch(1)]
    for _ in range(2):  # and begins anew
        for batch, (inputs, labels) in zip(read, expected, strict=False):
            np.testing.assert_array_equal(batch[0], inputs)
            np.testing.assert_array_equal(batch[1], labels)
    assert read.element_spec[0].shape.as_list() == [None, 10]


@pytest.mark.parametrize("dtype", [np.uint8, np.float16])
def test_whatever_is_stored_the_model_is_given_float32(dtype: type) -> None:
    stored: NDArray[Any] = np.arange(8).astype(dtype)[:, None]
    labels = np.arange(8)
    for batches in (
        training.Batches(training.unchanged(stored), labels, batch_size=8, seed=0).epoch(0),
        training.in_order(stored, labels),
    ):
        inputs, rows = next(batches)
        assert type(inputs) is np.ndarray and inputs.dtype == np.float32
        np.testing.assert_array_equal(inputs[:, 0], rows)


@pytest.mark.parametrize("classes", [2, 3])
def test_balanced_weights_are_those_of_scikit_learn(classes: int) -> None:
    labels = np.array([0] * 7 + [1] * 2 + [2] * 3)
    labels = labels[labels < classes]
    expected = compute_class_weight("balanced", classes=np.arange(classes), y=labels)
    assert training.balanced(labels) == pytest.approx(dict(enumerate(expected)))
    assert sum(training.balanced(labels)[label] for label in labels) == pytest.approx(len(labels))


@pytest.mark.parametrize("classes", [2, 3])
def test_the_loss_of_training_counts_every_picture_by_its_class(classes: int) -> None:
    inputs, labels = examples(classes=classes)
    model = dense(units=1 if classes == 2 else classes)
    outputs = np.asarray(model.predict_on_batch(inputs), np.float64)
    if classes == 2:
        outputs = np.concatenate([1 - outputs, outputs], axis=1)
    losses = -np.log(outputs[np.arange(len(labels)), labels])
    weights = {label: 1.0 + 2.0 * label for label in range(classes)}
    batches = training.Batches(training.unchanged(inputs), labels, 24, seed=0)
    still = fit_settings(epochs=1, learning_rate=1e-9)
    history = training.fit(model, batches, (inputs, labels), still, weights)
    weighted = losses * np.array([weights[label] for label in labels])
    assert history["loss"].iloc[0] == pytest.approx(weighted.mean(), rel=1e-4)
    assert history["val_loss"].iloc[0] == pytest.approx(losses.mean(), rel=1e-4)
