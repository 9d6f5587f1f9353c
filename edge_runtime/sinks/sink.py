"""What every sink of results can do."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from edge_runtime.events.event import Event, HealthKind
from edge_runtime.frame import Frame
from edge_runtime.results import FrameResult

Notice = tuple[HealthKind, str, str]
"""What happened to a sink: the kind, the name it goes by, and one sentence."""


class Sink:
    """Takes results and events, in the order in which they come; use it as a context manager.

    One of your own inherits from it and overrides what it has a use for. Each is called by one thread at a time, but
    for `take_notices`, which the frame loop calls whatever the sink is doing.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return None

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Take a frame and its result.

        Raises:
            OutputError: It cannot be written.
        """

    def tell(self, event: Event) -> None:
        """Take an event.

        Raises:
            OutputError: It cannot be written.
        """

    def take_notices(self) -> Sequence[Notice]:
        """Return what happened to the sink since this was asked last, for the frame loop to pass on as events."""
        return ()

    def hurry(self) -> None:
        """Hear that the run is ending before its time, so that nothing is worth a long wait any more."""
