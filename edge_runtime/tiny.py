"""What a picture of 16 x 12 grey cells says about a frame: whether anything moved, and whether it is dark."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.preprocess import Image

_WIDTH, _HEIGHT = 16, 12
# Each cell is the mean of about this many pixels across and down: enough to average a sensor's noise away.
_PIXELS_PER_CELL = 8
_MOVED_LEVELS: Final = 4
# Video calls 16 of 255 black; a covered lens with its gain turned up stays below.
_DARK_LEVEL: Final = 16

TinyPicture = NDArray[np.int16]
"""(12, 16) grey levels in [0, 255]."""


def tiny_picture(image: Image) -> TinyPicture:
    """Return the mean grey levels of a frame's cells, from a sample of its pixels.

    Args:
        image: (height, width, 3) uint8 BGR of any size from 1 x 1 pixel.

    Returns:
        (12, 16) int16 grey levels in [0, 255].
    """
    step = max(min(image.shape[0] // (_HEIGHT * _PIXELS_PER_CELL), image.shape[1] // (_WIDTH * _PIXELS_PER_CELL)), 1)
    sample = np.ascontiguousarray(image[::step, ::step])
    small = cv2.resize(sample, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.int16)


def has_moved(before: TinyPicture, now: TinyPicture) -> bool:
    """Tell whether any cell changed by more than noise."""
    return bool(np.abs(now - before).max() >= _MOVED_LEVELS)


def is_dark(picture: TinyPicture) -> bool:
    """Tell whether a frame shows nothing: a covered lens, or a camera that sends black."""
    return bool(picture.max() < _DARK_LEVEL)
