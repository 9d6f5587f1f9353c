"""Changing light and colours of a training photo."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.preprocess import Image

_CHANCE = 0.5
_BRIGHTNESS = 32.0
_CONTRAST = (0.5, 1.5)
_SATURATION = (0.5, 1.5)
_HUE = np.deg2rad(18)
_MIDDLE = 127.5
# BGR weights of the luma of ITU-R BT.601.
_LUMA = np.array([0.114, 0.587, 0.299])
_GREY_AXIS = np.full(3, 1 / np.sqrt(3))


def distort_colours(image: Image, random: np.random.Generator) -> Image:
    """Return an image under other light: brightness, contrast, saturation and hue each changed with a chance of half.

    The ranges are those of SSD (Liu et al., 2016; Howard, 2013, section 2.2). Each change is an affine map of colours
    (Haeberli, "Matrix Operations for Image Processing", 1993), so that one pass over the pixels makes all of them.

    Args:
        image: (height, width, 3) uint8 BGR; left as it is.
        random: Source of the choices.
    """
    colours, offset = np.eye(3), 0.0
    if random.random() < _CHANCE:
        offset += random.uniform(-_BRIGHTNESS, _BRIGHTNESS)
    if random.random() < _CHANCE:
        contrast = random.uniform(*_CONTRAST)
        colours, offset = colours * contrast, _MIDDLE + (offset - _MIDDLE) * contrast
    if random.random() < _CHANCE:
        colours = _saturate(random.uniform(*_SATURATION)) @ colours
    if random.random() < _CHANCE:
        colours = _turn_hue(random.uniform(-_HUE, _HUE)) @ colours
    return np.asarray(cv2.transform(image, np.column_stack([colours, np.full(3, offset)])), np.uint8)


def _saturate(factor: float) -> NDArray[np.float64]:
    """Return the (3, 3) matrix that multiplies the distance from grey."""
    return factor * np.eye(3) + (1 - factor) * np.tile(_LUMA, (3, 1))


def _turn_hue(angle: float) -> NDArray[np.float64]:
    """Return the (3, 3) rotation by an angle in radians around the axis of the greys (Rodrigues' formula)."""
    matrix, _ = cv2.Rodrigues(_GREY_AXIS * angle)
    return np.asarray(matrix, np.float64)
