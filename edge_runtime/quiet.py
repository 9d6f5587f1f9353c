"""Keeping the libraries' own messages off a user's terminal, so that our one sentence stands alone."""

import contextlib
import os
from collections.abc import Iterator

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
    try:
        kept = os.dup(2)
    except OSError:
        # A service may run without stderr; then nothing can be printed there.
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)
