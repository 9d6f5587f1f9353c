"""Holding a rate of frames."""

import time


class Pace:
    """Says when the next frame is due, at a most frequent rate."""

    def __init__(self, max_fps: float | None) -> None:
        """Start with a frame that is due at once.

        Args:
            max_fps: Frames a second; None for no limit.
        """
        self._interval_s = 0.0 if max_fps is None else 1 / max_fps
        self._due_s = time.monotonic()

    def take(self) -> bool:
        """Tell whether a frame is due; where it is, the next one becomes due an interval later."""
        now_s = time.monotonic()
        if now_s < self._due_s:
            return False
        # A camera's frames come at times of their own: what one is late, the next may be early, or 30 fps taken at
        # most 20 times a second would become 15.
        self._due_s = max(self._due_s + self._interval_s, now_s - self._interval_s)
        return True

    def left_s(self) -> float:
        """Return the seconds until a frame is due."""
        return max(self._due_s - time.monotonic(), 0.0)

    def wait(self) -> None:
        """Sleep until a frame is due, and take it."""
        while not self.take():
            time.sleep(self.left_s())
