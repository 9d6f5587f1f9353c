"""Taking back what rounding the weights adds to each channel's mean.

Bias correction (Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019,
section 4.2), with the mean of the inputs measured on photos: rounding an output's weights by e adds E[e x] to it, which
its bias can take back exactly.
"""

import dataclasses
from collections.abc import Sequence
from typing import Final

import numpy as np

from convert.layers.network import DEPTHWISE, Array, Layer, Network
from convert.layers.probing import probe

_LEVELS: Final = 127


def round_weights(layer: Layer) -> Array:
    """Return a weighted layer's kernel as int8 represents it: a scale per output channel, symmetric, -127 to 127."""
    kernel = layer.weights[0]
    axes = (0, 1) if layer.kind == DEPTHWISE else tuple(range(kernel.ndim - 1))
    scale = np.maximum(np.abs(kernel).max(axis=axes, keepdims=True), 1e-12) / _LEVELS
    return np.asarray(np.rint(kernel / scale) * scale, np.float32)


def correct_biases(network: Network, images: Sequence[Array]) -> Network:
    """Return a network whose biases make good for the rounding of its weights.

    Args:
        network: Batch norms folded.
        images: (height, width, 3) float32 normalised images to measure means on.
    """
    probes = {layer.name: _error_probes(layer) for layer in network.weighted()}
    answers = probe(network, [each for both in probes.values() for each in both], images)
    # A dense layer may be applied to feature maps.
    shifts = {name: _channel_means(answers[both[-1].name]) for name, both in probes.items()}
    return network.map_layers(lambda layer: _shift(layer, shifts[layer.name]) if layer.name in shifts else layer)


def _error_probes(layer: Layer) -> tuple[Layer, ...]:
    """Return the layer with what rounding takes from its weights, and the mean over all places."""
    kernel, bias = layer.weights
    error = Layer(
        f"{layer.name}_error",
        layer.kind,
        layer.config,
        layer.inputs,
        (kernel - round_weights(layer), np.zeros_like(bias)),
    )
    if layer.kind == "Dense":
        return (error,)
    return error, Layer(f"{layer.name}_shift", "GlobalAveragePooling2D", {}, (error.name,))


def _channel_means(answers: Array) -> Array:
    return np.asarray(answers.mean(axis=tuple(range(answers.ndim - 1))), np.float32)


def _shift(layer: Layer, shifts: Array) -> Layer:
    kernel, bias = layer.weights
    return dataclasses.replace(layer, weights=(kernel, bias + shifts))
