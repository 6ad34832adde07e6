"""The book's own code of chapter 5, as its notebooks have it, in Keras 3 (DLwP 5.2 and 5.3).

Pictures are decoded, and augmented, anew whenever they are needed, by `ImageDataGenerator`; every
one goes through all layers in float32. The base's weights are random: speed does not depend on
them. Two lines differ from the notebooks, both in the book's favour or of no consequence: the
progress bar of `predict` is off, and the generators are endless, as Keras 2 had them.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from ladder.runtime import keras, tf
from numpy.typing import NDArray

from benchmarks.workers import channel
from ladder import weights

Batch = tuple[NDArray[np.float32], NDArray[np.float32]]

AUGMENTATION = {
    "rotation_range": 40,
    "width_shift_range": 0.2,
    "height_shift_range": 0.2,
    "shear_range": 0.2,
    "zoom_range": 0.2,
    "horizontal_flip": True,
}


def batches(folder: Path, image_size: int, batch_size: int, augmented: bool) -> Iterator[Batch]:
    """Yields batches of a folder with a folder per class, over and over (5.2.4; 5.2.5)."""
    ranges = AUGMENTATION if augmented else {}
    generator = tf.keras.preprocessing.image.ImageDataGenerator(rescale=1.0 / 255, **ranges)
    flow = generator.flow_from_directory(
        folder, target_size=(image_size, image_size), batch_size=batch_size, class_mode="binary"
    )
    while True:  # Keras 3 would end an epoch where the folder ends: 63 batches of 32, not 100
        yield next(flow)


def convnet(image_size: int, dropout: bool) -> keras.Model:
    """Returns the compiled convnet of 5.2.3, with the dropout of 5.2.5 if asked for."""
    layers = keras.layers
    model = keras.models.Sequential([keras.Input((image_size, image_size, 3))])
    for filters in (32, 64, 128, 128):
        model.add(layers.Conv2D(filters, (3, 3), activation="relu"))
        model.add(layers.MaxPooling2D((2, 2)))
    model.add(layers.Flatten())
    if dropout:
        model.add(layers.Dropout(0.5))
    model.add(layers.Dense(512, activation="relu"))
    model.add(layers.Dense(1, activation="sigmoid"))
    return compiled(model, 1e-4)


def base(image_size: int) -> keras.Model:
    """Returns VGG16 without its top (5.3.1)."""
    model: keras.Model = keras.applications.VGG16(
        weights=None, include_top=False, input_shape=(image_size, image_size, 3)
    )
    weights.draw(model, weights.UNTRAINED_SEED)
    return model


def on_base(image_size: int, fine_tuned: bool) -> keras.Model:
    """Returns the compiled model of 5.3.1, frozen, or of 5.3.2, its last block not."""
    conv_base, layers = base(image_size), keras.layers
    model = keras.models.Sequential([conv_base, layers.Flatten()])
    model.add(layers.Dense(256, activation="relu"))
    model.add(layers.Dense(1, activation="sigmoid"))
    conv_base.trainable = fine_tuned
    if fine_tuned:
        trainable = False
        for layer in conv_base.layers:
            trainable = trainable or layer.name == "block5_conv1"
            layer.trainable = trainable
    return compiled(model, 1e-5 if fine_tuned else 2e-5)


def head(features: tuple[int, ...]) -> keras.Model:
    """Returns the compiled dense head of 5.3.1 on flat features."""
    layers = keras.layers
    model = keras.models.Sequential([keras.Input((int(np.prod(features)),))])
    model.add(layers.Dense(256, activation="relu"))
    model.add(layers.Dropout(0.5))
    model.add(layers.Dense(1, activation="sigmoid"))
    return compiled(model, 2e-5)


def compiled(model: keras.Model, learning_rate: float) -> keras.Model:
    """Returns the model, compiled as all of the chapter's are."""
    model.compile(
        loss="binary_crossentropy",
        optimizer=keras.optimizers.RMSprop(learning_rate=learning_rate),
        metrics=["acc"],
    )
    return model


class Told(keras.callbacks.Callback):  # type: ignore[misc]  # Keras is untyped
    """Answers with the seconds of every epoch, validation included, but those of the first."""

    def __init__(self, answers: TextIO, measure: str) -> None:
        super().__init__()
        self.answers, self.measure = answers, measure

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        seconds = time.perf_counter() - self.started
        if epoch:  # the first one traces the graph
            channel.answer(self.answers, {"measure": self.measure, "seconds": seconds})


MODELS: dict[str, Callable[[int], keras.Model]] = {
    "scratch": lambda size: convnet(size, dropout=False),
    "scratch_augmented": lambda size: convnet(size, dropout=True),
    "features_augmented": lambda size: on_base(size, fine_tuned=False),
    "fine_tuned": lambda size: on_base(size, fine_tuned=True),
}


def fit(request: dict[str, Any], folder: Path, answers: TextIO) -> None:
    """Trains with generators; every epoch has `steps` of training and `validation_steps`."""
    size, batch_size = request["image_size"], request["batch_size"]
    MODELS[request["rung"]](size).fit(
        batches(folder / "train", size, batch_size, request["augmented"]),
        steps_per_epoch=request["steps"],
        epochs=1 + request["repetitions"],
        validation_data=batches(folder / "validation", size, batch_size, augmented=False),
        validation_steps=request["validation_steps"],
        verbose=0,
        callbacks=[Told(answers, "epoch")],
    )


def features(request: dict[str, Any], folder: Path, answers: TextIO) -> None:
    """Times `predict` over batches of the folder, and the head's epochs on features of this size.

    The head's features are random, as many as the book's: 2,000 and 1,000.
    """
    size, batch_size = request["image_size"], request["batch_size"]
    conv_base = base(size)
    pictures = batches(folder / "train", size, batch_size, augmented=False)
    for repetition in range(1 + request["repetitions"]):
        started = time.perf_counter()
        for _ in range(request["steps"]):
            conv_base.predict(next(pictures)[0], verbose=0)
        if repetition:
            seconds = time.perf_counter() - started
            channel.answer(answers, {"measure": "extraction", "seconds": seconds})
    shape, random = conv_base.output_shape[1:], np.random.default_rng(0)
    counts = request["train_count"], request["validation_count"]
    arrays = [random.random((count, int(np.prod(shape))), np.float32) for count in counts]
    labels = [random.integers(0, 2, count).astype(np.float32) for count in counts]
    head(shape).fit(
        arrays[0],
        labels[0],
        epochs=1 + request["repetitions"],
        batch_size=batch_size,
        validation_data=(arrays[1], labels[1]),
        verbose=0,
        callbacks=[Told(answers, "epoch")],
    )


def main() -> None:
    """Answers with a line for every repetition of what was asked for, then ends."""
    request = channel.request()
    measure = features if request["rung"] == "features" else fit
    with channel.take_stdout() as answers:
        measure(request, Path(request["folder"]), answers)


if __name__ == "__main__":
    main()
