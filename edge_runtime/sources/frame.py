"""What every source of frames gives and how it is used."""

import time
from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from edge_runtime.preprocess import Image


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture on its way to a model.

    Attributes:
        image: (height, width, 3) uint8 BGR in [0, 255]; halved, maybe more than once, where that was said to be enough.
        source: File path, stream address, `camera:N` or `demo:GARMENT:SEED`.
        index: Zero-based position within its source; a live source counts dropped frames too.
        timestamp: Unix time in seconds at which the frame was captured or read.
        capture_ms: Milliseconds spent on reading and decoding; for a live source, on waiting for the frame.
        clock_s: Seconds on a clock of the source that never jumps, for durations: the machine's monotonic clock for a
            live source, the position in a video or among pictures.
        shrunk_by: A power of two: how many times as high and as wide it was sent.
        alone: It is a picture that has nothing to do with the frames before and after it.
    """

    image: Image
    source: str
    index: int
    timestamp: float
    capture_ms: float
    clock_s: float = field(default_factory=time.monotonic)
    shrunk_by: int = 1
    alone: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels as it was sent."""
        height, width = self.image.shape[:2]
        return height * self.shrunk_by, width * self.shrunk_by


class FrameSource(Protocol):
    """Frames in order, once; use it as a context manager.

    Attributes:
        live: Frames come in real time, whether anybody takes them or not.
        alone: Each frame is a picture that has nothing to do with the others, so that nothing in it can be followed.
        fps: Frames a second, or None when the source does not say; known once the first frame is there.
        failed: Pictures that could not be read so far.
        dropped: Frames that were captured but not handed over so far.
    """

    live: bool = False
    alone: bool = False
    fps: float | None = None
    failed: int = 0
    dropped: int = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return None

    def while_waiting(self, call: Callable[[], None]) -> None:
        """Have something done twice a second while a live source has no frame, by the thread that takes them."""
        return

    @abstractmethod
    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames.

        Raises:
            SourceError: The source cannot be opened or stops giving frames.
            PictureError: A picture cannot be read and nobody wants to hear of it and go on.
        """
