"""Whether a long run stays as fast and as small as it began, and what four cameras cost beside one.

    python bench/endurance.py frames --frames 100000
    python bench/endurance.py cameras --rounds 5

Both print processor time beside the clock's, since other work on the machine changes the one less than the other.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import click
import cv2

from edge_runtime import Recognizer
from edge_runtime.backend import default_threads
from edge_runtime.benchmark.drawn import draw_video
from edge_runtime.benchmark.measuring import EndlessSource
from edge_runtime.drawing import GARMENTS, draw_garment
from edge_runtime.loop import LoopOptions, run
from edge_runtime.results import FrameResult
from edge_runtime.sinks import JsonSink, Sink, SinkThread
from edge_runtime.sources import AheadSource, Enough, Frame

_WARM_UP = 10
_PART = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n"


def _rss_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) * 1024 / 1e6


class _Milestones(Sink):
    """Prints a line ten times in each tenfold of frames."""

    def __init__(self) -> None:
        self._due = _WARM_UP
        self._frame, self._clock_s, self._cpu_s = 0, 0.0, 0.0

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Print what the frames since the last line took."""
        if result.frame + 1 < self._due:
            return
        now_s, cpu_s, count = time.perf_counter(), time.process_time(), result.frame + 1 - self._frame
        rate, cpu_ms = count / (now_s - self._clock_s), 1e3 * (cpu_s - self._cpu_s) / count
        times = f"{rate:>10.1f}{cpu_ms:>12.2f}" if self._frame else f"{'-':>10}{'-':>12}"
        click.echo(f"{result.frame + 1:>8}{times}{_rss_mb():>9.1f}")
        self._frame, self._clock_s, self._cpu_s = result.frame + 1, now_s, cpu_s
        self._due = 10 * self._due if self._due < 10_000 else self._due + 10_000


@click.group()
def main() -> None:
    """Measure a long run, or several cameras."""


@main.command()
@click.option("--frames", type=click.IntRange(100), default=100_000, show_default=True)
@click.option("--model", default="garment_classifier", show_default=True)
def frames(frames: int, model: str) -> None:
    """Answer many frames of a drawn video, as `edge-run --json` does."""
    click.echo("   frame  frames/s  CPU ms each   RSS MB")
    options = LoopOptions(max_frames=frames, at_once=default_threads())
    with (
        tempfile.TemporaryDirectory() as folder,
        Path("/dev/null").open("w") as nowhere,
        SinkThread(JsonSink(nowhere), "nowhere", patient=True) as lines,
    ):
        enough = Enough()
        source = AheadSource(EndlessSource((str(draw_video(Path(folder) / "drawn.avi")),), enough))
        run(source, Recognizer.load(model, threads=1), [lines, _Milestones()], options, enough=enough)


@main.command()
@click.option("--seconds", type=click.IntRange(1), default=20, show_default=True, help="Of each run.")
@click.option("--fps", type=click.FloatRange(1), default=10.0, show_default=True, help="Of each camera.")
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True)
def cameras(seconds: int, fps: float, rounds: int) -> None:
    """Compare the processor time of `edge-run` for one and for four streams, round by round."""
    with _camera(fps) as port:
        ratios = []
        for _ in range(rounds):
            # What starting takes is not the cameras'.
            start_s = _cpu_s(port, 1, 1)
            one_s = _cpu_s(port, 1, round(seconds * fps)) - start_s
            four_s = _cpu_s(port, 4, round(4 * seconds * fps)) - start_s
            ratios.append(four_s / one_s)
            click.echo(f"one {one_s:.2f} s, four {four_s:.2f} s of processor time: {ratios[-1]:.2f} times")
    click.echo(f"median {statistics.median(ratios):.2f} times")


def _cpu_s(port: int, cameras: int, frames: int) -> float:
    """Return the processor seconds of a whole run of `edge-run` over so many streams and frames."""
    addresses = [f"http://127.0.0.1:{port}/{index}.mjpg" for index in range(cameras)]
    command = [sys.executable, "-m", "edge_runtime.cli", *addresses, "--json", "--max-frames", str(frames)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise click.ClickException(f"edge-run ended with {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime


@contextmanager
def _camera(fps: float) -> Iterator[int]:
    """Serve drawn pictures of 640 x 480 pixels as MJPEG to whoever asks, and give the port."""
    pictures = [cv2.imencode(".jpg", draw_garment(garment, 0, (480, 640)))[1].tobytes() for garment in GARMENTS]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            index = 0
            try:
                while True:
                    picture = pictures[index // round(fps) % len(pictures)]
                    self.wfile.write(_PART % (len(picture), picture))
                    index += 1
                    time.sleep(1 / fps)
            except OSError:
                return

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


if __name__ == "__main__":
    main()
