"""A sink behind a veil."""

from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

from edge_runtime.events.event import Event
from edge_runtime.frame import Frame
from edge_runtime.results import FrameResult
from edge_runtime.sinks.sink import Notice, Sink
from edge_runtime.veil import Veil


class VeiledSink(Sink):
    """Passes frames on to another sink, each behind a veil."""

    def __init__(self, sink: Sink, veil: Veil) -> None:
        self._sink = sink
        self._veil = veil

    def __enter__(self) -> Self:
        self._sink.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._sink.__exit__(kind, error, traceback)

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Pass on a veiled frame; errors as of the sink."""
        self._sink.write(replace(frame, image=self._veil(frame.image, result)), result)

    def tell(self, event: Event) -> None:
        """Pass on an event; errors as of the sink."""
        self._sink.tell(event)

    def take_notices(self) -> Sequence[Notice]:
        """Return those of the sink."""
        return self._sink.take_notices()

    def hurry(self) -> None:
        """Have the sink hurry."""
        self._sink.hurry()
