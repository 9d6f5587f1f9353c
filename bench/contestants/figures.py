"""What every contestant of bench/peers.py measures of itself, with the standard library alone."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2


class Stopwatch:
    """Times frames after the first few; started as the first thing after a contestant's imports."""

    def __init__(self, started_s: float, warm_up: int) -> None:
        """Prepare.

        Args:
            started_s: When the process was started, by the machine's monotonic clock.
            warm_up: Frames that are answered before those that count.
        """
        self._started_s = started_s
        self._warm_up = warm_up
        self._answered = 0
        self._first_result_s = self._wall_s = self._cpu_s = 0.0

    def tick(self) -> None:
        """Note that a frame has been answered."""
        self._answered += 1
        if self._answered == 1:
            self._first_result_s = time.monotonic() - self._started_s
        if self._answered == self._warm_up:
            self._wall_s, self._cpu_s = time.perf_counter(), time.process_time()

    def report(self) -> None:
        """Print what was measured as JSON."""
        wall_s, cpu_s = time.perf_counter() - self._wall_s, time.process_time() - self._cpu_s
        values: dict[str, Any] = {
            "frames": self._answered - self._warm_up,
            "wall_s": wall_s,
            "cpu_s": cpu_s,
            "first_result_s": self._first_result_s,
            "peak_rss_mb": _peak_rss_mb(),
        }
        print(json.dumps(values))


def endless_frames(video: str) -> Iterator[Any]:
    """Yield the (height, width, 3) uint8 BGR frames of a video, over and over, as OpenCV's samples read them."""
    while True:
        capture = cv2.VideoCapture(video)
        while True:
            more, frame = capture.read()
            if not more:
                break
            yield frame
        capture.release()


def _peak_rss_mb() -> float:
    # Not getrusage, whose peak begins at that of the process that started this one.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) * 1024 / 1e6
