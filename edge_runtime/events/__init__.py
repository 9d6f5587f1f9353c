"""Events instead of frames: what becomes of garments, and of the run itself."""

from edge_runtime.events.event import Event, HealthEvent, HealthKind, ScanEvent, ScanKind
from edge_runtime.events.hub import EventHub, Listener
from edge_runtime.events.scanner import Scanner
from edge_runtime.events.track import Sighting, TrackRules
from edge_runtime.events.tracker import Tracker

__all__ = [
    "Event",
    "EventHub",
    "HealthEvent",
    "HealthKind",
    "Listener",
    "ScanEvent",
    "ScanKind",
    "Scanner",
    "Sighting",
    "TrackRules",
    "Tracker",
]
