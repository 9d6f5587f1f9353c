"""One photo with the boxes on it, as augmentation and training pass it on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Sample:
    """A photo and its labelled boxes.

    Attributes:
        image: (height, width, 3) uint8, BGR.
        boxes: (n, 4) float32, rows (x_min, y_min, x_max, y_max) in pixels; (0, 0) is the outer corner of the first
            pixel and (width, height) that of the last.
        labels: (n,) int64, class numbers.
    """

    image: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    labels: NDArray[np.int64]

    @property
    def width(self) -> int:
        """Pixels."""
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        """Pixels."""
        return int(self.image.shape[0])
