"""Which part of a camera's picture is looked at, and which way up."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from edge_runtime.preprocess import Image

_SIDEWAYS: Final = (90, 270)
_TURNS: Final = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of a picture.

    Attributes:
        x: Left edge.
        y: Upper edge.
        width: Width.
        height: Height.
        shares: All four are shares of the picture's width and height in [0, 1] rather than pixels.
    """

    x: float
    y: float
    width: float
    height: float
    shares: bool

    def __str__(self) -> str:
        """Return it as `--roi` takes it."""
        return f"{self.x:g},{self.y:g},{self.width:g},{self.height:g}"

    def pixels(self, height: int, width: int) -> tuple[slice, slice]:
        """Return the rows and columns of the region in a picture of a size, as far as they lie in it."""
        across, down = (width, height) if self.shares else (1, 1)
        left, right = _rounded(self.x * across, (self.x + self.width) * across, width)
        upper, lower = _rounded(self.y * down, (self.y + self.height) * down, height)
        return slice(upper, lower), slice(left, right)


@dataclass(frozen=True, slots=True)
class View:
    """What is done to each frame before anything else sees it: turned, then mirrored, then cut.

    Attributes:
        rotate: Degrees clockwise: 0, 90, 180 or 270.
        mirror: Left and right are exchanged.
        region: What is kept of the turned and mirrored picture; None keeps all.
    """

    rotate: int = 0
    mirror: bool = False
    region: Region | None = None

    def enough_for(self, size: tuple[int, int] | None) -> tuple[int, int] | None:
        """Return how large a picture has to be for a view of a height and width; None needs all there is."""
        if size is None or self.region is not None:
            return None
        return size[::-1] if self.rotate in _SIDEWAYS else size

    def apply(self, image: Image) -> Image:
        """Return the view of a picture; it shares memory where nothing is turned or mirrored.

        Args:
            image: (height, width, 3) uint8, any colour order.

        Returns:
            (height, width, 3) uint8; of height or width 0 where the region lies outside the picture.
        """
        if self.rotate:
            image = np.asarray(cv2.rotate(image, _TURNS[self.rotate]), np.uint8)
        if self.mirror:
            image = np.asarray(cv2.flip(image, 1), np.uint8)
        return image if self.region is None else image[self.region.pixels(*image.shape[:2])]


def _rounded(start: float, end: float, size: int) -> tuple[int, int]:
    return min(max(round(start), 0), size), min(max(round(end), 0), size)
