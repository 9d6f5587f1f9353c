"""Keeping the libraries' own messages off a user's terminal, so that our one sentence stands alone."""

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import Final

_FFMPEG_QUIET = "-8"


def quiet_opencv() -> None:
    """Silence OpenCV and its FFmpeg unless the user has set their log levels; call it before importing cv2."""
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", _FFMPEG_QUIET)


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Drop what native code prints to stderr within the block, for libraries that have no switch for it.

    Keep the block short: it covers the whole process.
    """
    _STDERR.begin()
    try:
        yield
    finally:
        _STDERR.end()


class _QuietStderr:
    """Stderr is one for all threads: the first block that wants it quiet keeps it, and the last one restores it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._blocks = 0
        self._kept: int | None = None

    def begin(self) -> None:
        with self._lock:
            if self._blocks == 0:
                self._kept = _silence()
            self._blocks += 1

    def end(self) -> None:
        with self._lock:
            self._blocks -= 1
            if self._blocks == 0 and self._kept is not None:
                os.dup2(self._kept, 2)
                os.close(self._kept)


def _silence() -> int | None:
    """Send stderr nowhere; return a descriptor of where it went before."""
    try:
        kept = os.dup(2)
    except OSError:
        # A service may run without stderr; then nothing can be printed there.
        return None
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    return kept


_STDERR: Final = _QuietStderr()
