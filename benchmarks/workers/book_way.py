"""The book's own code of chapter 5, as its notebooks have it, in Keras 3 (DLwP 5.2 and 5.3).

`ImageDataGenerator` decodes and augments pictures anew whenever they are needed. Every picture goes
through all layers in float32. The base's weights are random: speed does not depend on them. Two
lines differ from the notebooks, in the book's favour or of no consequence: the progress bar of
`predict` is off, and the generators are endless, as Keras 2 had them.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from benchmarks.workers import channel
from ladder.networks import runtime, weights

Batch = tuple[NDArray[np.float32], NDArray[np.float32]]

FIFTHS = ("width_shift_range", "height_shift_range", "shear_range", "zoom_range")
AUGMENTATION = {"rotation_range": 40, **dict.fromkeys(FIFTHS, 0.2), "horizontal_flip": True}


def batches(folder: Path, image_size: int, batch_size: int, augmented: bool) -> Iterator[Batch]:
    """Yields batches of a folder with a folder per class, over and over (5.2.4; 5.2.5)."""
    ranges = AUGMENTATION if augmented else {}
    image = runtime.tf.keras.preprocessing.image
    flow = image.ImageDataGenerator(rescale=1.0 / 255, **ranges).flow_from_directory(
        folder, target_size=(image_size, image_size), batch_size=batch_size, class_mode="binary"
    )
    while True:  # Keras 3 would end an epoch where the folder ends: 63 batches of 32, not 100
        yield next(flow)


def convnet(image_size: int, dropout: bool) -> runtime.keras.Model:
    """Returns the compiled convnet of 5.2.3, with the dropout of 5.2.5 if asked for."""
    layers = runtime.keras.layers
    stack = [runtime.keras.Input((image_size, image_size, 3))]
    for filters in (32, 64, 128, 128):
        stack += [layers.Conv2D(filters, (3, 3), activation="relu"), layers.MaxPooling2D((2, 2))]
    stack += [layers.Flatten(), *([layers.Dropout(0.5)] if dropout else [])]
    return compiled([*stack, layers.Dense(512, activation="relu")], 1e-4)


def base(image_size: int) -> runtime.keras.Model:
    """Returns VGG16 without its top (5.3.1)."""
    model: runtime.keras.Model = runtime.keras.applications.VGG16(
        weights=None, include_top=False, input_shape=(image_size, image_size, 3)
    )
    weights.draw(model, weights.UNTRAINED_SEED)
    return model


def on_base(image_size: int, fine_tuned: bool) -> runtime.keras.Model:
    """Returns the compiled model of 5.3.1, frozen, or of 5.3.2, its last block not."""
    conv_base, layers = base(image_size), runtime.keras.layers
    conv_base.trainable = fine_tuned
    if fine_tuned:
        for layer in conv_base.layers:
            layer.trainable = layer.name.startswith("block5")
    stack = [conv_base, layers.Flatten(), layers.Dense(256, activation="relu")]
    return compiled(stack, 1e-5 if fine_tuned else 2e-5)


def head(features: tuple[int, ...]) -> runtime.keras.Model:
    """Returns the compiled dense head of 5.3.1 on flat features."""
    layers = runtime.keras.layers
    inputs = runtime.keras.Input((int(np.prod(features)),))
    return compiled([inputs, layers.Dense(256, activation="relu"), layers.Dropout(0.5)], 2e-5)


def compiled(stack: list[Any], learning_rate: float) -> runtime.keras.Model:
    """Returns a model of these layers and the chapter's last one, compiled as all of them are."""
    keras = runtime.keras
    model = keras.models.Sequential([*stack, keras.layers.Dense(1, activation="sigmoid")])
    optimizer = keras.optimizers.RMSprop(learning_rate=learning_rate)
    model.compile(loss="binary_crossentropy", optimizer=optimizer, metrics=["acc"])
    return model


def report(answers: TextIO, measure: str, started: float) -> None:
    """Answers with the seconds of a repetition that ends now."""
    seconds = time.perf_counter() - started
    print(json.dumps({"measure": measure, "seconds": seconds}), file=answers)


class EpochTimer(runtime.keras.callbacks.Callback):  # type: ignore[misc]  # Keras is untyped
    """Answers with the seconds of every epoch but the first, validation included."""

    def __init__(self, answers: TextIO) -> None:
        super().__init__()
        self.answers = answers

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if epoch:  # the first one traces the graph
            report(self.answers, "epoch", self.started)


def fit(request: dict[str, Any], folder: Path, answers: TextIO) -> None:
    """Trains with generators. Every epoch has `steps` of training and `validation_steps`."""
    size, batch_size, rung = request["image_size"], request["batch_size"], request["rung"]
    if rung.startswith("scratch"):
        model = convnet(size, dropout=rung == "scratch_augmented")
    else:
        model = on_base(size, fine_tuned=rung == "fine_tuned")
    model.fit(
        batches(folder / "train", size, batch_size, request["augmented"]),
        steps_per_epoch=request["steps"],
        epochs=1 + request["repetitions"],
        validation_data=batches(folder / "validation", size, batch_size, augmented=False),
        validation_steps=request["validation_steps"],
        verbose=0,
        callbacks=[EpochTimer(answers)],
    )


def features(request: dict[str, Any], folder: Path, answers: TextIO) -> None:
    """Times `predict` over batches of the folder, and the head's epochs.

    The head's features are random, of the same size and as many as the book's.
    """
    size, batch_size = request["image_size"], request["batch_size"]
    conv_base = base(size)
    pictures = batches(folder / "train", size, batch_size, augmented=False)
    for repetition in range(1 + request["repetitions"]):
        started = time.perf_counter()
        for _ in range(request["steps"]):
            conv_base.predict(next(pictures)[0], verbose=0)
        if repetition:  # the first one traces the graph
            report(answers, "extraction", started)
    shape, random = conv_base.output_shape[1:], np.random.default_rng(0)
    train, validation = (
        (random.random((count, int(np.prod(shape))), np.float32), random.integers(0, 2, count))
        for count in (2000, 1000)
    )
    head(shape).fit(
        *train,
        epochs=1 + request["repetitions"],
        batch_size=batch_size,
        validation_data=validation,
        verbose=0,
        callbacks=[EpochTimer(answers)],
    )


def main() -> None:
    """Answers with a line for every repetition of the rung's measures, then ends."""
    request = channel.request()
    measure = features if request["rung"] == "features" else fit
    with channel.take_stdout() as answers:
        measure(request, Path(request["folder"]), answers)


if __name__ == "__main__":
    main()
