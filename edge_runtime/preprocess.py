"""The one definition of what happens to a frame before a model sees it.

Training, calibration, evaluation and the device all call `Preprocessor`, so a model never meets a resize it was not
trained with.
"""

import os
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.spec import InputSpec

Image = NDArray[np.uint8]
"""(height, width, 3) uint8 in [0, 255]; the colour order is stated where it is used."""
AnyImage = NDArray[Any]
"""The same from outside, where type checkers know less of it: OpenCV's stubs name no type of numbers."""


def check_frame(frame: AnyImage) -> None:
    """Look at what is given as a frame; one of no rows or columns passes.

    Raises:
        TypeError: It is no array.
        ValueError: It is not of three channels, or of other numbers than uint8.
    """
    if not isinstance(frame, np.ndarray):
        raise TypeError(f"a frame must be an array, not {type(frame).__name__}; {_advise(frame)}")
    if frame.dtype != np.uint8:
        raise ValueError(f"a frame must hold uint8 in [0, 255], not {frame.dtype}; convert it first")
    if frame.ndim != 3 or frame.shape[2] != 3:
        raise ValueError(f"a frame must be of shape (height, width, 3), not {frame.shape}")


def _advise(given: object) -> str:
    """Return what to know of what is given instead of a frame."""
    match given:
        case bytes() | bytearray() | memoryview():
            return "decode_picture makes one of it"
        case str() | os.PathLike():
            return "read_picture makes one of it"
        case _ if type(given).__module__.startswith("PIL."):
            return 'np.asarray(ImageOps.exif_transpose(image).convert("RGB"))[..., ::-1] makes one of it'
        case _:
            return "OpenCV gives None for what it cannot read"


class Preprocessor:
    """Brings BGR frames of any size to a model's RGB input size.

    The rule is `stretch`: exact 2x2 averages while both sides are at least twice the target, then bilinear. Compared
    with plain bilinear it does not alias on large frames; compared with `INTER_AREA` it is about ten times faster at
    1080p. Scratch buffers are kept for the last frame size, so a steady stream allocates nothing.

    Not safe to share between threads.
    """

    def __init__(self, spec: InputSpec) -> None:
        self.spec = spec
        self._frame_size = (0, 0)
        self._halves: list[Image] = []
        self._resized: Image = np.empty((spec.height, spec.width, 3), np.uint8)

    def __call__(self, frame: AnyImage, out: Image | None = None) -> Image:
        """Resize a frame and turn it to RGB.

        Args:
            frame: (height, width, 3) uint8 BGR in [0, 255], of any size from 1 x 1 pixel.
            out: (spec.height, spec.width, 3) uint8 to write into; made when None.

        Returns:
            (spec.height, spec.width, 3) uint8 RGB in [0, 255]; `out` where it was given.

        Raises:
            TypeError: The frame is no array.
            ValueError: The frame is empty, not of three channels, or of other numbers than uint8.
        """
        check_frame(frame)
        if frame.size == 0:
            raise ValueError(f"a frame must be of shape (height, width, 3), neither of them 0, not {frame.shape}")
        if out is None:
            out = np.empty_like(self._resized)
        small = self._halve(frame)
        cv2.resize(small, (self.spec.width, self.spec.height), dst=self._resized, interpolation=cv2.INTER_LINEAR)
        cv2.cvtColor(self._resized, cv2.COLOR_BGR2RGB, dst=out)
        return out

    def _halve(self, frame: Image) -> Image:
        height, width = frame.shape[:2]
        if (height, width) != self._frame_size:
            self._frame_size = (height, width)
            self._halves = [np.empty((*size, 3), np.uint8) for size in _half_sizes(height, width, self.spec)]
        for half in self._halves:
            frame = halve(frame, half)
        return frame


def _half_sizes(height: int, width: int, spec: InputSpec) -> list[tuple[int, int]]:
    halvings = count_halvings((height, width), (spec.height, spec.width))
    return [(height >> index, width >> index) for index in range(1, halvings + 1)]


def halve(image: Image, out: Image | None = None) -> Image:
    """Return the means of 2 x 2 pixels each.

    Args:
        image: (height, width, 3) uint8, any colour order, at least 2 x 2.
        out: (height // 2, width // 2, 3) uint8 to write into; made when None.

    Returns:
        (height // 2, width // 2, 3) uint8; `out` where it was given.
    """
    height, width = (side // 2 for side in image.shape[:2])
    # OpenCV's fast exact path needs even sides: an odd last row or column is left out.
    even = image[: 2 * height, : 2 * width]
    return np.asarray(cv2.resize(even, (width, height), dst=out, interpolation=cv2.INTER_AREA), np.uint8)


def count_halvings(size: tuple[int, int], enough: tuple[int, int]) -> int:
    """Return how often both sides of a picture can be halved and are still enough.

    Args:
        size: Height and width in pixels.
        enough: Likewise, at least 1 each.
    """
    return max(min(side // least for side, least in zip(size, enough, strict=True)).bit_length() - 1, 0)


def normalize(image: Image, spec: InputSpec) -> NDArray[np.float32]:
    """Map pixel values to what the float network was trained on.

    Args:
        image: (..., 3) uint8 RGB in [0, 255].
        spec: The mean and standard deviation, in RGB order.

    Returns:
        (..., 3) float32, `(image - mean) / std`.
    """
    mean = np.asarray(spec.mean, np.float32)
    std = np.asarray(spec.std, np.float32)
    return (image.astype(np.float32) - mean) / std
