"""The convolutions that heads and necks are made of: batch norm and ReLU6 after each, which int8 takes well."""

from collections.abc import Sequence

import keras

_NORM_MOMENTUM = 0.97
"""Keras's 0.99 would lag behind the weights over a thousand steps."""


def convolve(
    maps: keras.KerasTensor, name: str, channels: int, kernel: int, stride: int = 1, *, separable: bool
) -> keras.KerasTensor:
    """Filter feature maps, with batch norm and ReLU6.

    Args:
        maps: (batch, cells, cells, any) float32.
        name: Prefix of the layers' names.
        channels: Of the result.
        kernel: Side of the kernel.
        stride: Cells per step.
        separable: Whether to filter each channel by itself and then mix them, as MobileNet does, where kernel > 1.
    """
    for layer in make_convolutions(name, channels, kernel, stride, separable=separable):
        maps = normalize_and_activate(layer(maps), layer.name)
    return maps


def make_convolutions(
    name: str, channels: int, kernel: int, stride: int = 1, *, separable: bool
) -> Sequence[keras.Layer]:
    """Return the convolutions of `convolve`, without bias, each to be followed by batch norm and ReLU6."""
    if not separable or kernel == 1:
        return (keras.layers.Conv2D(channels, kernel, stride, padding="same", use_bias=False, name=name),)
    return (
        keras.layers.DepthwiseConv2D(kernel, stride, padding="same", use_bias=False, name=f"{name}_depthwise"),
        keras.layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_project"),
    )


def normalize_and_activate(maps: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Apply batch norm and ReLU6."""
    return keras.layers.ReLU(6.0, name=f"{name}_relu")(normalize_maps(maps, name))


def normalize_maps(maps: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Apply batch norm."""
    return keras.layers.BatchNormalization(momentum=_NORM_MOMENTUM, epsilon=1e-3, name=f"{name}_BN")(maps)
