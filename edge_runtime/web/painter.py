"""Pictures for the web page: drawn when somebody looks, and no more often than eyes need."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from starlette.concurrency import run_in_threadpool

from edge_runtime.annotate import annotate
from edge_runtime.veil import Veil
from edge_runtime.web.stage import Shown, Stage

_LEAST_INTERVAL_S: Final = 0.1
_POLL_S: Final = 0.03
# Of the six connections that a browser opens to a host, one that waits is one less for the other sources.
_LONGEST_WAIT_S: Final = 1.0
_MOST_PIXELS_ACROSS: Final = 1280
_JPEG_QUALITY: Final = 80


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture that is ready to be sent.

    Attributes:
        number: Of what it shows, see `Shown`.
        jpeg: The encoded picture.
        clock_s: When it was drawn, on the monotonic clock.
    """

    number: int
    jpeg: bytes
    clock_s: float


class Painter:
    """Draws what is on a stage; all viewers of a place share its pictures."""

    def __init__(self, stage: Stage, veil: Veil) -> None:
        """Draw from a stage.

        Args:
            stage: What to show.
            veil: Applied to each frame before anything is drawn on it.
        """
        self._stage = stage
        self._veil = veil
        self._drawn: dict[int, Drawn] = {}
        self._lock = asyncio.Lock()

    async def picture(self, index: int, after: int) -> Drawn | None:
        """Wait for a picture of a place that a viewer does not have yet.

        Args:
            index: Of the place.
            after: Number of the picture that the viewer has.

        Returns:
            The picture, or None when there was no other one for a second or none will come.
        """
        deadline = time.monotonic() + _LONGEST_WAIT_S
        while time.monotonic() < deadline and not self._stage.over:
            shown = self._stage.shown(index)
            if shown is not None and shown.number != after:
                drawn = await self._draw(index, shown)
                if drawn.number != after:
                    return drawn
            await asyncio.sleep(_POLL_S)
        return None

    async def _draw(self, index: int, shown: Shown) -> Drawn:
        """Return what a place shows, or the picture before it when that was drawn just now."""
        async with self._lock:
            drawn = self._drawn.get(index)
            if drawn is None or (
                drawn.number != shown.number and time.monotonic() - drawn.clock_s >= _LEAST_INTERVAL_S
            ):
                jpeg = await run_in_threadpool(self._encode, shown)
                drawn = self._drawn[index] = Drawn(shown.number, jpeg, time.monotonic())
            return drawn

    def _encode(self, shown: Shown) -> bytes:
        image = annotate(self._veil(shown.frame.image, shown.result), shown.result)
        height, width = image.shape[:2]
        if width > _MOST_PIXELS_ACROSS:
            size = _MOST_PIXELS_ACROSS, max(round(height * _MOST_PIXELS_ACROSS / width), 1)
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        return encoded.tobytes()
