"""A long run in which camera and broker die again and again.

pytest -m slow -n 0 -s tests/edge_runtime/delivery/test_soak.py
"""

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pytest

_ROOT: Final = Path(__file__).parents[3]
_FRAMES: Final = 100_000
_STREAM_DEATHS: Final = 200
_BROKER_DEATHS: Final = 50
# Frames from one death of the stream to the next; not all that are sent are answered.
_FRAMES_PER_CONNECTION: Final = _FRAMES // _STREAM_DEATHS
_MOST_GROWTH: Final = 1.02
# Waits between attempts are cut short, or the deaths alone would take an hour.
_COMMAND: Final = """
import edge_runtime.sources.capture as capture
from edge_runtime.cli import main

capture._FIRST_WAIT_S, capture._STEADY_S = 0.02, 0.05
main()
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process took of the machine when so many frames were answered."""

    frame: int
    clock_s: float
    rss_mb: float
    threads: int
    files: int


def _sample(pid: int, frame: int) -> Sample:
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    rss_mb = int(status["VmRSS"].split()[0]) * 1024 / 1e6
    return Sample(frame, time.monotonic(), rss_mb, int(status["Threads"]), len(list(Path(f"/proc/{pid}/fd").iterdir())))


@dataclass
class Weather:
    """Stops and starts the broker as frames are answered.

    Attributes:
        broker: Runs at the start and at the end.
        deaths: How often it was stopped.
        answered: Frames up to now.
    """

    broker: Any
    deaths: int = 0
    answered: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        for number in range(1, _BROKER_DEATHS + 1):
            while self.answered < number * _FRAMES // (_BROKER_DEATHS + 1):
                if self._over.wait(0.05):
                    return
            self.broker.stop()
            self.deaths += 1
            self._over.wait(0.5)
            self.broker.start()

    def end(self) -> None:
        self._over.set()


@pytest.fixture
def weather(broker) -> Iterator[Weather]:  # noqa: ANN001
    state = Weather(broker)
    thread = threading.Thread(target=state.run)
    thread.start()
    yield state
    state.end()
    thread.join()


def _run(arguments: list[str], log: Path, on_frame: Callable[[int, int], None]) -> None:
    """Run `edge-run`, tell of each frame's number and the process; what it says to the user goes to a file."""
    command = [sys.executable, "-c", _COMMAND, "--json", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
    with (
        log.open("w") as stderr,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            on_frame(json.loads(line)["frame"], process.pid)
    assert process.returncode == 0, log.read_text()


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_a_hundred_thousand_frames_through_dying_streams_and_brokers(
    weather: Weather,
    serve: Callable[..., str],
    subscribe: Callable[[int], Any],
    until: Callable[[Callable[[], bool]], None],
    tiny_model: Path,
    tmp_path: Path,
) -> None:
    subscriber = subscribe(weather.broker.port)
    picture = cv2.imencode(".jpg", np.full((48, 64, 3), (0, 0, 255), np.uint8))[1].tobytes()
    address = serve(frames=_FRAMES_PER_CONNECTION, fps=2000.0, pictures=[picture], connections=100 * _STREAM_DEATHS)
    broker = ("--mqtt", f"mqtt://127.0.0.1:{weather.broker.port}/till", "--outbox", str(tmp_path / "outbox.db"))
    arguments = [address, "--model", str(tiny_model), *broker]
    samples: list[Sample] = []

    def note(frame: int, pid: int) -> None:
        weather.answered = frame
        if frame >= len(samples) * _FRAMES // 100:
            samples.append(_sample(pid, frame))

    log = tmp_path / "stderr.txt"
    _run([*arguments, "--max-frames", str(_FRAMES)], log, note)
    weather.end()
    # What was not delivered waits for the next run.
    _run([*arguments, "--max-frames", "500"], tmp_path / "later.txt", lambda *_: None)
    lost = log.read_text().count("stopped sending frames")
    _print(samples, lost, weather.deaths)
    assert lost >= _STREAM_DEATHS
    assert weather.deaths == _BROKER_DEATHS
    _check_flat(samples)
    until(lambda: _is_complete(_sequences(subscriber), at_least=2 * lost))


def _sequences(subscriber: Any) -> set[int]:
    """Return the numbers of the events of the first run that arrived."""
    events = [json.loads(payload) for topic in ("till/health", "till/scan") for payload in subscriber.on(topic)]
    first = min(events, key=lambda event: event["timestamp"])["run"]
    return {event["sequence"] for event in events if event["run"] == first}


def _is_complete(sequences: set[int], at_least: int) -> bool:
    """Tell whether no event is missing; a stream that dies is told of when it goes and when it is back."""
    return len(sequences) >= at_least and sequences == set(range(len(sequences)))


def _check_flat(samples: list[Sample]) -> None:
    early, late = samples[10:20], samples[-10:]
    assert statistics.median(s.rss_mb for s in late) <= _MOST_GROWTH * statistics.median(s.rss_mb for s in early)
    assert statistics.median(s.threads for s in late) <= max(s.threads for s in early)
    assert statistics.median(s.files for s in late) <= max(s.files for s in early)


def _print(samples: list[Sample], stream_deaths: int, broker_deaths: int) -> None:
    print(f"\n{stream_deaths} deaths of the stream, {broker_deaths} of the broker")
    print("  frame  frames/s  RSS MB  threads  files")
    for before, now in zip(samples[::10], [*samples[10::10], samples[-1]], strict=False):
        rate = (now.frame - before.frame) / (now.clock_s - before.clock_s)
        print(f"{now.frame:>7}  {rate:>8.0f}  {now.rss_mb:>6.1f}  {now.threads:>7}  {now.files:>5}")
