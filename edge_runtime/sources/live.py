"""Frames from a camera or a network stream, as they come.

A thread of its own reads, because OpenCV may block in the middle of a read for as long as it likes; the main thread
only ever waits with a deadline.
"""

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import cv2
import numpy as np

from edge_runtime.errors import CameraError, SourceError, StreamError
from edge_runtime.preprocess import Image
from edge_runtime.sources.frame import Frame, FrameSource
from edge_runtime.sources.handover import Latest

DEFAULT_TIMEOUT_S = 10.0
# OpenCV's own timeouts should strike first: they free the connection, while the deadline leaves the thread behind.
_GRACE_S = 1.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where live frames come from.

    Attributes:
        name: What results and messages call it.
        target: What OpenCV opens: a camera number or an address.
        error: What is raised when it cannot be opened or stops.
        advice: What a user should check then.
    """

    name: str
    target: int | str
    error: type[SourceError]
    advice: str

    @classmethod
    def camera(cls, number: int) -> "Endpoint":
        """Describe a camera of this machine."""
        advice = (
            f"check that it is plugged in, that no other program uses it, and that you may read /dev/video{number} "
            "(group video)"
        )
        return cls(f"camera:{number}", number, CameraError, advice)

    @classmethod
    def stream(cls, address: str) -> "Endpoint":
        """Describe a network stream by its address."""
        advice = "check the address, the network, and that the sender is running"
        return cls(_without_password(address), address, StreamError, advice)


@dataclass(frozen=True, slots=True)
class _Captured:
    image: Image
    index: int
    timestamp: float


class LiveSource(FrameSource):
    """A camera or stream: the latest frame each time one is asked for; older ones are dropped and counted."""

    live = True

    def __init__(self, endpoint: Endpoint, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        """Prepare to open an endpoint; frames are captured from `__enter__` on.

        Args:
            endpoint: What to open.
            timeout_s: Seconds that opening, and then each frame, may take.
        """
        self.endpoint = endpoint
        self._timeout_s = timeout_s
        self._latest = Latest[_Captured]()
        self._opened = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._capture, name=endpoint.name, daemon=True)

    @property
    def dropped(self) -> int:  # type: ignore[override]
        """Frames that were captured but not handed over so far."""
        return self._latest.dropped

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        # A thread stuck in a read is left behind: it is a daemon, and nothing waits for what it reads.
        self._thread.join(_GRACE_S)

    def __iter__(self) -> Iterator[Frame]:
        if not self._opened.wait(self._timeout_s + _GRACE_S):
            raise self._failure(self._no_answer())
        while True:
            start = time.perf_counter()
            captured = self._take()
            waited_ms = (time.perf_counter() - start) * 1e3
            yield Frame(captured.image, self.endpoint.name, captured.index, captured.timestamp, waited_ms)

    def _take(self) -> _Captured:
        try:
            return self._latest.take(self._timeout_s + _GRACE_S)
        except TimeoutError as error:
            raise self._failure(self._no_frame()) from error

    def _capture(self) -> None:
        """Read until told to stop or until frames end; runs in the capture thread."""
        start = time.perf_counter()
        capture = self._open()
        try:
            if not capture.isOpened():
                self._latest.end(self._failure(self._why_not_open(time.perf_counter() - start)))
                return
            self._opened.set()
            self._latest.end(self._failure(self._read(capture)))
        finally:
            capture.release()
            # The first reason counts, so this one stands only when OpenCV raised something.
            self._latest.end(self._failure("stopped sending frames"))
            self._opened.set()

    def _open(self) -> cv2.VideoCapture:
        if isinstance(self.endpoint.target, int):
            return cv2.VideoCapture(self.endpoint.target)
        if self.endpoint.target.lower().startswith("rtsp:"):
            # OpenCV's own timeouts do not end a stalled RTSP server; FFmpeg's, in microseconds, does.
            options = f"rtsp_transport;tcp|timeout;{self._timeout_s * 1e6:.0f}"
            os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", options)
        timeout_ms = max(int(self._timeout_s * 1e3), 1)
        timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, timeout_ms, cv2.CAP_PROP_READ_TIMEOUT_MSEC, timeout_ms]
        return cv2.VideoCapture(self.endpoint.target, cv2.CAP_FFMPEG, timeouts)

    def _read(self, capture: cv2.VideoCapture) -> str:
        """Hand over frame by frame; return what happened at the end."""
        index = 0
        start = time.perf_counter()
        while not self._stop.is_set():
            more, image = capture.read()
            if not more:
                break
            self._latest.put(_Captured(np.asarray(image, np.uint8), index, time.time()))
            index += 1
            start = time.perf_counter()
        return self._no_frame() if time.perf_counter() - start >= self._timeout_s else "stopped sending frames"

    def _why_not_open(self, elapsed_s: float) -> str:
        return self._no_answer() if elapsed_s >= self._timeout_s else "cannot be opened"

    def _no_answer(self) -> str:
        return f"did not answer within {self._timeout_s:g} s"

    def _no_frame(self) -> str:
        return f"sent no frame for {self._timeout_s:g} s"

    def _failure(self, what: str) -> SourceError:
        return self.endpoint.error(f"{self.endpoint.name} {what}; {self.endpoint.advice}.")


def _without_password(address: str) -> str:
    """Hide the password of an address, which would end up in results and logs."""
    parts = urlsplit(address)
    credentials, at, host = parts.netloc.rpartition("@")
    if not at or ":" not in credentials:
        return address
    user = credentials.partition(":")[0]
    return parts._replace(netloc=f"{user}:***@{host}").geturl()
