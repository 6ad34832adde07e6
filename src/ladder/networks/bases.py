"""The pretrained bases: how each is built, what its pixels must look like, where it is cut."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from ladder import base_names, errors, settings
from ladder.networks import efficientnet_lite
from ladder.networks.runtime import keras

_IMAGENET_MEAN, _IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of RGB / 255
_CAFFE_MEAN = (103.939, 116.779, 123.68)  # of BGR

# What pixels in [0, 255] become: RGB in [0, 1] less ImageNet's mean, by its deviation; BGR less its
# mean; RGB in [-1, 1]; RGB less 127, by 128.
Scaling = Literal["torch", "caffe", "unit", "lite"]


@dataclass(frozen=True)
class Base:
    """A row: the builder, as those of `keras.applications`, and what is decided for the base.

    Its batch normalisations and dropouts stay as in prediction, also where it is unfrozen.
    """

    build: Callable[..., keras.Model]
    scaling: Scaling  # that the weights of its authors want, which `keras.applications` has
    output: str  # the layer whose output are the features
    cut: str  # for `base.cut: auto`: what follows is fine-tuned; see `resolved`
    filter_layers: tuple[str, ...]  # for `interpretation.filter_layers: auto`
    pooled: bool = True  # the features are averages over the picture; False: as in the book
    has_preprocessing: bool = False  # the builder's own, which is left out


def _lite(width: float, depth: float, cut: str) -> Base:
    """EfficientNet-Lite of some width and depth, times those of Lite0."""
    first = tuple(f"block{stage}a_expand_conv" for stage in (2, 3, 4, 6))
    build = efficientnet_lite.builder(width, depth)
    return Base(build, "lite", "avg_pool", cut, (*first, "top_conv"))


_BLOCKS = tuple(f"block{i}_conv1" for i in range(1, 6))
_POOLED = "global_average_pooling2d"
POOLED_OUTPUT = "pooled_output"  # the layer that is put on an output before the row's
_APPLICATIONS = keras.applications

BASES = {
    "vgg16": Base(
        _APPLICATIONS.VGG16, "caffe", "block5_pool", "block4_pool", _BLOCKS, pooled=False
    ),
    "vgg19": Base(
        _APPLICATIONS.VGG19, "caffe", "block5_pool", "block4_pool", _BLOCKS, pooled=False
    ),
    "resnet50": Base(
        _APPLICATIONS.ResNet50,
        "caffe",
        "avg_pool",
        "conv4_block6_out",
        ("conv1_conv", *(f"conv{i}_block1_2_conv" for i in range(2, 6))),
    ),
    "xception": Base(
        _APPLICATIONS.Xception,
        "unit",
        _POOLED,
        "add_11",
        ("block1_conv2", "conv2d", "conv2d_1", "conv2d_2", "conv2d_3"),
    ),
    "inception_v3": Base(
        _APPLICATIONS.InceptionV3,
        "unit",
        _POOLED,
        "mixed8",
        ("conv2d_2", "conv2d_4", "conv2d_26", "conv2d_30", "conv2d_85"),
    ),
    "mobilenet": Base(
        _APPLICATIONS.MobileNet,
        "unit",
        _POOLED,
        "conv_pw_11_relu",
        ("conv_pw_1", "conv_pw_3", "conv_pw_5", "conv_pw_9", "conv_pw_13"),
    ),
    "mobilenet_v2": Base(
        _APPLICATIONS.MobileNetV2,
        "unit",
        _POOLED,
        "block_12_add",
        ("block_1_expand", "block_3_expand", "block_6_expand", "block_13_expand", "Conv_1"),
    ),
    "efficientnet_v2_b0": Base(
        _APPLICATIONS.EfficientNetV2B0,
        "torch",
        "avg_pool",
        "block5e_add",
        (*(f"block{i}a_expand_conv" for i in (2, 3, 4, 6)), "top_conv"),
        has_preprocessing=True,
    ),
    "convnext_tiny": Base(
        _APPLICATIONS.ConvNeXtTiny,
        "torch",
        "layer_normalization",
        "convnext_tiny_downsampling_block_2",
        tuple(
            f"convnext_tiny_stage_{stage}_block_{block}_depthwise_conv"
            for stage, block in ((0, 0), (1, 0), (2, 0), (2, 8), (3, 2))
        ),
        has_preprocessing=True,
    ),
    "efficientnet_lite0": _lite(1.0, 1.0, "block6d_add"),
    "efficientnet_lite1": _lite(1.0, 1.1, "block6e_add"),
    "efficientnet_lite2": _lite(1.1, 1.2, "block6e_add"),
}


def build(name: str) -> keras.Model:
    """Returns the base alone, with random weights: preprocessed pixels of any size → features."""
    return _apply(name, keras.Input((None, None, 3)))


def _apply(name: str, inputs: Any) -> keras.Model:
    model = _build(name, weights=None, input_tensor=inputs)
    _name_as_in_a_fresh_process(model)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0  # else a frozen layer would answer otherwise every time
    return model


def _build(name: str, **arguments: Any) -> keras.Model:
    row = BASES[name]
    if row.pooled:
        arguments["pooling"] = "avg"
    if row.has_preprocessing:
        arguments["include_preprocessing"] = False
    model: keras.Model = row.build(include_top=False, **arguments)
    model.name = name  # which the builders call otherwise
    return model


def _name_as_in_a_fresh_process(model: keras.Model) -> None:
    """Counts from the first again the layers that Keras named by their class: conv2d, conv2d_1."""
    numbered: dict[str, list[tuple[int, keras.layers.Layer]]] = {}
    for layer in model.layers:
        stem = re.sub(r"_\d+$", "", layer.name)
        if stem.replace("_", "") == type(layer).__name__.lower():
            number = int(layer.name.removeprefix(stem).strip("_") or 0)
            numbered.setdefault(stem, []).append((number, layer))
    for stem, layers in numbered.items():
        ordered = sorted(layers, key=lambda pair: pair[0])
        for i, (_, layer) in enumerate(ordered):
            layer.name = f"{stem}_{i}" if i else stem


def pretrained_by_keras(name: str) -> keras.Model:
    """Returns the base with the weights that `keras.applications` downloads."""
    return _build(name, weights="imagenet")


def resolved(base: settings.Base) -> settings.BuiltBase:
    """Returns what a model's description holds of the base, with layers' names for `auto`.

    The cut is the row's; before another output than the row's, as many layers before it.
    """
    row, layers = BASES[base.name], base.names.layers
    output = row.output if base.output == settings.AUTO else base.output
    after_cut = layers.index(row.output) - layers.index(row.cut)
    cut = layers[max(0, layers.index(output) - after_cut)]
    return settings.BuiltBase(
        name=base.name,
        weights=base.weights,
        preprocessing=base.preprocessing,
        cut=cut if base.cut == settings.AUTO else base.cut,
        output=output,
    )


def features(base: settings.BuiltBase) -> str:
    """Returns the name of the layer that gives the features, within a model of `extend`."""
    row = BASES[base.name]
    if base.output in (settings.AUTO, row.output):
        return row.output
    return POOLED_OUTPUT if row.pooled else base.output


def filter_layers(base: settings.BuiltBase, names: list[str] | Literal["auto"]) -> list[str]:
    """Returns the convolutions whose filters are drawn: the row's for `auto`."""
    return names if isinstance(names, list) else [*BASES[base.name].filter_layers]


