"""What is looked at: one frame, with where it comes from."""

import time
from dataclasses import dataclass, field

from edge_runtime.preprocess import AnyImage, check_frame


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
        recorded: It is of a video, so that `clock_s` is its position there.

    Raises:
        TypeError: The image is no array.
        ValueError: The image is not of three channels, or of other numbers than uint8.
    """

    image: AnyImage
    source: str
    index: int
    timestamp: float
    capture_ms: float
    clock_s: float = field(default_factory=time.monotonic)
    shrunk_by: int = 1
    alone: bool = False
    recorded: bool = False

    def __post_init__(self) -> None:
        check_frame(self.image)

    @property
    def video_s(self) -> float | None:
        """Seconds from the start of the video that it is of, None of a picture and of a live source."""
        return self.clock_s if self.recorded else None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels as it was sent."""
        height, width = self.image.shape[:2]
        return height * self.shrunk_by, width * self.shrunk_by
