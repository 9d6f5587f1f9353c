"""Frames that are drawn, for a first look without camera or photos."""

import time
from collections.abc import Iterator

from edge_runtime.frame import Frame
from edge_runtime.sources.source import FrameSource

_SEED = 0


class DemoSource(FrameSource):
    """One drawn picture of each garment."""

    alone = True
    # As a video, pictures are shown for one second each.
    fps = 1.0

    def __iter__(self) -> Iterator[Frame]:
        # No other source needs what drawing loads: 8 MB of memory, and a fifth of the time to a first result.
        from edge_runtime.drawing import GARMENTS, draw_garment

        for index, garment in enumerate(GARMENTS):
            start = time.perf_counter()
            image = draw_garment(garment, _SEED)
            drawn_ms = (time.perf_counter() - start) * 1e3
            yield Frame(image, f"demo:{garment}:{_SEED}", index, time.time(), drawn_ms, index / self.fps, alone=True)