def ends_of_blocks(base: settings.BuiltBase) -> tuple[str, ...]:
    """Returns the layers through which everything flows, without the features.

    None where the features are the last layer's maps: there every layer is worth a look.
    """
    layers, row = base_names.BASES[base.name].layers, BASES[base.name]
    if not row.pooled:
        return ()
    return layers[: layers.index(base.output) + 1] if features(base) != row.output else layers[:-1]


def extend(pixels: Any, base: settings.BuiltBase) -> Any:
    """Returns the base's features on top of raw pixels, as one flat graph.

    With an output before the row's, the base ends there, pooled where the row is.
    """
    model, layer = _apply(base.name, preprocess(pixels, base)), features(base)
    if layer == POOLED_OUTPUT:
        maps = model.get_layer(base.output).output
        return keras.layers.GlobalAveragePooling2D(name=POOLED_OUTPUT)(maps)
    return model.get_layer(layer).output


def preprocess(pixels: Any, base: settings.BuiltBase) -> Any:
    """Returns raw RGB pixels in [0, 255] as the weights want them, or by the book's 1/255 alone.

    In float32 whatever the precision: bfloat16 would round the pixels to eight bits twice.
    """
    offset: Any = 0.0
    if base.preprocessing == "book" or base.weights == "none":
        scale: Any = 1 / 255
    else:
        scaling = "torch" if base.weights == "torchvision" else BASES[base.name].scaling
        if scaling == "torch":
            scale = [1 / (255 * deviation) for deviation in _IMAGENET_DEVIATION]
            offset = [-m / d for m, d in zip(_IMAGENET_MEAN, _IMAGENET_DEVIATION, strict=True)]
        elif scaling == "caffe":
            pixels = keras.ops.flip(pixels, axis=-1)
            scale, offset = 1.0, [-mean for mean in _CAFFE_MEAN]
        elif scaling == "unit":
            scale, offset = 1 / 127.5, -1.0
        else:
            scale, offset = 1 / 128, -127 / 128
    layer = keras.layers.Rescaling(scale, offset, dtype="float32", name="preprocessing")
    return layer(pixels)


def layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """Yields the layers from the pixels on, those of a model inside it in its place."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from layers(layer)
        else:
            yield layer


def convolutions(model: keras.Model) -> list[keras.layers.Layer]:
    """Returns the convolution layers from the pixels on."""
    kinds = (keras.layers.Conv2D, keras.layers.SeparableConv2D)
    return [layer for layer in layers(model) if isinstance(layer, kinds)]


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
