"""The arithmetic of a climb that has ended: what its networks cost, by stage.

Trainings, extraction and prediction count; looking into networks does not. The epochs are those
that were run, not those that were planned.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.workers import channel
from benchmarks.workers.multiply_adds import Phase, total
from ladder import artifacts, paths, rungs, settings
from ladder.networks import bases, models
from ladder.networks.runtime import keras

FROZEN_BUT_HEAD = "flatten"  # the layer from which rung 3 trains


def of_climb(folder: Path) -> dict[str, Any]:
    """Returns the `multiply_adds` by stage and the `precision` of the climb in a folder.

    Raises:
        ValueError: a network is built here otherwise than the climb trained it.
    """
    params = settings.read(folder / settings.PARAMS)
    files = paths.DatasetPaths(params.dataset.name)
    subsets = artifacts.read_csv(folder / files.manifest)["subset"]
    counts = {subset: int((subsets == subset).sum()) for subset in paths.SUBSETS}
    phases = dict(extraction(params, counts))
    precisions = set()
    for rung in rungs.RUNGS:
        content = artifacts.read_json(folder / files.description(rung))
        history = pd.read_csv(folder / files.history(rung))
        model = part_trained(rung, content)
        first = first_epochs(content, counts["train"])
        phases[rungs.TABLE[rung].stage] = first + training(model, history, counts, first)
        phases[f"predict@{rung}"] = [Phase(model, counts["validation"] + counts["test"])]
        precisions.add(content["runtime"]["policy"].removeprefix("mixed_"))
    (precision,) = precisions
    multiply_adds = {stage: total(of_stage) for stage, of_stage in phases.items()}
    return {"precision": precision, "multiply_adds": multiply_adds}


def extraction(
    params: settings.Settings, counts: dict[paths.Subset, int]
) -> Iterator[tuple[str, list[Phase]]]:
    """Yields the stages that send pictures, and views of them, through the frozen base."""
    built, size = bases.resolved(params.base), params.base.pictures_size(params.image_size)
    pixels = keras.Input((size, size, 3))
    base = keras.Model(pixels, bases.extend(pixels, built))
    yield "extract_features", [Phase(base, sum(counts.values()))]
    yield "extract_views", [Phase(base, counts["train"], params.augmentation.views)]


def part_trained(rung: rungs.Rung, content: dict[str, Any]) -> keras.Model:
    """Returns the part of a rung's model that was trained, frozen as its stage froze it.

    Raises:
        ValueError: it has not as many parameters that train as the stage wrote down.
    """
    description = models.Description.model_validate(content["model"])
    model = models.build(description)
    if description.base is not None:
        first = content["parameters"].get("unfreeze_from", FROZEN_BUT_HEAD)
        models.freeze(model, models.unfrozen_from(model, description, first))
    received, expected = models.trainable_parameters(model), content["trainable_parameters"]
    if received != expected:
        raise ValueError(
            f"{rung}: expected {expected:,} parameters to train, received {received:,}"
        )
    return models.part_fed(model, description)


def first_epochs(content: dict[str, Any], pictures: int) -> list[Phase]:
    """Returns the epochs that a convnet was trained with on smaller pictures, if there are any."""
    if "small_share" not in content["parameters"]:
        return []
    parameters = settings.SmallFirst.model_validate(content["parameters"])
    description = models.Description.model_validate(content["model"])
    epochs = parameters.small_epochs(description.image_size)
    if not epochs:
        return []
    size = {"image_size": parameters.small_image_size}
    smaller = models.build(description.model_copy(update=size))
    return [Phase(smaller, pictures, epochs, trains=True)]


def training(
    model: keras.Model,
    history: pd.DataFrame,
    counts: dict[paths.Subset, int],
    first: Sequence[Phase],
) -> list[Phase]:
    """Returns the epochs of a history after the first, and the validations, which not all have."""
    epochs = len(history) - sum(phase.epochs for phase in first)
    return [
        Phase(model, counts["train"], epochs, trains=True),
        Phase(model, counts["validation"], int(history["val_loss"].notna().sum())),
    ]


def start(request: dict[str, Any]) -> tuple[dict[str, Any], channel.Repetition]:
    """Returns the arithmetic of the climb in the folder of the request; nothing is repeated."""
    return of_climb(Path(request["folder"])), dict


if __name__ == "__main__":
    channel.serve(start)
