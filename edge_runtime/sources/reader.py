"""Taking pictures from an open capture, small ones where these are enough."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.jpeg import read_jpeg_size
from edge_runtime.preprocess import Image
from edge_runtime.sources.enough import Enough

_MOTION_JPEG: Final = cv2.VideoWriter.fourcc(*"MJPG")
# As FFmpeg does, which leaves a camera's Exif alone.
_AS_STORED: Final = cv2.IMREAD_IGNORE_ORIENTATION
_DECODERS: Final = (
    cv2.IMREAD_COLOR | _AS_STORED,
    cv2.IMREAD_REDUCED_COLOR_2 | _AS_STORED,
    cv2.IMREAD_REDUCED_COLOR_4 | _AS_STORED,
    cv2.IMREAD_REDUCED_COLOR_8 | _AS_STORED,
)
"""By how often the sides are halved."""
# What claims more is damaged, and would take the memory of a small machine.
_MOST_PIXELS: Final = 2**26

# OpenCV says the same of a frame that is corrupt and of a stream that has ended; after the end it says it at once.
MOST_BAD: Final = 10


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture.

    Attributes:
        image: (height, width, 3) uint8 BGR.
        shrunk_by: A power of two: how many times as high and as wide it was sent.
    """

    image: Image
    shrunk_by: int = 1


class PictureReader:
    """Reads pictures one after another.

    Those of Motion JPEG come halved as often as `Enough` allows. Blocks of 8 x 8 pixels are then decoded to 4 x 4,
    2 x 2 or 1 x 1 (scaled inverse DCT of libjpeg), close to the means that `Preprocessor` would take of the whole
    picture, for two thirds of the time and a quarter of the memory or less.
    """

    def __init__(self, open_capture: Callable[[], cv2.VideoCapture], enough: Enough) -> None:
        """Open.

        Args:
            open_capture: Opens with OpenCV; called again where the first pictures are not plain JPEGs after all.
            enough: How large pictures have to be.
        """
        self._open = open_capture
        self._enough = enough
        self.capture = open_capture()
        self._compressed = enough.size is not None and _takes_compressed(self.capture)
        self._first = True

    @property
    def waits(self) -> bool:
        """Whether `grab` waits for a picture; DirectShow's returns at once, and its `retrieve` waits."""
        return self.capture.getBackendName() != "DSHOW"

    def grab(self) -> bool:
        """Go on to the next picture without decoding it; tell whether there is one."""
        return self.capture.grab()

    def retrieve(self) -> Picture | None:
        """Return the picture that was gone on to, None where it is damaged."""
        more, image = self.capture.retrieve()
        # An empty part of a stream is a picture to OpenCV as long as nobody decodes it.
        if not more or image is None:
            return None
        if not self._compressed:
            return Picture(np.asarray(image, np.uint8))
        return self._decode(np.asarray(image, np.uint8))

    def close(self) -> None:
        """Close the capture."""
        self.capture.release()

    def _decode(self, jpeg: NDArray[np.uint8]) -> Picture | None:
        size = read_jpeg_size(jpeg.data.cast("B"))
        if self._first and size != _claimed_size(self.capture):
            return self._begin_again()
        self._first = False
        if size is None or not 0 < math.prod(size) <= _MOST_PIXELS:
            return None
        halvings = min(self._enough.count_halvings(size), len(_DECODERS) - 1)
        image = cv2.imdecode(jpeg, _DECODERS[halvings])
        return None if image is None else Picture(np.asarray(image, np.uint8), 1 << halvings)

    def _begin_again(self) -> Picture | None:
        """Leave decoding to OpenCV: interlaced Motion JPEG has two fields of half the height in each picture."""
        self.capture.release()
        self.capture = self._open()
        self._compressed = False
        return self.retrieve() if self.grab() else None


def _takes_compressed(capture: cv2.VideoCapture) -> bool:
    """Have a capture of upright Motion JPEG give its pictures as they were sent; tell whether it will."""
    return (
        capture.isOpened()
        and int(capture.get(cv2.CAP_PROP_FOURCC)) == _MOTION_JPEG
        and capture.get(cv2.CAP_PROP_ORIENTATION_META) == 0.0
        and capture.getBackendName() == "FFMPEG"
        and capture.set(cv2.CAP_PROP_FORMAT, -1)
    )


def _claimed_size(capture: cv2.VideoCapture) -> tuple[int, int]:
    return int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)), int(capture.get(cv2.CAP_PROP_FRAME_WIDTH))
