"""The `edge-run` command."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_runtime.cli_errors import ErrorCommand
from edge_runtime.errors import PictureError
from edge_runtime.quiet import quiet_opencv, quiet_stderr

if TYPE_CHECKING:
    # OpenCV and the interpreter take longer to import than --help may take.
    from edge_runtime.loop import RunCounts
    from edge_runtime.recognizer import Recognizer
    from edge_runtime.sinks import Sink
    from edge_runtime.sources import FrameSource

_EXAMPLES = """\
  edge-run photo.jpg        a picture, a folder of them, or a video
  edge-run --camera 0       the first camera
  edge-run --demo           drawn pictures, for a first look"""


@click.command(
    "edge-run",
    cls=ErrorCommand,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=f"\b\nExamples:\n{_EXAMPLES}\n  edge-run shop/ --json --save seen/ > seen.jsonl",
)
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--camera", type=click.IntRange(0), metavar="N", help="Take frames from camera N.")
@click.option("--demo", is_flag=True, help="Take one drawn picture of each garment.")
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="TFLite model with metadata.  [default: the bundled garment classifier]",
)
@click.option("--top-k", type=click.IntRange(1), default=3, show_default=True, metavar="K", help="Labels per frame.")
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    metavar="SCORE",
    help="Least score to report, from 0 to 1.  [default: the model's own]",
)
@click.option("--threads", type=click.IntRange(1), metavar="N", help="CPU threads.  [default: all CPUs, at most 4]")
@click.option(
    "--delegate", type=click.Choice(["cpu", "edgetpu"]), default="cpu", show_default=True, help="Where the model runs."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per frame.")
@click.option(
    "--save",
    metavar="PATH",
    help="Save annotated frames: a picture, a video (.mp4, .avi, .webm), or a folder of pictures.",
)
@click.option("--max-frames", type=click.IntRange(1), metavar="N", help="Stop after N frames.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a camera or stream may take to open, and to send each frame.",
)
@click.version_option(package_name="edge-garment")
@click.pass_context
def edge_run(
    ctx: click.Context,
    sources: tuple[str, ...],
    camera: int | None,
    demo: bool,
    model: Path | None,
    top_k: int,
    threshold: float | None,
    threads: int | None,
    delegate: str,
    as_json: bool,
    save: str | None,
    max_frames: int | None,
    timeout: float,
) -> None:
    """Recognise garments in pictures, videos and camera frames.

    SOURCE is a picture, a folder of pictures, a pattern in quotes, a video, or an http:// or rtsp:// address; several
    files and folders are taken one after another. Results go to stdout, everything else to stderr.
    """
    _check_one_kind(sources, camera, demo)
    quiet_opencv()
    source = _open_source(sources, camera, timeout)
    recognizer = _load(model, threads, delegate)
    with ExitStack() as stack:
        stack.enter_context(_dropped_told(source))
        sinks = [stack.enter_context(sink) for sink in _open_sinks(source, recognizer, as_json, save, max_frames)]
        counts = _run(source, recognizer, sinks, top_k, threshold, max_frames)
    _check_all_read(counts)


def main() -> None:
    """Run `edge-run` with the arguments of this process."""
    edge_run(prog_name="edge-run")


def _check_one_kind(sources: tuple[str, ...], camera: int | None, demo: bool) -> None:
    kinds = bool(sources) + (camera is not None) + demo
    if kinds == 0:
        raise click.UsageError(f"No source of frames is given. Try one of these:\n\n{_EXAMPLES}")
    if kinds > 1:
        raise click.UsageError("SOURCE, --camera and --demo exclude one another; give one of them.")


def _open_source(texts: tuple[str, ...], camera: int | None, timeout_s: float) -> "FrameSource":
    from edge_runtime.sources import DemoSource, Endpoint, LiveSource, is_address, open_sources

    if camera is not None:
        return LiveSource(Endpoint.camera(camera), timeout_s)
    if not texts:
        return DemoSource()
    if len(texts) > 1 and any(is_address(text) for text in texts):
        raise click.UsageError("A stream has no end, so it must be the only source.")
    return open_sources(texts, timeout_s=timeout_s, on_bad_picture=lambda error: _log(f"Skipped: {error}"))


def _load(model: Path | None, threads: int | None, delegate: str) -> "Recognizer":
    # The interpreter announces its CPU kernels on stderr and has no switch for it.
    with quiet_stderr():
        from edge_runtime.backend import DelegateName
        from edge_runtime.recognizer import Recognizer

        recognizer = Recognizer.load(model, threads=threads, delegate=DelegateName(delegate))
    _log(f"Model {recognizer.spec.name}, sha256 {recognizer.model_sha256[:12]}, {recognizer.backend}")
    return recognizer


def _open_sinks(
    source: "FrameSource", recognizer: "Recognizer", as_json: bool, save: str | None, max_frames: int | None
) -> "Iterator[Sink]":
    from edge_runtime.sinks import JsonSink, LineSink, open_save_sink

    yield JsonSink(sys.stdout) if as_json else LineSink(sys.stdout, recognizer.spec.heads[0].labels)
    if save is not None:
        yield open_save_sink(save, source, max_frames)


def _run(
    source: "FrameSource",
    recognizer: "Recognizer",
    sinks: "list[Sink]",
    top_k: int,
    threshold: float | None,
    max_frames: int | None,
) -> "RunCounts":
    from edge_runtime.loop import run

    return run(source, recognizer, sinks, top_k=top_k, threshold=threshold, max_frames=max_frames)


@contextmanager
def _dropped_told(source: "FrameSource") -> Iterator[None]:
    """Say at the end, whatever ended the run, how many frames were too many."""
    try:
        yield
    finally:
        if source.dropped:
            _log(f"{source.dropped} frames came faster than they could be answered and were dropped.")


def _check_all_read(counts: "RunCounts") -> None:
    if counts.failed:
        total = counts.answered + counts.failed
        raise PictureError(f"{counts.failed} of {total} pictures could not be read; each is named above.")


def _log(text: str) -> None:
    click.echo(text, err=True)


if __name__ == "__main__":
    main()
