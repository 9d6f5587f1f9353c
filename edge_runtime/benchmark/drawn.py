"""A video to measure with where the user gives none."""

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from edge_runtime.drawing import GARMENTS, draw_garment

DRAWN: Final = "a drawn video, 640 x 480 MJPEG"
_HEIGHT, _WIDTH = 480, 640
_FRAMES_PER_GARMENT: Final = 30


def draw_video(path: Path) -> Path:
    """Write a video as a USB camera would send it: each garment for a second, moving across the picture.

    Args:
        path: Ends in `.avi`.

    Returns:
        The same path.
    """
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, (_WIDTH, _HEIGHT))
    for garment in GARMENTS:
        picture = draw_garment(garment, 0, (_HEIGHT, _WIDTH))
        for index in range(_FRAMES_PER_GARMENT):
            writer.write(np.roll(picture, index, axis=1))
    writer.release()
    return path
