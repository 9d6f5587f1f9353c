"""Reading a file's frames ahead, so that decoding and answering overlap."""

import queue
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from edge_runtime.frame import Frame
from edge_runtime.sources.pace import Pace
from edge_runtime.sources.source import FrameSource

# It waits while the next one is decoded; the frame loop takes more where it answers several at once.
_MOST_AHEAD = 1
_LONGEST_WAIT_S = 0.1


class AheadSource(FrameSource):
    """The frames of a source that is not live, in order, read by a thread of its own."""

    def __init__(self, source: FrameSource, max_fps: float | None = None) -> None:
        """Prepare to read; the thread starts with `__enter__`.

        Args:
            source: Opened and closed here.
            max_fps: Frames a second at most; None for as fast as they are asked for.
        """
        self._source = source
        self._pace = Pace(max_fps)
        self._ready = queue.Queue[tuple[Frame | BaseException | None, int]](_MOST_AHEAD)
        self._stop_wanted = threading.Event()
        self._thread = threading.Thread(target=self._read, name="read ahead", daemon=True)

    @property
    def fps(self) -> float | None:  # type: ignore[override]
        """Frames a second, or None when the source does not say."""
        return self._source.fps

    @property
    def alone(self) -> bool:  # type: ignore[override]
        """As the source has it."""
        return self._source.alone

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop_wanted.set()
        self._thread.join()

    def __iter__(self) -> Iterator[Frame]:
        while True:
            self._pace.wait()
            # The failures counted are those before this frame, whatever was read ahead since.
            frame, self.failed = self._ready.get()
            if frame is None:
                return
            if isinstance(frame, BaseException):
                raise frame
            yield frame

    def _read(self) -> None:
        try:
            with self._source:
                for frame in self._source:
                    if not self._put(frame):
                        return
            self._put(None)
        except BaseException as error:
            self._put(error)

    def _put(self, item: Frame | BaseException | None) -> bool:
        """Leave an item for the taker; return False when nobody wants it any more."""
        while not self._stop_wanted.is_set():
            try:
                self._ready.put((item, self._source.failed), timeout=_LONGEST_WAIT_S)
            except queue.Full:
                continue
            return True
        return False
