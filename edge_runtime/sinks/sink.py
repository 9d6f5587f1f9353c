"""What every sink of results can do."""

from abc import abstractmethod
from types import TracebackType
from typing import Protocol, Self

from edge_runtime.results import FrameResult
from edge_runtime.sources.frame import Frame


class Sink(Protocol):
    """Takes results, one frame after another; use it as a context manager."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return None

    @abstractmethod
    def write(self, frame: Frame, result: FrameResult) -> None:
        """Take a frame and its result.

        Raises:
            OutputError: It cannot be written.
        """
