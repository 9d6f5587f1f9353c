"""How much of a frame's time the loop itself takes, beside decoding, resizing and the model.

    python bench/frame_loop.py [VIDEO]

Without a video, one of 640 x 480 pixels is drawn. Processor time of the loop's thread is measured rather than wall
time, so that other work on the machine does not count; one thread for the model, so that its work does.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

import click

from edge_runtime import Recognizer
from edge_runtime.benchmark.drawn import draw_video
from edge_runtime.events import EventHub, Scanner
from edge_runtime.loop import LoopOptions, run
from edge_runtime.results import Recognition
from edge_runtime.sinks import JsonSink, SinkThread
from edge_runtime.sources import AheadSource, VideoSource


class _Timed(Recognizer):
    """Adds up the processor time of its answers."""

    spent_s = 0.0

    def recognize(self, *arguments: Any, **options: Any) -> Recognition:
        start_s = time.thread_time()
        try:
            return super().recognize(*arguments, **options)
        finally:
            self.spent_s += time.thread_time() - start_s


@click.command()
@click.argument("video", required=False, type=click.Path(exists=True, path_type=Path))
def main(video: Path | None) -> None:
    """Measure the plain loop, and with everything that looks at frames and results turned on."""
    with tempfile.TemporaryDirectory() as folder:
        chosen = video or draw_video(Path(folder) / "garments.avi")
        print(f"results alone: {_measure(chosen, everything=False)}")
        print(f"with events and a look for motion: {_measure(chosen, everything=True)}")


def _measure(video: Path, everything: bool) -> str:
    recognizer = _Timed.load(threads=1)
    hub = EventHub()
    scanner = Scanner(hub) if everything else None
    options = LoopOptions(skip_still=everything)
    with Path("/dev/null").open("w") as nowhere, SinkThread(JsonSink(nowhere), "nowhere", patient=True) as sink:
        start_s = time.thread_time()
        counts = run(AheadSource(VideoSource(video)), recognizer, [sink], options, hub=hub, scanner=scanner)
        rest_s = time.thread_time() - start_s - recognizer.spent_s
    answer_ms = 1e3 * recognizer.spent_s / counts.answered
    rest_ms = 1e3 * rest_s / (counts.answered + counts.still)
    return f"{answer_ms:.2f} ms to answer a frame, {rest_ms:.3f} ms around it ({rest_ms / answer_ms:.1%})"


if __name__ == "__main__":
    main()
