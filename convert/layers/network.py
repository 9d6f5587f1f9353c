"""The layers of a network, each applied once, none inside another."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

INPUT: Final = "InputLayer"
DEPTHWISE: Final = "DepthwiseConv2D"
WEIGHTED: Final = frozenset({"Conv2D", DEPTHWISE, "Dense"})
"""The kinds that have weights: a kernel and a bias each."""

RESCALING: Final = "Rescaling"
"""Multiplies and shifts each channel, as a batch norm does once it is trained."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer.

    Attributes:
        name: Unlike any other's.
        kind: Name of its class in Keras.
        config: Arguments of that class, without name and activation; an activation is a layer of its own.
        inputs: Names of the layers whose outputs it takes, in order.
        weights: Kernel and bias of a weighted layer, in Keras's shapes; empty for others.
    """

    name: str
    kind: str
    config: Mapping[str, Any]
    inputs: tuple[str, ...]
    weights: tuple[Array, ...] = ()


@dataclass(frozen=True, slots=True)
class Network:
    """Layers in an order in which they can be computed.

    Attributes:
        layers: The input first.
        outputs: Names of the layers whose outputs are the network's, in order.
    """

    layers: tuple[Layer, ...]
    outputs: tuple[str, ...]

    def __getitem__(self, name: str) -> Layer:
        """Return the layer of that name."""
        return next(layer for layer in self.layers if layer.name == name)

    def consumers(self) -> dict[str, tuple[Layer, ...]]:
        """Return by name the layers that take each layer's output."""
        found: dict[str, tuple[Layer, ...]] = {layer.name: () for layer in self.layers}
        for layer in self.layers:
            for name in layer.inputs:
                found[name] = (*found[name], layer)
        return found

    def weighted(self) -> Iterator[Layer]:
        """Yield the layers that have weights, in order."""
        return (layer for layer in self.layers if layer.kind in WEIGHTED)

    def map_layers(self, change: Callable[[Layer], Layer]) -> "Network":
        """Return the network with each layer changed; names and order stay."""
        return Network(tuple(map(change, self.layers)), self.outputs)
