"""How long a climb will take, and how much room, told before it begins."""

from collections.abc import Mapping

from ladder import paths, settings

PREDICT = 2.0  # passes of the held-out pictures through the convnets
STAGES, NETWORK_STAGES = 26, 19  # all; those that start TensorFlow
PER_STAGE = 3.0  # seconds that DVC and a stage without TensorFlow take
AUTO_LAYERS = 5  # whose filters are looked at
BACKWARD = 3.0  # a training step's cost, in forward passes
HEAD_RATE = 4_000.0  # pictures a second in a training of a dense head on stored features
BYTES = {"float16": 2, "float32": 4}


def seconds(
    params: settings.Settings,
    pictures: Mapping[paths.Subset, int],
    decoded: float,
    rates: Mapping[str, float],
    start: float,
) -> dict[str, float]:
    """Returns about how many seconds the parts of a climb will take.

    `pictures` are those of each subset, `decoded` how many a second are decoded, `rates` those of
    `probe.rates`, and `start` how many seconds TensorFlow takes to start. It is an upper bound
    where trainings end early.
    """
    train, everything = pictures["train"], sum(pictures.values())
    views = params.augmentation.views
    end_to_end, fine_tune = params.train_end_to_end, params.fine_tune
    if views:
        heads = HEAD_RATE
        tail = rates["base"] / (params.base.names.last_block * BACKWARD)
    else:
        heads, tail = rates["base"], rates["base"] / BACKWARD
    held_out = everything - train
    plain, augmented = params.train_scratch, params.train_scratch_augmented
    small_epochs = augmented.small_epochs(params.image_size)
    of_small = (augmented.small_image_size / params.image_size) ** 2  # an epoch's cost
    epochs = plain.epochs + augmented.epochs - small_epochs * (1 - of_small)
    validations = plain.epochs / plain.validate_every
    validations += (augmented.epochs - small_epochs) / augmented.validate_every
    passes = epochs * train + validations * held_out / BACKWARD
    return {
        "pictures": (1 + len(_sizes(params))) * everything / decoded,  # examined, then decoded
        "features": (everything + views * train) / rates["base"],
        "from scratch": passes / rates["scratch"],
        "heads": (params.train_head.epochs / HEAD_RATE + end_to_end.epochs / heads) * train,
        "fine-tuning": fine_tune.epochs * train / tail,
        "patterns": _pattern_steps(params) * BACKWARD / rates["base"],
        "the rest": PER_STAGE * STAGES
        + start * NETWORK_STAGES
        + PREDICT * held_out / rates["scratch"],
    }


def _sizes(params: settings.Settings) -> set[int]:
    """Returns the sizes that pictures are decoded to, in pixels."""
    return {params.image_size, params.base.pictures_size(params.image_size)}


def _pattern_steps(params: settings.Settings) -> float:
    """Returns the steps of gradient ascent, in passes of a picture of the base's size."""
    looks, size = params.interpretation, params.base.pictures_size(params.image_size)
    layers = AUTO_LAYERS if looks.filter_layers == settings.AUTO else len(looks.filter_layers)
    return layers * looks.filters_per_layer * looks.steps * (looks.pattern_size / size) ** 2


def room(params: settings.Settings, pictures: Mapping[paths.Subset, int], originals: int) -> int:
    """Returns about how many bytes on the disk a climb needs; `originals` are your pictures'.

    Pictures are stored as they are and decoded. The base's features and activations of every
    picture and every view are stored as numbers. While a climb runs, all of it lies there twice:
    DVC copies it into its cache, but for disks that share blocks between files.
    """
    everything, size = sum(pictures.values()), params.base.pictures_size(params.image_size)
    numbers = sum(
        channels * ((size // stride) ** 2 if stride else 1)
        for stride, channels in params.base.names.stored
    )
    stored = everything + params.augmentation.views * pictures["train"]
    once = (
        originals
        + everything * sum(side * side * 3 for side in _sizes(params))
        + stored * numbers * BYTES[params.extraction.storage]
    )
    return 2 * once
