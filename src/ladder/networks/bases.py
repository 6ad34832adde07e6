"""The pretrained bases: how each is built, what its pixels must look like, its layers' names."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ladder import errors, settings
from ladder.networks.runtime import keras

_IMAGENET_MEAN, _IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of RGB / 255
_CAFFE_MEAN = (103.939, 116.779, 123.68)  # of BGR


@dataclass(frozen=True)
class Base:
    """A row: the builder of `keras.applications` and the name of the layer it ends in."""

    build: Callable[..., keras.Model]
    output: str


BASES = {"vgg16": Base(keras.applications.VGG16, "block5_pool")}


def build(name: str) -> keras.Model:
    """Returns the base alone, with random weights: preprocessed pixels of any size → features."""
    return _apply(name, keras.Input((None, None, 3)))


def _apply(name: str, inputs: Any) -> keras.Model:
    model: keras.Model = BASES[name].build(
        include_top=False, weights=None, input_tensor=inputs, name=name
    )
    return model


def pretrained_by_keras(name: str) -> keras.Model:
    """Returns the base with the weights that `keras.applications` downloads."""
    model: keras.Model = BASES[name].build(include_top=False, weights="imagenet")
    return model


def extend(pixels: Any, base: settings.Base) -> Any:
    """Returns the base's features on top of raw pixels, as one flat graph."""
    return _apply(base.name, preprocess(pixels, base)).output


def preprocess(pixels: Any, base: settings.Base) -> Any:
    """Returns raw RGB pixels in [0, 255] as the weights want them, or by the book's 1/255 alone.

    In float32 whatever the precision: bfloat16 would round the pixels to eight bits twice.
    """
    if base.preprocessing == "book" or base.weights == "none":
        scale: Any = 1 / 255
        offset: Any = 0.0
    elif base.weights == "torchvision":
        scale = [1 / (255 * deviation) for deviation in _IMAGENET_DEVIATION]
        offset = [-m / d for m, d in zip(_IMAGENET_MEAN, _IMAGENET_DEVIATION, strict=True)]
    else:
        pixels = keras.ops.flip(pixels, axis=-1)
        scale, offset = 1.0, [-mean for mean in _CAFFE_MEAN]
    layer = keras.layers.Rescaling(scale, offset, dtype="float32", name="preprocessing")
    return layer(pixels)


def convolutions(model: keras.Model) -> list[keras.layers.Layer]:
    """Returns the convolution layers from the pixels on."""
    return [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]


def check_layer(model: keras.Model, name: str) -> None:
    """Checks that the model has a layer of this name.

    Raises:
        InputError: it has none; the message lists those it has.
    """
    names = [layer.name for layer in model.layers]
    if name not in names:
        raise errors.InputError(
            "name of a layer",
            expected=f"one of {', '.join(names)}",
            received=name,
            advice="Correct base.cut, fine_tune.unfreeze_from or interpretation.filter_layers in "
            "params.yaml.",
        )
