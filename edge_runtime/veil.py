"""Making what is not a garment unrecognisable before a picture is stored or shown."""

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np

from edge_runtime.boxes import Box
from edge_runtime.preprocess import Image
from edge_runtime.results import FrameResult

Veil = Callable[[Image, FrameResult], Image]
"""Returns the picture of a frame as it may leave the process: (height, width, 3) uint8 BGR both."""

# Blocks along the shorter side: a face that fills a quarter of it keeps 4 x 4 blocks.
_BLOCKS: Final = 16


def show_all(image: Image, _result: FrameResult) -> Image:
    """Return a picture as it is."""
    return image


def blur_outside(image: Image, result: FrameResult) -> Image:
    """Return a picture whose every part outside the boxes of garments is pixelated.

    Each block takes the mean colour of its pixels, so that nothing finer is left in the picture. Without boxes, as
    from a classifier, that is the whole picture.

    Args:
        image: (height, width, 3) uint8 BGR; left as it is.
        result: The answer to it.

    Returns:
        (height, width, 3) uint8 BGR.
    """
    height, width = image.shape[:2]
    block = max(min(height, width) / _BLOCKS, 1.0)
    across, down = max(round(width / block), 1), max(round(height / block), 1)
    blocks = cv2.resize(image, (across, down), interpolation=cv2.INTER_AREA)
    veiled = np.asarray(cv2.resize(blocks, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
    for detection in result.detections or ():
        rows, columns = box_pixels(detection.box, height, width)
        veiled[rows, columns] = image[rows, columns]
    return veiled


def box_pixels(box: Box, height: int, width: int) -> tuple[slice, slice]:
    """Return the rows and columns of a box in a picture of a size, as far as they lie in it."""
    left, top, right, bottom = (round(edge) for edge in box)
    return slice(min(max(top, 0), height), min(max(bottom, 0), height)), slice(
        min(max(left, 0), width), min(max(right, 0), width)
    )
