"""VGG16 with a dense head (DLwP 5.3), trained from what is stored of its frozen part."""

import functools
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ladder import settings
from ladder.experiments import animals, plan
from ladder.networks import bases, models, rung_models, runtime, training
from ladder.networks.runtime import keras

OUTPUT, HEAD = "block5_pool", "flatten"  # of the base; the first layer of the head
PRETRAINED = settings.Base(
    name="vgg16",
    image_size=None,
    weights="torchvision",
    weights_file=None,
    weights_sha256=None,
    preprocessing="imagenet",
    cut="block4_pool",
    output="block5_pool",
)
BASE = bases.resolved(PRETRAINED)


def network(seed: int, image_size: int, dropout: float, weights: Path) -> keras.Model:
    """Returns VGG16 with its weights and a fresh head: (n, S, S, 3) in [0, 255] → (n, 1)."""
    keras.utils.set_random_seed(seed)
    model = models.build(_description(image_size, dropout))
    models.load_base(model, BASE, weights)
    return model


def _description(image_size: int, dropout: float) -> models.Description:
    return models.Description(
        rung="fine_tuned",
        image_size=image_size,
        class_names=[*animals.NAMES],
        dropout=dropout,
        base=BASE,
        fed="activations",
    )


def outputs(part: keras.Model, images: NDArray[Any]) -> list[NDArray[np.float16]]:
    """Returns what layers give for images, or for activations; `part` is of `models.between`."""
    size = rung_models.PREDICTION_BATCH_SIZE
    batches = []
    for start in tqdm(range(0, len(images), size), "extract", unit="batch", disable=None):
        pixels = images[start : start + size].astype(np.float32)
        maps = keras.tree.flatten(part.predict_on_batch(pixels))
        batches.append([each.astype(np.float16) for each in maps])
    return [np.concatenate(parts) for parts in zip(*batches, strict=True)]


def last_block(model: keras.Model) -> keras.Model:
    """Returns the part from the cut to the features."""
    return keras.Model(model.get_layer(BASE.cut).output, model.get_layer(OUTPUT).output)


def part_from(model: keras.Model, layer: str) -> keras.Model:
    """Returns the part that follows a layer's output; of the pixels the whole model."""
    return model if layer == model.layers[0].name else models.tail(model, layer)


def train(
    model: keras.Model,
    unfreeze_from: str,
    layer: str,
    inputs: training.Inputs,
    labels: NDArray[np.uint8],
    fit: plan.Fit,
    seed: int,
) -> float:
    """Trains the layers from `unfreeze_from` on, in place, and returns the seconds of an epoch.

    `inputs` are what `layer` gives for the train pictures. The last epoch's weights are kept. The
    seconds are the fewest of any epoch: the first waits for TensorFlow to trace the network.
    """
    models.freeze(model, unfreeze_from)
    part = part_from(model, layer)
    batches = training.Batches(inputs, labels.astype(np.int64), fit.batch_size, seed)
    history = training.fit_first(part, batches, fit.epochs, fit.constant())
    return float(history["seconds"].min())


def train_and_watch(
    model: keras.Model,
    inputs: training.Inputs,
    labels: NDArray[np.uint8],
    held_out: NDArray[np.float16],
    fit: plan.Fit,
    seed: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Trains the head in place and looks at it after every epoch.

    `inputs` and `held_out` are features. Returns the probabilities of `held_out` (epochs, n), and
    the accuracies on what was trained on, while it was (epochs,).
    """
    models.freeze(model, HEAD)
    head = models.tail(model, OUTPUT)
    batches = training.Batches(inputs, labels.astype(np.int64), fit.batch_size, seed)
    training.compile_for(head, fit.learning_rate)
    probabilities, accuracies = [], []
    for epoch in tqdm(range(fit.epochs), "epochs", disable=None):
        following = training.dataset(functools.partial(batches.endless, epoch))
        history = head.fit(
            following, steps_per_epoch=batches.per_epoch, shuffle=False, verbose=0
        ).history
        accuracies.append(history["accuracy"][0])
        probabilities.append(rung_models.predict(head, held_out)[:, 0])
    return np.stack(probabilities), np.array(accuracies, np.float32)


def right(
    part: keras.Model, inputs: NDArray[np.float16] | NDArray[np.uint8], labels: NDArray[np.uint8]
) -> NDArray[np.bool_]:
    """Returns for each picture whether the more probable label is the true one (n,)."""
    is_right: NDArray[np.bool_] = (rung_models.predict(part, inputs)[:, 0] > 0.5) == labels
    return is_right


def set_head(model: keras.Model, weights: list[NDArray[np.float32]]) -> None:
    """Sets the head's weights to those among `weights`, which are of the whole model."""
    names = [layer.name for layer in model.layers]
    below = sum(len(layer.weights) for layer in model.layers[: names.index(HEAD)])
    model.set_weights([*model.get_weights()[:below], *weights[below:]])


def weights_of(model: keras.Model, start: str) -> NDArray[np.float32]:
    """Returns the numbers in the base's layers from `start` on, one after another."""
    names = [layer.name for layer in model.layers]
    layers = model.layers[names.index(start) : names.index(HEAD)]
    return np.concatenate([w.ravel() for layer in layers for w in layer.get_weights()])


def moved(before: NDArray[np.float32], after: NDArray[np.float32]) -> float:
    """Returns how far weights are from where they were, as a share of their own length."""
    return float(np.linalg.norm(after - before) / np.linalg.norm(before))


def in_float32(model: keras.Model, dropout: float) -> keras.Model:
    """Returns the same network, computing in float32 whatever the policy."""
    with runtime.computing_in("float32"):
        copy = models.build(_description(model.input_shape[1], dropout))
    copy.set_weights(model.get_weights())
    return copy
