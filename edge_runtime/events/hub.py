"""Numbering the events of a run and passing them on."""

import time
import uuid
from collections import deque
from collections.abc import Callable

from edge_runtime.events.event import Event, HealthEvent, HealthKind, ScanEvent
from edge_runtime.events.track import Sighting

Listener = Callable[[Event], None]


class EventHub:
    """Gives each event of a run its number and id, and passes it to all listeners.

    Used by one thread alone, so that numbers and order agree.
    """

    def __init__(self, run: uuid.UUID | None = None) -> None:
        """Start at sequence 0.

        Args:
            run: Names the run; a new one when None. Run and sequence decide the ids of the events.
        """
        self._run = run or uuid.uuid4()
        self._sequence = 0
        self._listeners: list[Listener] = []
        self._waiting = deque[Event]()
        self._sending = False

    def listen(self, listener: Listener) -> None:
        """Pass on all events from now on to a listener too."""
        self._listeners.append(listener)

    def health(self, kind: HealthKind, source: str, message: str) -> None:
        """Send an event about the run itself; arguments as for `HealthEvent`."""
        self._send(HealthEvent(*self._next(), time.time(), kind, source, message))

    def scan(self, sighting: Sighting, source: str, timestamp: float, model_sha256: str) -> None:
        """Send an event about a garment; arguments as for `ScanEvent`."""
        self._send(
            ScanEvent(
                *self._next(),
                timestamp,
                sighting.kind,
                source,
                sighting.track,
                sighting.label,
                sighting.score,
                sighting.box,
                sighting.seen_s,
                model_sha256,
                sighting.refined_label,
                sighting.refined_score,
            )
        )

    def _next(self) -> tuple[str, str, int]:
        sequence = self._sequence
        self._sequence += 1
        return str(uuid.uuid5(self._run, str(sequence))), str(self._run), sequence

    def _send(self, event: Event) -> None:
        self._waiting.append(event)
        if self._sending:
            # A listener answered an event with another one, which everybody hears after the first.
            return
        self._sending = True
        try:
            while self._waiting:
                self._pass_on(self._waiting.popleft())
        finally:
            self._sending = False

    def _pass_on(self, event: Event) -> None:
        for listener in self._listeners:
            listener(event)
