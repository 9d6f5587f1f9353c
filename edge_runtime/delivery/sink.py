"""The sink that puts events into the outbox."""

import json
import time
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, Self

from edge_runtime.delivery.courier import Courier, Transport
from edge_runtime.delivery.outbox import Outbox
from edge_runtime.events import Event, HealthKind
from edge_runtime.sinks.sink import Notice, Sink

_NAME: Final = "outbox"
_LAST_WAIT_S: Final = 4.0
# In a long outage every event drops another one.
_TELL_DROPPED_EVERY_S: Final = 60.0


class OutboxSink(Sink):
    """Keeps every event on disk for each transport, and has couriers deliver it.

    Attributes:
        outbox: Where the events wait.
        couriers: One for each transport.
    """

    def __init__(self, outbox: Outbox, transports: Sequence[Transport]) -> None:
        """Prepare; couriers start with `__enter__`.

        Args:
            outbox: Closed here.
            transports: Each with a target of its own.
        """
        self.outbox = outbox
        self._notices = deque[Notice]()
        self.couriers = tuple(Courier(outbox, transport, self._note) for transport in transports)
        self._targets = [courier.target for courier in self.couriers]
        self._dropped_told_s = -_TELL_DROPPED_EVERY_S

    def __enter__(self) -> Self:
        for courier in self.couriers:
            courier.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        deadline = time.monotonic() + _LAST_WAIT_S
        for courier in self.couriers:
            courier.end()
        for courier in self.couriers:
            courier.join(max(deadline - time.monotonic(), 0.0))
        self.outbox.close()

    def tell(self, event: Event) -> None:
        """Keep an event; when this returns, no end of the process can lose it.

        Raises:
            OutputError: The outbox cannot be written.
        """
        dropped = sum(self.outbox.dropped().values())
        self.outbox.put(self._targets, event.id, json.dumps(event.to_dict()))
        for courier in self.couriers:
            courier.wake()
        if sum(self.outbox.dropped().values()) > dropped:
            self._tell_dropped()

    def take_notices(self) -> Sequence[Notice]:
        """Return what became of receivers and of dropped events since this was asked last."""
        # Couriers add to them meanwhile.
        return [self._notices.popleft() for _ in range(len(self._notices))]

    def status(self) -> list[dict[str, Any]]:
        """Return how the deliveries are, as JSON-ready values."""
        waiting, dropped = self.outbox.waiting(), self.outbox.dropped()
        return [
            {
                "target": courier.target,
                "waiting": waiting.get(courier.target, 0),
                "dropped": dropped.get(courier.target, 0),
                "failing": courier.failing,
            }
            for courier in self.couriers
        ]

    def _tell_dropped(self) -> None:
        if time.monotonic() - self._dropped_told_s >= _TELL_DROPPED_EVERY_S:
            self._dropped_told_s = time.monotonic()
            counts = ", ".join(f"{count} for {target}" for target, count in self.outbox.dropped().items())
            text = f"The outbox is full: the oldest events are LOST, so far {counts}; bring the receiver back."
            self._note(HealthKind.SINK_FAILED, text)

    def _note(self, kind: HealthKind, text: str) -> None:
        self._notices.append((kind, _NAME, text))
