"""Training: batches in a drawn order, one fit for all rungs, the best epoch kept."""

import functools
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from ladder import errors, settings
from ladder.networks.runtime import keras, tf
from ladder.pictures import augmentation

Rows = NDArray[np.int64]
Inputs = Callable[[int, Rows], NDArray[Any]]  # (epoch from 0, rows) → what the model takes
# float32 whatever is stored: not every processor convolves float16.
Batch = tuple[NDArray[np.float32], NDArray[np.int64]]

VALIDATION_BATCH_SIZE = 100  # changes memory and speed, and a figure in its last bits


def unchanged(array: NDArray[Any]) -> Inputs:
    """Returns inputs that are the same in every epoch."""
    return lambda _epoch, rows: array[rows]


def cycled(views: list[NDArray[Any]]) -> Inputs:
    """Returns inputs that are another stored view in every epoch, over and over."""
    return lambda epoch, rows: views[epoch % len(views)][rows]


def augmented(images: NDArray[np.uint8], ranges: settings.Ranges, seed: int) -> Inputs:
    """Returns inputs that are a fresh view of the images in every epoch, from view 1 on."""
    return lambda epoch, rows: augmentation.view(images, rows, ranges, seed, epoch + 1)


@dataclass(frozen=True)
class Batches:
    """Batches of (inputs, labels), epoch after epoch, each in an order drawn from the seed."""

    inputs: Inputs
    labels: NDArray[np.int64]
    batch_size: int
    seed: int

    @property
    def per_epoch(self) -> int:
        return -(-len(self.labels) // self.batch_size)

    def epoch(self, number: int) -> Iterator[Batch]:
        """Yields one epoch's batches; epochs count from 0."""
        order = np.random.default_rng([self.seed, number]).permutation(len(self.labels))
        for start in range(0, len(order), self.batch_size):
            rows = np.sort(order[start : start + self.batch_size])
            yield np.asarray(self.inputs(number, rows), np.float32), self.labels[rows]

    def endless(self, first: int = 0) -> Iterator[Batch]:
        """Yields the batches of all epochs from `first` on; Keras counts `per_epoch` as one."""
        for number in itertools.count(first):
            yield from self.epoch(number)


def in_order(inputs: NDArray[Any], labels: NDArray[np.int64]) -> Iterator[Batch]:
    """Yields batches of (inputs, labels) as they stand; arrays on disk are read batch by batch."""
    for start in range(0, len(labels), VALIDATION_BATCH_SIZE):
        rows = slice(start, start + VALIDATION_BATCH_SIZE)
        yield np.asarray(inputs[rows], np.float32), labels[rows]


def dataset(batches: Callable[[], Iterator[Batch]]) -> Any:
    """Returns the batches as TensorFlow reads them, from the first on whenever it begins anew.

    Without tf.data's tuning, which has nothing to tune here: its thread is waited for whenever an
    iterator ends, asleep for as long as the iterator lived, up to a minute (TensorFlow 2.21.0,
    2026-11). Keras tunes what it makes a dataset of, and begins a PyDataset anew in every epoch.
    """
    first = next(batches())
    signature = tuple(tf.TensorSpec((None, *array.shape[1:]), array.dtype) for array in first)
    read = tf.data.Dataset.from_generator(batches, output_signature=signature)
    options = tf.data.Options()
    options.autotune.enabled = False
    return read.with_options(options)


class Progress(keras.callbacks.Callback):  # type: ignore[misc]
    """A bar over all pictures of all epochs, and a row of measures and seconds for each epoch."""

    def __init__(self, title: str, pictures: int, epochs: int, batch_size: int):
        super().__init__()
        self.rows: list[dict[str, float]] = []
        self.bar = tqdm(
            desc=title, total=pictures * epochs, unit="picture", disable=None, smoothing=0.05
        )
        self.pictures, self.batch_size = pictures, batch_size

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.started = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.bar.update(min(self.batch_size, self.pictures - batch * self.batch_size))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        seconds = time.perf_counter() - self.started
        self.rows.append({"epoch": epoch + 1, **logs, "seconds": seconds})
        if "val_loss" in logs:
            self.bar.set_postfix(
                epoch=epoch + 1, val_loss=logs["val_loss"], val_accuracy=logs["val_accuracy"]
            )

    def on_train_end(self, logs: Any = None) -> None:
        self.bar.close()


class Best(keras.callbacks.EarlyStopping):  # type: ignore[misc]
    """Keeps the epoch with the lowest validation loss; stops after `patience` epochs without one.

    Epochs that are not validated count for patience, but can neither be kept nor be the end.
    """

    def __init__(self, fit: settings.Fit):
        validations = -(-fit.patience // fit.validate_every)
        super().__init__("val_loss", patience=validations, restore_best_weights=True)
        self.minimum_epochs = fit.minimum_epochs

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if "val_loss" not in logs:
            return
        stopped_already = self.model.stop_training
        super().on_epoch_end(epoch, logs)
        if epoch + 1 < self.minimum_epochs:
            self.model.stop_training = stopped_already


def fit(
    model: keras.Model,
    batches: Batches,
    validation: tuple[NDArray[Any], NDArray[np.int64]],
    parameters: settings.Fit,
    class_weight: Mapping[int, float] | None = None,
    first_epoch: int = 0,
) -> pd.DataFrame:
    """Trains in place and returns the history; the weights are those of the best epoch.

    `class_weight` is what a picture of each label counts in the loss of training; None: 1. That of
    validation, by which the epoch is chosen, is not weighted. The epochs before `first_epoch`,
    which counts from 0, were trained by `fit_first`.

    Columns: epoch (from 1), loss, accuracy, val_loss, val_accuracy, seconds; no value where an
    epoch was not validated. The best epoch is the one with the lowest validation loss; after
    `minimum_epochs`, `patience` epochs without a better one end it. Every `validate_every`th
    epoch and the last are validated.

    Raises:
        InputError: the loss is no longer a number.
    """
    every, last = parameters.validate_every, parameters.epochs
    return _fit(
        model,
        batches,
        range(first_epoch, last),
        parameters,
        class_weight,
        Best(parameters),
        validation_data=dataset(functools.partial(in_order, *validation)),
        validation_steps=-(-len(validation[1]) // VALIDATION_BATCH_SIZE),
        validation_freq=sorted({*range(every, last + 1, every), last}),
    )


def fit_first(
    model: keras.Model,
    batches: Batches,
    epochs: int,
    parameters: settings.Fit,
    class_weight: Mapping[int, float] | None = None,
) -> pd.DataFrame:
    """Trains the first epochs in place, not validated, and returns the history as `fit` does.

    Raises:
        InputError: the loss is no longer a number.
    """
    return _fit(model, batches, range(epochs), parameters, class_weight)


def _fit(
    model: keras.Model,
    batches: Batches,
    epochs: range,
    parameters: settings.Fit,
    class_weight: Mapping[int, float] | None,
    *callbacks: keras.callbacks.Callback,
    **validation: Any,
) -> pd.DataFrame:
    compile_for(model, rate(parameters, parameters.epochs * batches.per_epoch))
    if epochs.start:  # of the schedule's steps so many are done
        model.optimizer.iterations.assign(epochs.start * batches.per_epoch)
    progress = Progress(model.name, len(batches.labels), len(epochs), parameters.batch_size)
    model.fit(
        dataset(functools.partial(batches.endless, epochs.start)),
        steps_per_epoch=batches.per_epoch,
        initial_epoch=epochs.start,
        epochs=epochs.stop,
        class_weight=class_weight,
        shuffle=False,  # the order is drawn by `Batches`
        verbose=0,
        callbacks=[progress, *callbacks, keras.callbacks.TerminateOnNaN()],
        **validation,
    )
    history = pd.DataFrame(progress.rows)
    if not all(np.isfinite(value) for row in progress.rows for value in row.values()):
        raise errors.InputError(
            f"training of {model.name}",
            expected="a loss that stays a number",
            received=history["loss"].iloc[-1],
            advice="Lower its learning_rate, or set runtime.precision: float32, in params.yaml.",
        )
    columns = ["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "seconds"]
    return history.reindex(columns=columns)


def balanced(labels: NDArray[np.int64]) -> dict[int, float]:
    """Returns a weight for each label, so that all count alike; over `labels` their mean is 1."""
    numbers = dict(zip(*np.unique(labels, return_counts=True), strict=True))
    return {int(k): len(labels) / (len(numbers) * int(n)) for k, n in numbers.items()}


def rate(parameters: settings.Fit, steps: int) -> Any:
    """Returns the learning rate: constant, or falling to 0 along a cosine over all steps."""
    if parameters.schedule == "cosine":
        return keras.optimizers.schedules.CosineDecay(parameters.learning_rate, steps)
    return parameters.learning_rate


def compile_for(model: keras.Model, learning_rate: Any) -> None:
    """Compiles with RMSprop and the crossentropy that the model's output calls for."""
    binary = model.output_shape[-1] == 1
    model.compile(
        keras.optimizers.RMSprop(learning_rate),
        "binary_crossentropy" if binary else "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
