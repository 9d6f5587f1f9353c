"""Turning the results of a run into scan events."""

import itertools
from dataclasses import dataclass, replace

from edge_runtime.events.event import Event, HealthEvent, HealthKind, ScanKind
from edge_runtime.events.hub import EventHub
from edge_runtime.events.track import Sighting, TrackRules
from edge_runtime.events.tracker import Tracker, observe
from edge_runtime.frame import Frame
from edge_runtime.results import FrameResult


@dataclass(frozen=True, slots=True)
class _Moment:
    """When a frame was captured, as Unix time, and where in a video."""

    timestamp: float
    video_s: float | None


@dataclass(frozen=True, slots=True)
class _Latest:
    """Of a source's latest frame: when it was captured, when the one whose answer it has was, and by which model."""

    seen: _Moment
    answered: _Moment
    model_sha256: str


class Scanner:
    """Follows the garments of every source of a run, and sends scan events.

    A source that is lost, and the end of the run, end its tracks: a garment that has appeared always leaves.

    Attributes:
        hub: Numbers the events.
    """

    def __init__(self, hub: EventHub, rules: TrackRules | None = None) -> None:
        """Listen to the hub for sources that are lost, and send events through it.

        Args:
            hub: Numbers the events.
            rules: When a garment counts as there, as sure, and as gone.
        """
        self.hub = hub
        self._rules = rules or TrackRules()
        self._numbers = itertools.count()
        self._trackers: dict[str, Tracker] = {}
        self._latest: dict[str, _Latest] = {}
        hub.listen(self._hear)

    def see(self, frame: Frame, result: FrameResult | None) -> None:
        """Take a frame and what it shows; no result where it shows nothing."""
        if frame.source not in self._trackers:
            self._trackers[frame.source] = Tracker(self._rules, self._numbers)
        seen = _Moment(frame.timestamp, frame.video_s)
        if result is not None:
            latest = _Latest(seen, _Moment(result.timestamp, result.video_s), result.model_sha256)
        else:
            latest = replace(self._latest.get(frame.source, _Latest(seen, seen, "")), seen=seen)
        self._latest[frame.source] = latest
        observations = [] if result is None else observe(result)
        self._send(frame.source, self._trackers[frame.source].update(observations, frame.clock_s), latest)

    def end_source(self, source: str) -> None:
        """Say that everything seen by a source has left, and forget the source."""
        if tracker := self._trackers.pop(source, None):
            self._send(source, tracker.end(), self._latest.pop(source))

    def end(self) -> None:
        """Do so for all sources."""
        with self.hub.together():
            for source in tuple(self._trackers):
                self.end_source(source)

    def _send(self, source: str, sightings: list[Sighting], latest: _Latest) -> None:
        with self.hub.together():
            for sighting in sightings:
                moment = latest.seen if sighting.kind is ScanKind.LEFT else latest.answered
                self.hub.scan(sighting, source, moment.timestamp, moment.video_s, latest.model_sha256)

    def _hear(self, event: Event) -> None:
        if isinstance(event, HealthEvent) and event.kind is HealthKind.SOURCE_LOST:
            self.end_source(event.source)
