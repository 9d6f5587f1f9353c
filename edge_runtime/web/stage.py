"""What the web page shows, handed from the frame loop's side to the server's."""

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

from edge_runtime.events import Event, HealthEvent, HealthKind
from edge_runtime.frame import Frame
from edge_runtime.results import FrameResult

_MOST_EVENTS: Final = 100
_RATE_FRAMES: Final = 50
# A rate of frames that came long ago is no rate.
_RATE_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Shown:
    """A frame with its answer.

    Attributes:
        number: Counts what was shown, from 1.
        frame: As captured.
        result: What the model says about it.
    """

    number: int
    frame: Frame
    result: FrameResult


@dataclass(slots=True)
class _Place:
    shown: Shown | None = None
    clocks_s: deque[float] = field(default_factory=lambda: deque(maxlen=_RATE_FRAMES))
    lost: bool = False
    dark: bool = False


class Stage:
    """The latest answer of each source, and the latest events; safe to use from several threads.

    Pictures and videos share one place, since there may be any number of them.

    Attributes:
        over: The run has ended, and nothing more comes.
    """

    def __init__(self, *, live: bool) -> None:
        """Start empty.

        Args:
            live: The sources are cameras and streams, and each gets a place of its own.
        """
        self.over = False
        self._live = live
        self._lock = threading.Lock()
        self._number = 0
        self._places: dict[str, _Place] = {}
        self._events = deque[tuple[int, Event]](maxlen=_MOST_EVENTS)
        self._heard = 0

    def show(self, frame: Frame, result: FrameResult) -> None:
        """Put an answer in the place of the one before."""
        with self._lock:
            self._number += 1
            shown = Shown(self._number, frame, result)
            place = self._places.setdefault(frame.source if self._live else "", _Place())
            place.shown = shown
            place.clocks_s.append(time.monotonic())

    def hear(self, event: Event) -> None:
        """Add an event."""
        with self._lock:
            self._heard += 1
            self._events.append((self._heard, event))
            if self._live and isinstance(event, HealthEvent):
                self._note_health(event)

    def _note_health(self, event: HealthEvent) -> None:
        match event.kind:
            # It may never have given a frame, or one that was answered.
            case HealthKind.SOURCE_LOST | HealthKind.SOURCE_BACK:
                self._places.setdefault(event.source, _Place()).lost = event.kind is HealthKind.SOURCE_LOST
            case HealthKind.SOURCE_DARK | HealthKind.SOURCE_LIGHT:
                self._places.setdefault(event.source, _Place()).dark = event.kind is HealthKind.SOURCE_DARK

    def shown(self, index: int) -> Shown | None:
        """Return what stands in a place, counted from 0; None when there is no such place yet."""
        with self._lock:
            places = list(self._places.values())
            return places[index].shown if index < len(places) else None

    def events_after(self, heard: int) -> list[tuple[int, Event]]:
        """Return the latest events after one, each with its number from 1, oldest first."""
        with self._lock:
            return [(number, event) for number, event in self._events if number > heard]

    def sources(self) -> list[dict[str, Any]]:
        """Return what is known of each place, as JSON-ready values."""
        with self._lock:
            return [_described(name, place) for name, place in self._places.items()]


def _described(name: str, place: _Place) -> dict[str, Any]:
    described = {
        "name": name,
        "lost": place.lost,
        "dark": place.dark,
        "picture": 0,
        "fps": 0.0,
        "frame_age_s": None,
        "answer_ms": None,
        "answers": [],
        "model_sha256": None,
    }
    return described if place.shown is None else described | _answered(place.shown, place.clocks_s)


def _answered(shown: Shown, clocks_s: deque[float]) -> dict[str, Any]:
    result, now = shown.result, time.monotonic()
    return {
        "name": result.source,
        "picture": shown.number,
        "fps": round(_rate(clocks_s, now), 1),
        "frame_age_s": round(now - clocks_s[-1], 1),
        "answer_ms": round(result.times.answer, 1),
        "answers": [{"label": answer.label, "score": round(answer.score, 4)} for answer in result.answers],
        "model_sha256": result.model_sha256,
    }


def _rate(clocks_s: deque[float], now: float) -> float:
    recent = [clock_s for clock_s in clocks_s if now - clock_s <= _RATE_S]
    duration_s = now - recent[0] if recent else 0.0
    return (len(recent) - 1) / duration_s if duration_s > 0 else 0.0
