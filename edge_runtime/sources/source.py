"""What every source of frames gives and how it is used."""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Protocol, Self

from edge_runtime.frame import Frame


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
