"""Starting a larger EfficientNet-Lite from the weights of a smaller one, where nobody offers its own.

Source of the idea: Chen et al., "Net2Net: Accelerating Learning via Knowledge Transfer", ICLR 2016. Unlike there, the
channels that are new are fresh, and what was there before does not listen to them at first.
"""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from train.networks.efficientnet_lite import Place, Scaling, list_convolutions, list_places


def grow(smaller: keras.Model, larger: keras.Model, scalings: tuple[Scaling, Scaling]) -> None:
    """Give a body with fresh weights those of a smaller one, so that it gives the same feature maps.

    The channels of each layer that the smaller body has come first and take nothing from those that it has not; blocks
    that it has not pass on what they are given. All of that is free to change in training.

    Args:
        smaller: What `build_efficientnet_lite` builds, for images of any size, trained.
        larger: The same of a larger member of the family, fresh.
        scalings: Of the smaller and of the larger one.
    """
    known = {place: index for index, place in enumerate(list_places(scalings[0]))}
    for name in list_convolutions(larger):
        twin = _find_twin(name, known, list_places(scalings[1]))
        if twin is not None:
            _copy(smaller, twin, larger, name)
        elif name.endswith("_project"):
            _silence(larger.get_layer(f"{name}_BN"))


def _find_twin(name: str, known: Mapping[Place, int], places: tuple[Place, ...]) -> str | None:
    """Name the convolution of the smaller body at the same place; None where that has no such block."""
    if not name.startswith("block_"):
        return name
    _, index, part = name.split("_")
    twin = known.get(places[int(index)])
    return None if twin is None else f"block_{twin}_{part}"


def _copy(smaller: keras.Model, twin: str, larger: keras.Model, name: str) -> None:
    convolution, norm = larger.get_layer(name), larger.get_layer(f"{name}_BN")
    kernel, old = convolution.get_weights()[0], smaller.get_layer(twin).get_weights()[0]
    convolution.set_weights([_place_kernel(kernel, old)])
    statistics = smaller.get_layer(f"{twin}_BN").get_weights()
    norm.set_weights([_place(fresh, each) for fresh, each in zip(norm.get_weights(), statistics, strict=True)])


def _place_kernel(fresh: NDArray[np.float32], old: NDArray[np.float32]) -> NDArray[np.float32]:
    """Put a kernel, HWIO or depthwise HWC1, into the corner of a larger one whose further inputs it does not take."""
    depthwise = old.shape[-1] == fresh.shape[-1] == 1
    placed = fresh.copy()
    if not depthwise:
        placed[..., old.shape[-2] :, : old.shape[-1]] = 0
    placed[..., : old.shape[-2], : old.shape[-1]] = old
    return placed


def _place(fresh: NDArray[np.float32], old: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([old, fresh[len(old) :]])


def _silence(norm: Any) -> None:
    """Let a batch norm give nothing, so that a block adds nothing to what it was given."""
    gamma, beta, *statistics = norm.get_weights()
    norm.set_weights([np.zeros_like(gamma), np.zeros_like(beta), *statistics])
