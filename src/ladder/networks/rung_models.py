"""A rung: built, trained, written with its description and history, read back."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from ladder import artifacts, paths, provenance, rungs, settings
from ladder.networks import bases, models, runtime, training
from ladder.networks.runtime import keras
from ladder.pictures import augmentation, manifests

PREDICTION_BATCH_SIZE = 100


def new(
    rung: rungs.Rung,
    manifest: pd.DataFrame,
    image_size: int,
    dropout: float,
    base: settings.Base | None,
    fed: paths.Inputs,
) -> tuple[keras.Model, models.Description]:
    """Returns the rung's model before training, its base with its weights, and how it is built."""
    description = models.Description(
        rung=rung,
        image_size=image_size,
        class_names=manifests.class_names(manifest),
        dropout=dropout,
        base=bases.resolved(base) if base else None,
        fed=fed,
    )
    model = models.build(description)
    if description.base is not None:
        models.load_base(model, description.base, paths.base_weights(description.base))
    return model, description


def fit(
    part: keras.Model,
    inputs: training.Inputs,
    held_out: NDArray[Any],
    manifest: pd.DataFrame,
    parameters: settings.Fit,
    seed: int,
    class_weight: settings.ClassWeight = "none",
    after: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Trains `part` on the train pictures' inputs and returns the history; see `training.fit`.

    `held_out` is what `part` takes for the validation pictures, in manifest order. With
    `class_weight` "balanced" every class has the same part in the loss of training. `after` is the
    history of `fit_on_small`: its epochs are done, and the history begins with them.
    """
    batches, weights = _batches(inputs, manifest, parameters, seed, class_weight)
    validation = held_out, manifests.labels(manifest, "validation")
    if after is None:
        return training.fit(part, batches, validation, parameters, weights)
    history = training.fit(part, batches, validation, parameters, weights, len(after))
    return pd.concat([after, history], ignore_index=True)


def fit_on_small(
    model: keras.Model,
    description: models.Description,
    pictures: NDArray[np.uint8],
    manifest: pd.DataFrame,
    parameters: settings.SmallFirst,
    ranges: settings.Ranges,
    seed: int,
    class_weight: settings.ClassWeight = "none",
) -> pd.DataFrame | None:
    """Trains the convnet's first epochs on smaller pictures and returns their history, if any.

    `pictures` are those of train, (n, S, S, 3). What is learned from small pictures, at a small
    cost, serves for larger ones (Tan and Le 2021, "EfficientNetV2"). It is not validated.
    """
    epochs = parameters.small_epochs(description.image_size)
    if not epochs:
        return None
    smaller = models.build(
        description.model_copy(update={"image_size": parameters.small_image_size})
    )
    small = augmentation.resized(pictures, parameters.small_image_size)
    inputs = training.augmented(small, ranges, seed)
    batches, weights = _batches(inputs, manifest, parameters, seed, class_weight)
    history = training.fit_first(smaller, batches, epochs, parameters, weights)
    models.enlarge(smaller, model)
    return history


def _batches(
    inputs: training.Inputs,
    manifest: pd.DataFrame,
    parameters: settings.Fit,
    seed: int,
    class_weight: settings.ClassWeight,
) -> tuple[training.Batches, dict[int, float] | None]:
    """Returns the train pictures' batches, and what a picture of each label counts."""
    labels = manifests.labels(manifest, "train")
    weights = training.balanced(labels) if class_weight == "balanced" else None
    return training.Batches(inputs, labels, parameters.batch_size, seed), weights


def images(
    files: paths.DatasetPaths, description: models.Description, subset: paths.Subset
) -> NDArray[np.uint8]:
    """Returns the subset's pictures (n, S, S, 3) as the whole model takes them, in order."""
    path = files.images(subset) if description.base is None else files.base_images(subset)
    return artifacts.read_npy(path)


def inputs(
    files: paths.DatasetPaths, description: models.Description, subset: paths.Subset
) -> NDArray[Any]:
    """Returns what the part of the model is fed for the subset's pictures, in manifest order."""
    if description.fed == "images":
        return images(files, description, subset)
    return artifacts.read_npy(files.inputs(description.fed, subset))


def views(
    files: paths.DatasetPaths,
    description: models.Description,
    augmentation: settings.Ranges,
    seed: int,
) -> training.Inputs:
    """Returns views of the train pictures: of images fresh ones every epoch, else the stored."""
    if description.fed == "images":
        return training.augmented(inputs(files, description, "train"), augmentation, seed)
    return training.cycled(artifacts.read_views(files.views(description.fed)))


def predict(part: keras.Model, inputs: NDArray[Any]) -> NDArray[np.float32]:
    """Returns the probabilities, (n, 1) or (n, k), for what the model, or its part, is fed."""
    starts = range(0, len(inputs), PREDICTION_BATCH_SIZE)
    # float32 whatever is stored, as in training
    batches = (np.asarray(inputs[i : i + PREDICTION_BATCH_SIZE], np.float32) for i in starts)
    bar = tqdm(batches, "predict", total=len(starts), unit="batch", disable=None)
    return np.concatenate([part.predict_on_batch(batch) for batch in bar])


def write(
    files: paths.DatasetPaths,
    model: keras.Model,
    description: models.Description,
    history: pd.DataFrame,
    parameters: settings.Fit,
    seed: int,
) -> None:
    """Writes weights, description and history, and logs them to the MLflow run that is open."""
    rung = description.rung
    fresh = models.rebuild(model, description)
    models.write(fresh, files.weights(rung))
    artifacts.write_csv(files.history(rung), history)
    machine = runtime.describe()
    content = {
        "model": description.model_dump(),
        "seed": seed,
        "parameters": parameters.model_dump(),
        "trainable_parameters": models.trainable_parameters(model),
        "fingerprint": provenance.fingerprint(Path()),  # of the code that trained it
        "runtime": machine,
    }
    artifacts.write_json(files.description(rung), content)
    _log(files, fresh, description, machine)
    print(line(rung, history))


def line(rung: rungs.Rung, history: pd.DataFrame) -> str:
    """Returns what a training came to, in a line; `history` is that of `training.fit`."""
    validated = history.dropna(subset="val_loss")
    best = validated.sort_values("val_loss", kind="stable").iloc[0]
    return (
        f"{rung}: validation accuracy {100 * best['val_accuracy']:.1f} %, epoch "
        f"{best['epoch']:.0f} of {len(history)}, {history['seconds'].sum():,.0f} s"
    )


def read(files: paths.DatasetPaths, rung: rungs.Rung) -> tuple[keras.Model, models.Description]:
    """Returns the rung's model and how it is built."""
    content = artifacts.read_json(files.description(rung))
    description = models.Description.model_validate(content["model"])
    return models.read(files.weights(rung), description), description


def restore_run(files: paths.DatasetPaths, rung: rungs.Rung) -> None:
    """Makes an MLflow run of a rung that DVC took from its cache, tagged as restored."""
    from ladder import tracking  # MLflow

    content = artifacts.read_json(files.description(rung))
    with tracking.run(rung, files.name, content["seed"], content["parameters"], restored=True):
        _log(files, *read(files, rung), content["runtime"])


def _log(
    files: paths.DatasetPaths,
    model: keras.Model,
    description: models.Description,
    machine: dict[str, str],
) -> None:
    from ladder import tracking  # MLflow, which stages that only read need not wait for

    tracking.log_training(
        pd.read_csv(files.history(description.rung)),
        model,
        artifacts.sha256(files.weights(description.rung)),
        files.manifest,
        description.class_names,
        machine,
    )
