"""A video to measure with where the user gives none."""

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from edge_runtime.drawing import GARMENTS, draw_garment

USUAL_SIZE: Final = (640, 480)
"""Width and height in pixels, as most USB cameras send."""

_FRAMES_PER_GARMENT: Final = 30


def describe_drawn(size: tuple[int, int] = USUAL_SIZE) -> str:
    """Return what to call a video that `draw_video` drew, by its width and height."""
    return f"a drawn video, {size[0]} x {size[1]} MJPEG"


def draw_video(path: Path, size: tuple[int, int] = USUAL_SIZE) -> Path:
    """Write a video as a USB camera would send it: each garment for a second, moving across the picture.

    Args:
        path: Ends in `.avi`.
        size: Width and height in pixels.

    Returns:
        The same path.
    """
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, size)
    for garment in GARMENTS:
        picture = draw_garment(garment, 0, size[::-1])
        for index in range(_FRAMES_PER_GARMENT):
            writer.write(np.roll(picture, index, axis=1))
    writer.release()
    return path
