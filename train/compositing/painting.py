"""Pasting garments onto a background: turned, lit, and with the shadows that they cast."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.drawing.fabric import Float
from edge_runtime.preprocess import Image
from edge_runtime.resizing import resize_to
from train.compositing.layouts import Arrangement, Placement

_GAIN = (0.8, 1.15)
_SHEAR = 0.05
_SHADOW = (0.2, 0.5)
_LEAST_FACTOR = 0.7
"""Of its own size, below which a picture is shrunk by areas before it is warped."""
_ABOVE_RAIL = 0.35
"""Of the room that is left: a rail is seen from below, so most room is under what hangs."""
_RAIL_THICKNESS = 2.2
"""Centimetres."""


@dataclass(frozen=True, slots=True)
class View:
    """How a camera sees an arrangement.

    Attributes:
        scale: Pixels per centimetre.
        left: Pixel column of x = 0.
        top: Pixel row of y = 0.
        size: (height, width) of the picture in pixels.
    """

    scale: float
    left: float
    top: float
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Layer:
    """A garment as a camera sees it.

    Attributes:
        placement: What it is.
        colours: (height, width, 3) uint8 BGR of the whole picture.
        alpha: (height, width) float32 in [0, 1].
        area: Pixels that it would cover if nothing cut it off.
    """

    placement: Placement
    colours: Image
    alpha: Float
    area: float

    @property
    def mask(self) -> NDArray[np.bool_]:
        """(height, width), true where more of the garment is seen than of what is behind it."""
        return self.alpha > 0.5


def choose_view(arrangement: Arrangement, size: tuple[int, int], random: np.random.Generator) -> View:
    """Choose a camera that sees an arrangement, from as far as all of it fits with some room to `closest`."""
    height, width = size
    fits = min(width / arrangement.width, height / arrangement.height)
    scale = fits * float(random.uniform(0.7, arrangement.closest))
    left = width / 2 + float(random.normal(0, 0.04)) * width
    spare = (height - arrangement.height * scale) * (_ABOVE_RAIL if arrangement.rail else 1.0)
    top = float(random.uniform(min(0, spare), max(0, spare)))
    return View(scale, left, top, size)


def look(placement: Placement, view: View, random: np.random.Generator) -> Layer:
    """Return a garment as seen by a camera, slightly sheared and under its own light."""
    picture = _shrink(placement, view)
    factor = view.scale * placement.scale * placement.garment.width / picture.shape[1]
    angle, shear = np.deg2rad(placement.angle), random.normal(0, _SHEAR, (2, 2))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = factor * turn @ (np.eye(2) + shear)
    centre = np.array([view.left + placement.x * view.scale, view.top + placement.y * view.scale])
    shift = centre - matrix @ (np.array([picture.shape[1], picture.shape[0]]) / 2)
    height, width = view.size
    affine = np.column_stack([matrix, shift])
    colours = cv2.warpAffine(picture[..., :3], affine, (width, height), borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(picture[..., 3], affine, (width, height)).astype(np.float32) / np.float32(255)
    area = float((picture[..., 3] > 127).sum() * abs(np.linalg.det(matrix)))
    lit = cv2.convertScaleAbs(colours, alpha=float(random.uniform(*_GAIN)))
    return Layer(placement, np.asarray(lit, np.uint8), alpha, area)


def _shrink(placement: Placement, view: View) -> NDArray[np.uint8]:
    """Return a garment's picture, hardly larger than it will be seen, so that warping does not alias."""
    picture = placement.garment.decode()
    factor = view.scale * placement.scale
    if factor >= _LEAST_FACTOR:
        return picture
    return resize_to(picture, round(factor * max(picture.shape[:2])))


def paint(
    background: Image, layers: Sequence[Layer], arrangement: Arrangement, view: View, random: np.random.Generator
) -> Float:
    """Paste layers from back to front, each casting a shadow on what is behind it.

    Returns:
        (height, width, 3) float32 BGR in 0..1.
    """
    image: Float = background.astype(np.float32) / np.float32(255)
    direction, weight = random.uniform(-np.pi, np.pi), float(random.uniform(*_SHADOW))
    if arrangement.rail:
        _paint_rail(image, view, random)
    for layer in layers:
        _cast_shadow(image, layer.alpha, arrangement.depth * view.scale, direction, weight)
        alpha = layer.alpha[..., None]
        image += alpha * (layer.colours.astype(np.float32) / 255 - image)
    return image


def _cast_shadow(image: Float, alpha: Float, depth: float, direction: float, weight: float) -> None:
    """Darken an image in place where a garment, `depth` pixels before it, takes the light away."""
    reach = 0.25 * depth
    shift = np.array([[1, 0, reach * np.cos(direction)], [0, 1, reach * abs(np.sin(direction))]])
    moved = cv2.warpAffine(alpha, shift, alpha.shape[::-1])
    shadow = cv2.GaussianBlur(moved, (0, 0), max(0.2 * depth, 1.0))
    image *= 1 - weight * shadow[..., None]


def _paint_rail(image: Float, view: View, random: np.random.Generator) -> None:
    """Paint a metal or wooden rail across the picture, lit from above, in place."""
    thickness = max(round(_RAIL_THICKNESS * view.scale), 2)
    top = max(round(view.top), 0)
    rows = image[top : top + thickness]
    profile = np.linspace(1.1, 0.5, thickness, dtype=np.float32)[: len(rows), None, None]
    rows[:] = profile * np.float32(random.uniform(0.25, 0.7))
