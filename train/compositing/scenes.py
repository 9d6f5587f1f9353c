"""Composing one scene of several garments, with the boxes that they are seen in."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.drawing.scene import expose, photograph, pick_light
from edge_runtime.preprocess import Image
from train.compositing.backgrounds import Backgrounds
from train.compositing.layouts import Wardrobe, pick_layout
from train.compositing.painting import Layer, choose_view, look, paint

_LEAST_VISIBLE = 0.35
"""Of a garment's area; with less, it is left out of the scene."""
_LEAST_SIDE = 8
"""Pixels of a visible garment's box."""


@dataclass(frozen=True, slots=True)
class SceneBox:
    """A garment's box in a scene.

    Attributes:
        label: Class name.
        left: First pixel column in which it is visible.
        top: First pixel row in which it is visible.
        width: Pixels.
        height: Pixels.
        area: Pixels in which it is visible.
    """

    label: str
    left: int
    top: int
    width: int
    height: int
    area: int


@dataclass(frozen=True, slots=True)
class Scene:
    """A composed picture.

    Attributes:
        image: (height, width, 3) uint8 BGR.
        boxes: From back to front.
    """

    image: Image
    boxes: tuple[SceneBox, ...]


def compose_scene(wardrobe: Wardrobe, backgrounds: Backgrounds, random: np.random.Generator) -> Scene:
    """Compose a scene, which depends on the arguments alone.

    Args:
        wardrobe: Garments to choose from.
        backgrounds: What they are pasted on; they also say the size.
        random: Source of all choices.

    Raises:
        DataError: A background cannot be read.
    """
    arrangement = pick_layout(wardrobe, random)(wardrobe, random)
    view = choose_view(arrangement, backgrounds.size, random)
    layers = _leave_out_hidden([look(placement, view, random) for placement in arrangement.placements])
    image = paint(backgrounds.pick(random), layers, arrangement, view, random)
    expose(random, image, pick_light(random))
    visible = _find_visible(layers)
    boxes = tuple(_box(layer.placement.garment.label, seen) for layer, seen in zip(layers, visible, strict=True))
    return Scene(photograph(random, image), boxes)


def _leave_out_hidden(layers: Sequence[Layer]) -> list[Layer]:
    """Take away, from front to back, what others or the frame hide too much of."""
    kept: list[Layer] = []
    covered = np.zeros(layers[0].alpha.shape, np.bool_) if layers else np.zeros((0, 0), np.bool_)
    for layer in reversed(layers):
        seen = layer.mask & ~covered
        _, _, width, height = cv2.boundingRect(seen.astype(np.uint8))
        if seen.sum() >= _LEAST_VISIBLE * layer.area and min(width, height) >= _LEAST_SIDE:
            kept.append(layer)
            covered |= layer.mask
    return kept[::-1]


def _find_visible(layers: Sequence[Layer]) -> list[NDArray[np.bool_]]:
    """Return where each of the layers, from back to front, is hidden by none before it."""
    visible: list[NDArray[np.bool_]] = []
    for layer in layers:
        visible = [seen & ~layer.mask for seen in visible]
        visible.append(layer.mask)
    return visible


def _box(label: str, visible: NDArray[np.bool_]) -> SceneBox:
    left, top, width, height = cv2.boundingRect(visible.astype(np.uint8))
    return SceneBox(label, left, top, width, height, int(visible.sum()))
