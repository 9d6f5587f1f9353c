"""EfficientNet-Lite, which Keras does not have: EfficientNet without squeeze-and-excitation, with ReLU6 for swish.

Source: Tan & Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019, and the notes
of the authors' TPU repository on the Lite variants: stem and head keep their width, first and last stage their depth.
"""

import math
from dataclasses import dataclass

import keras

_NORM_EPSILON = 1e-3
_STEM_CHANNELS = 32
_HEAD_CHANNELS = 1280


@dataclass(frozen=True, slots=True)
class Scaling:
    """How one member of the family grows out of the smallest.

    Attributes:
        width: Factor on the channels of each stage.
        depth: Factor on the blocks of each stage but the first and the last.
    """

    width: float
    depth: float


@dataclass(frozen=True, slots=True)
class _Stage:
    kernel: int
    blocks: int
    channels: int
    expansion: int
    stride: int


_STAGES = (
    _Stage(kernel=3, blocks=1, channels=16, expansion=1, stride=1),
    _Stage(kernel=3, blocks=2, channels=24, expansion=6, stride=2),
    _Stage(kernel=5, blocks=2, channels=40, expansion=6, stride=2),
    _Stage(kernel=3, blocks=3, channels=80, expansion=6, stride=2),
    _Stage(kernel=5, blocks=3, channels=112, expansion=6, stride=1),
    _Stage(kernel=5, blocks=4, channels=192, expansion=6, stride=2),
    _Stage(kernel=3, blocks=1, channels=320, expansion=6, stride=1),
)


Place = tuple[int, int]
"""Of a block: the number of its stage, and which of the stage's blocks it is."""


def list_places(scaling: Scaling) -> tuple[Place, ...]:
    """Return the place of each block, in order."""
    return tuple(
        (number, repeat) for number, stage in enumerate(_STAGES) for repeat in range(_repeats(stage, scaling.depth))
    )


def list_convolutions(body: keras.Model) -> list[str]:
    """Return the names of a body's convolutions, of either kind; each has a batch norm named after it, with `_BN`."""
    kinds = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
    return [layer.name for layer in body.layers if isinstance(layer, kinds)]


def build_efficientnet_lite(size: int, scaling: Scaling) -> keras.Model:
    """Build a body with fresh weights.

    Args:
        size: Input height and width in pixels.
        scaling: Which member of the family.

    Returns:
        A model from (batch, size, size, 3) normalised float32 RGB to (batch, size / 32, size / 32, 1280) feature maps.
        Its convolutions are named `stem`, `block_0_depthwise`, `block_0_project`, `block_1_expand` and so on to `head`.
    """
    inputs = keras.Input((size, size, 3), name="image")
    maps = _convolve(inputs, "stem", _STEM_CHANNELS, kernel=3, stride=2)
    for index, (number, repeat) in enumerate(list_places(scaling)):
        stage = _STAGES[number]
        channels = _round_channels(stage.channels * scaling.width)
        maps = _block(maps, f"block_{index}", stage, channels, stage.stride if repeat == 0 else 1)
    outputs = _convolve(maps, "head", _HEAD_CHANNELS, kernel=1)
    return keras.Model(inputs, outputs, name="efficientnet_lite")


def _block(inputs: keras.KerasTensor, name: str, stage: _Stage, channels: int, stride: int) -> keras.KerasTensor:
    """Expand, filter each channel, project; add the input where the shapes allow."""
    maps = inputs
    if stage.expansion > 1:
        maps = _convolve(maps, f"{name}_expand", inputs.shape[-1] * stage.expansion, kernel=1)
    maps = _filter(maps, f"{name}_depthwise", stage.kernel, stride)
    maps = _convolve(maps, f"{name}_project", channels, kernel=1, activate=False)
    if stride == 1 and inputs.shape[-1] == channels:
        maps = keras.layers.Add(name=f"{name}_add")([inputs, maps])
    return maps


def _convolve(
    inputs: keras.KerasTensor, name: str, channels: int, *, kernel: int, stride: int = 1, activate: bool = True
) -> keras.KerasTensor:
    convolution = keras.layers.Conv2D(
        channels, kernel, stride, padding="same", use_bias=False, kernel_initializer=_draw_kernel(), name=name
    )
    return _normalize(convolution(inputs), name, activate=activate)


def _filter(inputs: keras.KerasTensor, name: str, kernel: int, stride: int) -> keras.KerasTensor:
    convolution = keras.layers.DepthwiseConv2D(
        kernel, stride, padding="same", use_bias=False, depthwise_initializer=_draw_kernel(), name=name
    )
    return _normalize(convolution(inputs), name, activate=True)


def _draw_kernel() -> keras.initializers.Initializer:
    """Return the authors' fresh weights.

    Keras's usual ones count all channels as the inputs of a depthwise convolution, which sees one. Its outputs are then
    so small that the epsilon of the batch norm swallows them, the more the wider the network.
    """
    return keras.initializers.VarianceScaling(2.0, mode="fan_out", distribution="truncated_normal")


def _normalize(inputs: keras.KerasTensor, name: str, *, activate: bool) -> keras.KerasTensor:
    maps = keras.layers.BatchNormalization(epsilon=_NORM_EPSILON, name=f"{name}_BN")(inputs)
    return keras.layers.ReLU(6.0, name=f"{name}_relu")(maps) if activate else maps


def _repeats(stage: _Stage, depth: float) -> int:
    return stage.blocks if stage in (_STAGES[0], _STAGES[-1]) else math.ceil(stage.blocks * depth)


def _round_channels(channels: float) -> int:
    """Round to a multiple of eight, never more than a tenth down."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded
