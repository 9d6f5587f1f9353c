"""One process of a benchmark: it answers frames as `edge-run` does and prints how long that took."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import click

from edge_runtime.benchmark.job import STAGES, Job, Round
from edge_runtime.cli_errors import ErrorCommand
from edge_runtime.ending import run_process
from edge_runtime.errors import PictureError
from edge_runtime.quiet import quiet_opencv, quiet_stderr
from edge_runtime.results import FrameResult, StageTimes

quiet_opencv()

from edge_runtime.backend import DelegateName  # noqa: E402
from edge_runtime.loop import LoopOptions, run  # noqa: E402
from edge_runtime.recognizer import Recognizer  # noqa: E402
from edge_runtime.sinks import JsonSink, Sink, SinkThread  # noqa: E402
from edge_runtime.sources import AheadSource, Enough, Frame, FrameSource, open_sources  # noqa: E402
from edge_runtime.watchdog import Watchdog  # noqa: E402

_STUCK_S = 30.0
_STATUS: Final = Path("/proc/self/status")


@click.command(cls=ErrorCommand)
@click.argument("job")
@click.argument("started_s", type=float)
def measure(job: str, started_s: float) -> None:
    """Do the JOB of a process that was started at STARTED_S of the machine's monotonic clock; print a `Round`."""
    click.echo(json.dumps(asdict(_measure(Job.from_json(job), started_s))))


def _measure(job: Job, started_s: float) -> Round:
    plan = job.plan
    with quiet_stderr():
        recognizer = Recognizer.load(job.model, threads=plan.threads, delegate=DelegateName(job.delegate))
    enough = Enough()
    source = _TakenSource(AheadSource(EndlessSource(job.sources, enough)))
    recorder = _Recorder(source if plan.at_once is None else None, job.warm_up)
    with ExitStack() as stack:
        lines = stack.enter_context(Path(os.devnull).open("w"))
        results = stack.enter_context(SinkThread(JsonSink(lines), "nowhere", patient=True))
        watchdog = stack.enter_context(Watchdog(_STUCK_S, lambda _: None))
        options = LoopOptions(max_frames=job.warm_up + job.frames, at_once=plan.at_once)
        run(source, recognizer, [results, recorder], options, watchdog=watchdog, enough=enough)
    return recorder.round(recognizer, started_s)


class EndlessSource(FrameSource):
    """Files, over and over."""

    def __init__(self, texts: tuple[str, ...], enough: Enough | None = None) -> None:
        self._texts = texts
        self._enough = enough

    def __iter__(self) -> Iterator[Frame]:
        while True:
            with open_sources(self._texts, on_bad_picture=_refuse, enough=self._enough) as source:
                yield from source


def _refuse(error: PictureError) -> None:
    raise error


class _TakenSource(FrameSource):
    """Notes when the loop got its last frame."""

    def __init__(self, source: FrameSource) -> None:
        self._source = source
        self.taken_s = 0.0

    def __enter__(self) -> Self:
        self._source.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._source.__exit__(kind, error, traceback)

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._source:
            self.taken_s = time.perf_counter()
            yield frame


class _Recorder(Sink):
    """Keeps the times of each frame after the first few."""

    def __init__(self, source: _TakenSource | None, warm_up: int) -> None:
        """Prepare.

        Args:
            source: Knows when the frame was taken; None where others are taken before its result is there.
            warm_up: How many frames are left out.
        """
        self._source = source
        self._warm_up = warm_up
        self._first_s = self._start_s = self._end_s = 0.0
        self._start_cpu_s = self._end_cpu_s = self._thread_s = 0.0
        self._rows: list[tuple[float, ...]] = []

    def write(self, frame: Frame, result: FrameResult) -> None:
        loop_ms = self._loop_ms(result.times)
        now_s, cpu_s = time.perf_counter(), time.process_time()
        if result.frame == 0:
            self._first_s = time.monotonic()
        if result.frame >= self._warm_up:
            self._rows.append(_row(result.times, loop_ms))
            self._end_s, self._end_cpu_s = now_s, cpu_s
        if result.frame == self._warm_up - 1:
            self._start_s, self._start_cpu_s = now_s, cpu_s

    def _loop_ms(self, times: StageTimes) -> float:
        """Return what the loop took for a frame, besides the model."""
        if self._source is not None:
            return 1e3 * (time.perf_counter() - self._source.taken_s) - times.answer
        # Others answer, so all that this thread does is the loop; its wall time would be waiting for them.
        before_s, self._thread_s = self._thread_s, time.thread_time()
        return 1e3 * (self._thread_s - before_s)

    def round(self, recognizer: Recognizer, started_s: float) -> Round:
        """Return what was recorded."""
        columns = zip(*self._rows, strict=True)
        return Round(
            model=recognizer.spec.name,
            model_sha256=recognizer.model_sha256,
            backend=str(recognizer.backend),
            times_ms={stage: list(column) for stage, column in zip(STAGES, columns, strict=True)},
            wall_s=self._end_s - self._start_s,
            cpu_s=self._end_cpu_s - self._start_cpu_s,
            first_result_s=self._first_s - started_s,
            peak_rss_mb=_peak_rss_mb(),
        )


def _row(times: StageTimes, loop_ms: float) -> tuple[float, ...]:
    """Return the milliseconds of `STAGES`."""
    total_ms = times.capture + times.answer + loop_ms
    return (times.capture, times.preprocess, times.inference, times.postprocess, loop_ms, total_ms)


def _peak_rss_mb() -> float | None:
    # Not getrusage, whose peak begins at that of the process that started this one.
    try:
        status = _STATUS.read_text(encoding="ascii")
    except OSError:
        # Other systems have no such file.
        return None
    kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(kib) * 1024 / 1e6


if __name__ == "__main__":
    run_process(measure, "edge-bench")
