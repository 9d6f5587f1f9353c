"""What one process is to measure, and what it found."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Final

from edge_runtime.plan import Plan, plan_answers

STAGES: Final = ("capture", "preprocess", "inference", "postprocess", "loop", "end to end")
"""Of one frame, in milliseconds.

The first four are those of `StageTimes`. `loop` is what the frame loop itself takes; `end to end` is the sum of all.
Waiting is in none: where reading and answering overlap, results come faster than one in `end to end`.
"""


@dataclass(frozen=True, slots=True)
class Job:
    """What one process is to measure.

    Attributes:
        model: File or bundled name.
        sources: Pictures, folders or videos, taken over and over.
        threads: CPU threads for the model.
        live: Frames are answered as those of cameras are, otherwise as those of files.
        delegate: Where the model runs.
        frames: How many to time.
        warm_up: How many to answer before that.
    """

    model: str
    sources: tuple[str, ...]
    threads: int
    live: bool
    delegate: str
    frames: int
    warm_up: int

    @property
    def plan(self) -> Plan:
        """How frames are answered: as `edge-run` would."""
        return plan_answers(live=self.live, delegate=self.delegate, threads=self.threads)

    def to_json(self) -> str:
        """Return it as text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Job":
        """Read what `to_json` wrote."""
        values: dict[str, Any] = json.loads(text)
        return cls(**{**values, "sources": tuple(values["sources"])})


@dataclass(frozen=True, slots=True)
class Round:
    """What one process measured.

    Attributes:
        model: Name in the model's metadata.
        model_sha256: Hash of its file.
        backend: What ran it.
        times_ms: For each of `STAGES`, one value per frame in milliseconds.
        wall_s: Seconds that the timed frames took together.
        cpu_s: Processor seconds of all threads meanwhile.
        first_result_s: Seconds from the start of the process to its first result.
        peak_rss_mb: Most memory of the process in RAM at any time, in units of 10^6 bytes; None where the system does
            not tell.
    """

    model: str
    model_sha256: str
    backend: str
    times_ms: dict[str, list[float]]
    wall_s: float
    cpu_s: float
    first_result_s: float
    peak_rss_mb: float | None

    @property
    def frames(self) -> int:
        """How many were timed."""
        return len(self.times_ms["end to end"])
