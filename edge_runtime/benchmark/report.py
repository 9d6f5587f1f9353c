"""What a benchmark found, as JSON-ready values."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edge_runtime.benchmark.job import STAGES, Job, Round


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Milliseconds that 50, 95 and 99 of 100 frames stay below."""

    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class ThreadFigures:
    """What was found with one number of threads.

    Attributes:
        threads: CPU threads for the model.
        frames_per_s: Median of the rounds.
        speed_up: Frames a second by those of the first number of threads, median of the rounds' ratios.
        cpu_ms: Processor milliseconds of all threads for one frame, median of the rounds.
        overhead: Share of a frame's `end to end` spent outside capture, preprocess and inference, median of the frames.
        cold_start_s: Seconds from the start of a process to its first result, median of the rounds.
        peak_rss_mb: Most memory in RAM, of any round, in units of 10^6 bytes; None where the system does not tell.
        stages_ms: Percentiles over all frames of all rounds, by stage.
    """

    threads: int
    frames_per_s: float
    speed_up: float
    cpu_ms: float
    overhead: float
    cold_start_s: float
    peak_rss_mb: float | None
    stages_ms: dict[str, Percentiles]


@dataclass(frozen=True, slots=True)
class Report:
    """What a benchmark found, and on what.

    Attributes:
        model: Name in the model's metadata.
        model_sha256: Hash of its file.
        delegate: Where it ran.
        live: Whether frames were answered one after another.
        input: What the frames came from.
        frames: Timed in each round.
        rounds: How many processes measured each number of threads.
        machine: Processor and versions.
        figures: By number of threads.
    """

    model: str
    model_sha256: str
    delegate: str
    live: bool
    input: str
    frames: int
    rounds: int
    machine: dict[str, Any]
    figures: tuple[ThreadFigures, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-ready values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Report":
        """Read what `to_dict` wrote.

        Raises:
            KeyError: A value is missing.
            TypeError: One is missing or unknown.
        """
        figures = (_figures_from_dict(each) for each in values["figures"])
        return cls(**{**values, "figures": tuple(figures)})


def _figures_from_dict(values: dict[str, Any]) -> ThreadFigures:
    stages = {stage: Percentiles(**times) for stage, times in values["stages_ms"].items()}
    return ThreadFigures(**{**values, "stages_ms": stages})


def summarize(jobs: Sequence[Job], rounds: Sequence[Sequence[Round]], source: str, machine: dict[str, Any]) -> Report:
    """Return the report of several rounds.

    Args:
        jobs: One for each number of threads.
        rounds: Each with what every job measured.
        source: What the frames came from.
        machine: Processor and versions.
    """
    first = rounds[0][0]
    by_job = list(zip(*rounds, strict=True))
    return Report(
        model=first.model,
        model_sha256=first.model_sha256,
        delegate=jobs[0].delegate,
        live=jobs[0].plan.at_once is None,
        input=source,
        frames=jobs[0].frames,
        rounds=len(rounds),
        machine=machine,
        figures=tuple(_figures(job, measured, by_job[0]) for job, measured in zip(jobs, by_job, strict=True)),
    )


def _figures(job: Job, rounds: Sequence[Round], baseline: Sequence[Round]) -> ThreadFigures:
    times = {stage: np.concatenate([each.times_ms[stage] for each in rounds]) for stage in STAGES}
    work = times["capture"] + times["preprocess"] + times["inference"]
    ratios = [_rate(each) / _rate(base) for each, base in zip(rounds, baseline, strict=True)]
    return ThreadFigures(
        threads=job.threads,
        frames_per_s=statistics.median(map(_rate, rounds)),
        speed_up=statistics.median(ratios),
        cpu_ms=statistics.median(1e3 * each.cpu_s / each.frames for each in rounds),
        overhead=float(np.median(1 - work / times["end to end"])),
        cold_start_s=statistics.median(each.first_result_s for each in rounds),
        peak_rss_mb=max((each.peak_rss_mb for each in rounds if each.peak_rss_mb is not None), default=None),
        stages_ms={stage: Percentiles(*map(float, np.percentile(times[stage], (50, 95, 99)))) for stage in STAGES},
    )


def _rate(measured: Round) -> float:
    return measured.frames / measured.wall_s
