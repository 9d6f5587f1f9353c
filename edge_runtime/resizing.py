"""Pictures at another size, for people to look at and for what is drawn; models have `preprocess.py`."""

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

_Number = TypeVar("_Number", np.uint8, np.float32)


def resize_to(image: NDArray[_Number], side: int) -> NDArray[_Number]:
    """Return a (height, width, ...) picture with its longer side at a length in pixels, the other in proportion.

    Neither falls below one pixel, however long and thin the picture is.
    """
    scale = side / max(image.shape[:2])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), image.dtype)
