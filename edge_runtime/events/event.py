"""What can happen during a run, as plain values that are ready to be sent."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from edge_runtime.boxes import Box


class HealthKind(StrEnum):
    """What may become of the run itself; docs/faults.md says when each is sent."""

    SOURCE_LOST = "source_lost"
    SOURCE_BACK = "source_back"
    SOURCE_DARK = "source_dark"
    SOURCE_LIGHT = "source_light"
    SIZE_CHANGED = "size_changed"
    SINK_FAILED = "sink_failed"
    SINK_SLOW = "sink_slow"
    SINK_BACK = "sink_back"
    MODEL_RELOADED = "model_reloaded"
    MODEL_REFUSED = "model_refused"
    INFERENCE_STUCK = "inference_stuck"


class ScanKind(StrEnum):
    """What becomes of a garment before the camera.

    `APPEARED` comes at most once per track and `LEFT` exactly once after it; `SETTLED` comes at most once between
    them, when the label is sure enough to act on.
    """

    APPEARED = "appeared"
    SETTLED = "settled"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class HealthEvent:
    """Something became of the run itself.

    Attributes:
        id: UUID of the event; it stays the same when the event is sent again.
        run: UUID of the process's run.
        sequence: Counts the events of a run from 0 without gaps, over both kinds of event.
        timestamp: Unix time in seconds.
        kind: What happened.
        source: The source or sink that it happened to, or the model's name.
        message: One sentence for people.
    """

    id: str
    run: str
    sequence: int
    timestamp: float
    kind: HealthKind
    source: str
    message: str

    def to_dict(self) -> dict[str, Any]:
        """Return the event as JSON-ready values, with `type` `health`."""
        return {"type": "health", **asdict(self)}


@dataclass(frozen=True, slots=True)
class ScanEvent:
    """A garment came, became sure, or went.

    Attributes:
        id: UUID of the event; it stays the same when the event is sent again.
        run: UUID of the process's run.
        sequence: Counts the events of a run from 0 without gaps, over both kinds of event.
        timestamp: Unix time in seconds at which the deciding frame was captured; with `--skip-still`, of a frame
            without motion, that at which the one that was looked at was.
        video_s: Seconds from the start of the video to that frame; None of a live source.
        kind: What happened.
        source: Where the frames come from.
        track: Number of the garment within the run, from 0.
        label: The label that most of the latest frames vote for.
        score: Mean score in [0, 1] of the votes for it.
        box: (x_min, y_min, x_max, y_max) in pixels of the frame, where last seen; None when the model is no detector.
        seen_s: Seconds from the first to the last frame that voted for the label. While nothing has settled, votes
            count anew once the time that the vote covers had none for it. What follows another garment in its place
            begins after the last vote for that one.
        model_sha256: Hash of the model file that answered.
        refined_label: What most second looks of a detector's classifier say; None where none was taken or sure.
        refined_score: Mean score in [0, 1] of these.
    """

    id: str
    run: str
    sequence: int
    timestamp: float
    video_s: float | None = field(default=None, kw_only=True)
    kind: ScanKind
    source: str
    track: int
    label: str
    score: float
    box: Box | None
    seen_s: float
    model_sha256: str
    refined_label: str | None = None
    refined_score: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the event as JSON-ready values, with `type` `scan`."""
        rounded = {
            "video_s": _rounded(self.video_s, 3),
            "score": round(self.score, 4),
            "seen_s": round(self.seen_s, 3),
            "refined_score": _rounded(self.refined_score, 4),
        }
        return {"type": "scan", **asdict(self), **rounded}


Event = HealthEvent | ScanEvent


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
