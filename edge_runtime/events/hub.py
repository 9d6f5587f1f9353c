"""Numbering the events of a run and passing them on."""

import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

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
        self._together = False

    def listen(self, listener: Listener) -> None:
        """Pass on all events from now on to a listener too."""
        self._listeners.append(listener)

    @contextmanager
    def listened_to(self, *listeners: Listener) -> Iterator[None]:
        """Pass on all events of the block to listeners too."""
        self._listeners += listeners
        try:
            yield
        finally:
            for listener in listeners:
                self._listeners.remove(listener)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Keep the events of the block for its end, so that no listener that fails keeps the later ones from others.

        Raises:
            Exception: The first that a listener raised, once each has been told of all events.
        """
        if self._together:
            # Who began passes them on; a listener answers an event with another one, which all hear after the first.
            yield
            return
        self._together = True
        try:
            yield
            self._pass_on()
        finally:
            self._together = False

    def health(self, kind: HealthKind, source: str, message: str) -> None:
        """Send an event about the run itself; arguments as for `HealthEvent`."""
        self._send(HealthEvent(*self._next(), time.time(), kind, source, message))

    def scan(self, sighting: Sighting, source: str, timestamp: float, video_s: float | None, model_sha256: str) -> None:
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
                video_s=video_s,
            )
        )

    def _next(self) -> tuple[str, str, int]:
        sequence = self._sequence
        self._sequence += 1
        return str(uuid.uuid5(self._run, str(sequence))), str(self._run), sequence

    def _send(self, event: Event) -> None:
        with self.together():
            self._waiting.append(event)

    def _pass_on(self) -> None:
        errors: list[Exception] = []
        while self._waiting:
            event = self._waiting.popleft()
            for listener in tuple(self._listeners):
                try:
                    listener(event)
                except Exception as error:
                    errors.append(error)
        if errors:
            raise errors[0]
