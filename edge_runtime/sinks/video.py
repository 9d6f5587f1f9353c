"""Annotated frames as a video file."""

import shutil
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final

import cv2
import numpy as np

from edge_runtime.annotate import annotate
from edge_runtime.errors import OutputError
from edge_runtime.files import replacing
from edge_runtime.frame import Frame
from edge_runtime.preprocess import Image
from edge_runtime.quiet import quiet_stderr
from edge_runtime.results import FrameResult
from edge_runtime.sinks.pictures import refuse_source
from edge_runtime.sinks.sink import Sink
from edge_runtime.sources.source import FrameSource
from edge_runtime.sources.video import USUAL_FPS, takes_path

VIDEO_CODECS: Final = {".mp4": "mp4v", ".avi": "MJPG", ".webm": "VP90"}

_FRAMES_TO_MEASURE = 10
# OpenCV does not say when a disk is full. A video needs this much more to be finished so that it can be played.
_LEAST_FREE_BYTES = 16 * 2**20


class VideoSink(Sink):
    """A video of the annotated frames, all brought to the size of the first.

    It has the frame rate of its source. Frames of a live source are answered at a rate of their own, so there the
    rate is measured over the first frames, which are held back until then.
    """

    def __init__(self, path: Path, source: FrameSource) -> None:
        """Prepare to write.

        Args:
            path: Its suffix, one of `VIDEO_CODECS`, chooses the format; a file of that name is replaced at the end.
            source: Where the frames will come from.

        Raises:
            OutputError: The path is no UTF-8.
        """
        if not takes_path(path):
            name = ascii(str(path.absolute()))
            raise OutputError(f"{name} is no UTF-8, and OpenCV writes no video of such a name; choose another.")
        self.path = path
        self._source = source
        self._held: list[Image] = []
        self._clocks_s: list[float] = []
        self._fps: float | None = None
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._aside = path
        self._file = ExitStack()

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Add a frame.

        Raises:
            OutputError: The disk is full, the video cannot be started, or would replace its own source.
        """
        if self._writer is None:
            refuse_source(self.path, frame.source)
        else:
            self._check_space()
        self._held.append(annotate(frame.image, result))
        self._clocks_s.append(frame.clock_s)
        if not self._source.live or self._fps is not None or len(self._held) == _FRAMES_TO_MEASURE:
            self._write_held()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if self._held:
                self._write_held()
        finally:
            self._finish()

    def _write_held(self) -> None:
        held, self._held = self._held, []
        if self._fps is None:
            self._fps = self._measure_fps()
        self._clocks_s.clear()
        # Where this fails, the frames are lost; held for another try, they would fill the memory.
        writer = self._writer or self._open(held[0], self._fps)
        for image in held:
            writer.write(_fitted(image, *self._size))

    def _finish(self) -> None:
        # Whatever ended the run, the frames up to then are worth keeping: the file is put in place all the same.
        with self._file:
            if self._writer is not None:
                self._writer.release()
                self._check_playable()

    def _open(self, first: Image, fps: float) -> cv2.VideoWriter:
        self._size = first.shape[1], first.shape[0]
        with ExitStack() as file:
            self._aside = file.enter_context(replacing(self.path))
            # OpenCV would not say why it cannot make the file; this does.
            self._aside.touch()
            self._check_space()
            self._writer = self._start_writer(fps)
            self._file = file.pop_all()
        return self._writer

    def _start_writer(self, fps: float) -> cv2.VideoWriter:
        codec = cv2.VideoWriter.fourcc(*VIDEO_CODECS[self.path.suffix.lower()])
        # For WebM, OpenCV prints a complaint about a tag that it then replaces by itself.
        with quiet_stderr():
            writer = cv2.VideoWriter(str(self._aside.absolute()), cv2.CAP_FFMPEG, codec, fps, self._size)
        if writer.isOpened():
            return writer
        width, height = self._size
        raise OutputError(
            f"OpenCV cannot write a video of {width} x {height} pixels to {self.path}; choose another suffix: "
            f"{', '.join(VIDEO_CODECS)}."
        )

    def _measure_fps(self) -> float:
        if not self._source.live:
            return self._source.fps or USUAL_FPS
        duration_s = self._clocks_s[-1] - self._clocks_s[0]
        return max(round((len(self._clocks_s) - 1) / duration_s), 1.0) if duration_s > 0 else USUAL_FPS

    def _check_space(self) -> None:
        if shutil.disk_usage(self._aside.parent).free < _LEAST_FREE_BYTES:
            raise OutputError(f"The disk is almost full, so {self.path} ends here; free some space.")

    def _check_playable(self) -> None:
        capture = cv2.VideoCapture(str(self._aside.absolute()), cv2.CAP_FFMPEG)
        playable = capture.read()[0]
        capture.release()
        if not playable:
            raise OutputError(f"The video {self.path} could not be finished; check that the disk is not full.")


def _fitted(image: Image, width: int, height: int) -> Image:
    """Scale a picture into a frame of another size, centred on black."""
    if image.shape[:2] == (height, width):
        return image
    scale = min(width / image.shape[1], height / image.shape[0])
    inner_width, inner_height = (max(round(side * scale), 1) for side in (image.shape[1], image.shape[0]))
    frame: Image = np.zeros((height, width, 3), np.uint8)
    left, top = (width - inner_width) // 2, (height - inner_height) // 2
    inner = frame[top : top + inner_height, left : left + inner_width]
    inner[:] = cv2.resize(image, (inner_width, inner_height), interpolation=cv2.INTER_AREA)
    return frame
