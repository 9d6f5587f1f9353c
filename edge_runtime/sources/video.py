"""Frames from a video file."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from edge_runtime.errors import SourceError
from edge_runtime.sources.frame import Frame, FrameSource

USUAL_FPS: Final = 25.0
# Some containers claim nonsense, for example 90000.
_MOST_FPS = 240.0


class VideoSource(FrameSource):
    """A video file: every frame, in order, as fast as it is asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __iter__(self) -> Iterator[Frame]:
        # FFmpeg would take `a:b.mp4` for an address, but not an absolute path.
        capture = cv2.VideoCapture(str(self.path.absolute()), cv2.CAP_FFMPEG)
        try:
            self.fps = _claimed_fps(capture)
            yield from self._read(capture)
        finally:
            capture.release()

    def _read(self, capture: cv2.VideoCapture) -> Iterator[Frame]:
        index = 0
        start = time.perf_counter()
        while (image := _read_image(capture)) is not None:
            read_ms = (time.perf_counter() - start) * 1e3
            yield Frame(image, str(self.path), index, time.time(), read_ms, index / (self.fps or USUAL_FPS))
            index += 1
            start = time.perf_counter()
        if index == 0:
            raise SourceError(f"{self.path} is neither a picture nor a video that OpenCV can read; check the file.")


def _claimed_fps(capture: cv2.VideoCapture) -> float | None:
    """Return the frames a second that a capture claims, or None when it claims none that can be true."""
    fps = float(capture.get(cv2.CAP_PROP_FPS))
    return fps if 0.0 < fps <= _MOST_FPS else None


def _read_image(capture: cv2.VideoCapture) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | None:
    more, image = capture.read()
    return np.asarray(image, np.uint8) if more else None
