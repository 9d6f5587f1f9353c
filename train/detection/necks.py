"""From a body's feature maps to those that anchors sit on."""

from collections.abc import Sequence

import keras

from train.detection.layers import convolve, normalize_maps

BODY_STRIDES = (16, 32)
PYRAMID_BODY_STRIDES = (8, 16, 32)
PYRAMID_CHANNELS = 128

_EXTRA_CHANNELS = (512, 256, 256, 128)
_EXTRA_PYRAMID_LEVELS = 2


def plan_cells(size: int, *, pyramid: bool) -> tuple[int, ...]:
    """Return the rows of each feature map, finest first, of a square input whose side is a multiple of 32."""
    cells = [size // stride for stride in (PYRAMID_BODY_STRIDES if pyramid else BODY_STRIDES)]
    for _ in range(_EXTRA_PYRAMID_LEVELS if pyramid else len(_EXTRA_CHANNELS)):
        if cells[-1] > 1:
            cells.append((cells[-1] + 1) // 2)
    return tuple(cells)


def add_extra_maps(
    maps: Sequence[keras.KerasTensor], cells: Sequence[int], *, separable: bool
) -> list[keras.KerasTensor]:
    """Append ever coarser maps, each made of the one before.

    Sources: Liu et al., "SSD", ECCV 2016, section 2.1; with separable convolutions Sandler et al., "MobileNetV2", CVPR
    2018, section 6.2.

    Args:
        maps: The body's, finest first.
        cells: Rows of each map that is wanted, the body's first.
        separable: Whether convolutions are separable.
    """
    maps = list(maps)
    for index, channels in enumerate(_EXTRA_CHANNELS[: len(cells) - len(maps)]):
        narrow = convolve(maps[-1], f"extra_{index}_narrow", channels // 2, 1, separable=separable)
        maps.append(convolve(narrow, f"extra_{index}", channels, 3, 2, separable=separable))
    return maps


def build_pyramid(
    maps: Sequence[keras.KerasTensor], cells: Sequence[int], *, separable: bool
) -> list[keras.KerasTensor]:
    """Merge coarse maps into finer ones, so that all carry meaning, and append coarser ones.

    Sources: Lin et al., "Feature Pyramid Networks for Object Detection", CVPR 2017, with the further levels of Lin et
    al., "Focal Loss", ICCV 2017; with separable convolutions it is the FPN-Lite of the TensorFlow Object Detection API.

    Args:
        maps: The body's, finest first, each with twice the rows of the next.
        cells: Rows of each map that is wanted, the body's first.
        separable: Whether convolutions are separable.
    """
    merged: list[keras.KerasTensor] = []
    for level in reversed(range(len(maps))):
        lateral = keras.layers.Conv2D(PYRAMID_CHANNELS, 1, use_bias=False, name=f"lateral_{level}")
        narrow = normalize_maps(lateral(maps[level]), lateral.name)
        if merged:
            # UpSampling2D repeats along new axes, and Edge TPUs take no tensors of five dimensions.
            upsample = keras.layers.Resizing(*narrow.shape[1:3], "nearest", name=f"upsample_{level}")
            # It is made for augmentation: unless told otherwise, it has the batch norms behind it train.
            above = upsample(merged[0], training=False)
            narrow = keras.layers.Add(name=f"merge_{level}")([narrow, above])
        merged.insert(0, narrow)
    smooth = [
        convolve(each, f"smooth_{level}", PYRAMID_CHANNELS, 3, separable=separable) for level, each in enumerate(merged)
    ]
    for index in range(len(cells) - len(smooth)):
        smooth.append(convolve(smooth[-1], f"extra_{index}", PYRAMID_CHANNELS, 3, 2, separable=separable))
    return smooth
