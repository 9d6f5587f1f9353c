"""Frames from a video file."""

import os
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import cv2

from edge_runtime.addresses import is_utf8
from edge_runtime.errors import SourceError
from edge_runtime.frame import Frame
from edge_runtime.preprocess import halve
from edge_runtime.sources.enough import Enough
from edge_runtime.sources.reader import MOST_BAD, Picture, PictureReader
from edge_runtime.sources.source import FrameSource

USUAL_FPS: Final = 25.0
# Some containers claim nonsense, for example 90000.
_MOST_FPS = 240.0
_LONGEST_STEP_S: Final = 3600.0


class _Clock:
    """Where in a video its frames are.

    Phones and screen recorders leave gaps between frames, so positions are the video's own. They are taken step by
    step: a raw stream has none, a damaged stamp may say anything, and where recordings are joined they begin anew.
    """

    def __init__(self, usual_step_s: float) -> None:
        self._usual_step_s = usual_step_s
        self._stated_s: float | None = None
        self._position_s = 0.0

    def take(self, stated_s: float) -> float:
        """Return the position of the next frame in seconds, for what the video states."""
        before_s, self._stated_s = self._stated_s, stated_s
        if before_s is not None:
            step_s = stated_s - before_s
            self._position_s += step_s if 0 < step_s <= _LONGEST_STEP_S else self._usual_step_s
        return self._position_s


class VideoSource(FrameSource):
    """A video file: every frame, in order, as fast as it is asked for."""

    def __init__(self, path: str | os.PathLike[str], enough: Enough | None = None) -> None:
        """Prepare to read a file.

        Args:
            path: The video.
            enough: How large frames have to be; None for whole ones.

        Raises:
            SourceError: The path is no UTF-8.
        """
        self.path = Path(path)
        if not takes_path(self.path):
            name = ascii(str(self.path.absolute()))
            raise SourceError(f"{name} is no UTF-8, and OpenCV reads no video of such a name; rename it.")
        self._enough = enough or Enough()

    def __iter__(self) -> Iterator[Frame]:
        with closing(PictureReader(self._open, self._enough)) as reader:
            self.fps = _claimed_fps(reader.capture)
            yield from self._read(reader)

    def _open(self) -> cv2.VideoCapture:
        # FFmpeg would take `a:b.mp4` for an address, but not an absolute path.
        return cv2.VideoCapture(str(self.path.absolute()), cv2.CAP_FFMPEG)

    def _read(self, reader: PictureReader) -> Iterator[Frame]:
        index = 0
        clock = _Clock(1 / (self.fps or USUAL_FPS))
        start = time.perf_counter()
        while (picture := self._read_picture(reader)) is not None:
            read_ms = (time.perf_counter() - start) * 1e3
            yield Frame(
                picture.image,
                str(self.path),
                index,
                time.time(),
                read_ms,
                clock.take(float(reader.capture.get(cv2.CAP_PROP_POS_MSEC)) / 1e3),
                picture.shrunk_by,
                recorded=True,
            )
            index += 1
            start = time.perf_counter()
        if index == 0:
            raise self._no_video()

    def _no_video(self) -> SourceError:
        """Return what to say of a file without a frame; OpenCV does not tell a damaged one from a forbidden one."""
        try:
            self.path.open("rb").close()
        except OSError as error:
            return SourceError(f"{self.path} cannot be read ({error.strerror}); check the path and its permissions.")
        return SourceError(f"{self.path} is neither a picture nor a video that OpenCV can read; check the file.")

    def _read_picture(self, reader: PictureReader) -> Picture | None:
        """Return the next picture that is not damaged, no larger than it has to be.

        At a damaged one OpenCV says the same as at the end, and goes on behind it.
        """
        for _ in range(MOST_BAD + 1):
            if reader.grab() and (picture := reader.retrieve()) is not None:
                return self._halve(picture)
        return None

    def _halve(self, picture: Picture) -> Picture:
        """Halve a picture while it is in the processor's cache; of a camera's most would be halved in vain."""
        halvings = self._enough.count_halvings((picture.image.shape[0], picture.image.shape[1]))
        image = picture.image
        for _ in range(halvings):
            image = halve(image)
        return Picture(image, picture.shrunk_by << halvings)


def takes_path(path: Path) -> bool:
    """Tell whether OpenCV can be given a file's absolute path: one that is no UTF-8 ends the process with SIGSEGV."""
    return is_utf8(str(path.absolute()))


def _claimed_fps(capture: cv2.VideoCapture) -> float | None:
    """Return the frames a second that a capture claims, or None when it claims none that can be true."""
    fps = float(capture.get(cv2.CAP_PROP_FPS))
    return fps if 0.0 < fps <= _MOST_FPS else None
