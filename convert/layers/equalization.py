"""Giving the channels of a feature map the same range, so that int8's one scale for all of them suits each.

Cross-layer equalisation (Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV
2019, section 4.1): a channel is multiplied in the layer that makes it and divided in the one that takes it. ReLU
between them lets any positive factor pass. ReLU6 does so as long as nothing is cut off at 6, so there channels are only
made larger, and no larger than what photos make of them leaves room for.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from convert.layers.folding import scale_outputs
from convert.layers.network import DEPTHWISE, WEIGHTED, Array, Layer, Network
from convert.layers.probing import probe

# Photos to come may make a channel somewhat larger than those that it is measured on do.
_MARGIN: Final = 1.25
# Channels that are almost never used are not blown up beyond this.
_MOST: Final = 100.0
_RELU: Final = "ReLU"
# Between the activation and the layer that takes it, these let each channel pass by itself, multiplied or not.
_PASSING: Final = frozenset({"ZeroPadding2D", "GlobalAveragePooling2D", "AveragePooling2D", "MaxPooling2D"})


@dataclass(frozen=True, slots=True)
class _Pair:
    """A layer whose channels one other layer takes, with the activation between them."""

    maker: str
    activation: str
    taker: str
    limit: float | None


def equalize(network: Network, images: Sequence[Array]) -> Network:
    """Return a network that answers `images` alike, whose channels use more of their feature map's range.

    Args:
        network: Batch norms folded.
        images: (height, width, 3) float32 normalised images to measure channels on.
    """
    pairs = tuple(_pairs(network))
    if not pairs:
        return network
    tops = probe(network, [_top_of(pair.activation) for pair in pairs], images)
    layers = {layer.name: layer for layer in network.layers}
    for pair in pairs:
        top = tops[_top_of(pair.activation).name].max(axis=0)
        factors = _factors(top, layers[pair.taker], pair.limit)
        layers[pair.maker] = _multiply(layers[pair.maker], factors)
        layers[pair.taker] = _divide(layers[pair.taker], factors)
    return network.map_layers(lambda layer: layers[layer.name])


def _pairs(network: Network) -> Iterator[_Pair]:
    consumers = network.consumers()
    for maker in (each for each in network.weighted() if each.kind != "Dense"):
        taken = _only(consumers, network, maker.name)
        if taken is None or not _is_relu(taken):
            continue
        activation, taker = taken, _only(consumers, network, taken.name)
        while taker is not None and taker.kind in _PASSING:
            taker = _only(consumers, network, taker.name)
        if taker is not None and taker.kind in WEIGHTED and taker.config.get("groups", 1) == 1:
            yield _Pair(maker.name, activation.name, taker.name, activation.config["max_value"])


def _only(consumers: Mapping[str, tuple[Layer, ...]], network: Network, name: str) -> Layer | None:
    taken = consumers[name]
    return taken[0] if len(taken) == 1 and name not in network.outputs else None


def _is_relu(layer: Layer) -> bool:
    return layer.kind == _RELU and layer.config["negative_slope"] == 0 and layer.config["threshold"] == 0


def _top_of(activation: str) -> Layer:
    return Layer(f"{activation}_top", "GlobalMaxPooling2D", {}, (activation,))


def _factors(top: Array, taker: Layer, limit: float | None) -> Array:
    """Return by what to multiply each channel.

    Args:
        top: (channels,) largest value of each channel.
        taker: The layer that takes them.
        limit: What the activation cuts off at, None for nothing.
    """
    loudest = top.max(initial=0.0)
    if loudest <= 0:
        return np.ones_like(top)
    room = loudest / np.maximum(top, loudest / _MOST)
    if taker.kind != DEPTHWISE:
        # One scale serves the kernel of all inputs of an output: halve the difference, in logarithms, between the two.
        room = np.sqrt(room * _relative_weights(taker, int(top.argmax())))
    factors = np.clip(room, 1 / _MOST, _MOST)
    if limit is not None:
        factors = np.clip(factors, 1, np.maximum(limit / (np.maximum(top, limit / _MOST) * _MARGIN), 1))
    return np.asarray(factors, np.float32)


def _relative_weights(taker: Layer, loudest: int) -> Array:
    """Return each input's largest weight, in those of the loudest input; each output's weights count alike."""
    kernel = np.abs(taker.weights[0])
    relative = kernel / np.maximum(kernel.max(axis=tuple(range(kernel.ndim - 1)), keepdims=True), 1e-12)
    largest = relative.max(axis=(*range(kernel.ndim - 2), kernel.ndim - 1))
    # A head that has not been trained is all zeros.
    floored = np.maximum(largest, max(largest.max(), 1e-12) / _MOST)
    return np.asarray(floored / floored[loudest], np.float32)


def _multiply(layer: Layer, factors: Array) -> Layer:
    return dataclasses.replace(layer, weights=(scale_outputs(layer, factors), layer.weights[1] * factors))


def _divide(layer: Layer, factors: Array) -> Layer:
    kernel, bias = layer.weights
    # The inputs are the last axis but one of every kind's kernel.
    return dataclasses.replace(layer, weights=(kernel / factors[:, np.newaxis], bias))
