"""The command-line options that say where results and events go besides stdout."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from edge_runtime.delivery.options import (
    delivery_options,
    open_outbox_sink,
    open_transports,
    waiting_told,
    wants_delivery,
)
from edge_runtime.option_group import option_group
from edge_runtime.web.options import check_web, open_web_sink, web_options

if TYPE_CHECKING:
    from edge_runtime.delivery.sink import OutboxSink
    from edge_runtime.sinks import Sink, SinkThread
    from edge_runtime.sources import FrameSource
    from edge_runtime.veil import Veil

_MEGABYTE: Final = 10**6


class _NamedPath(click.Path):
    """A path that is not empty, which would stand for the current folder."""

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        if not os.fspath(value):
            self.fail("An empty text names no file and no folder.", param, ctx)
        return super().convert(value, param, ctx)


_file_options = option_group(
    click.option(
        "--save",
        type=_NamedPath(readable=False),
        metavar="PATH",
        help="Save annotated frames: a picture, a video (.mp4, .avi, .webm), or a folder of pictures.",
    ),
    click.option(
        "--save-crops",
        type=_NamedPath(path_type=Path, file_okay=False),
        metavar="DIR",
        help="Save each garment alone: from pictures each one, from videos, cameras and streams once it has settled. "
        "A classifier has no boxes, so that it is the whole frame.",
    ),
    click.option(
        "--crops-limit",
        type=click.IntRange(1),
        default=10_000,
        show_default=True,
        metavar="N",
        help="Settled garments to keep in --save-crops; then the oldest are removed.",
    ),
    click.option(
        "--jsonl",
        type=_NamedPath(path_type=Path, dir_okay=False),
        multiple=True,
        metavar="FILE",
        help="Append results, or events with --events, to a file as JSON Lines; may be repeated.",
    ),
    click.option(
        "--jsonl-size",
        type=click.IntRange(1),
        default=10,
        show_default=True,
        metavar="MB",
        help="Begin a new file of --jsonl at this size; five older ones are kept as FILE.1 to FILE.5.",
    ),
    click.option(
        "--blur-outside",
        is_flag=True,
        help="In saved and shown pictures pixelate all but the boxes of garments; with a classifier, which has no "
        "boxes, the whole picture.",
    ),
)


def sink_options(command: Any) -> Any:
    """Give a command the options that say where results and events go."""
    return _file_options(web_options(delivery_options(command)))


def needs_events(arguments: dict[str, Any]) -> bool:
    """Tell whether anything that a command's arguments name is about events alone."""
    return bool(arguments["events"] or wants_delivery(arguments))


def uses_events(arguments: dict[str, Any]) -> bool:
    """Tell whether anything that a command's arguments name has a use for events."""
    return bool(needs_events(arguments) or arguments["web"] or arguments["save_crops"])


def shows_pictures(arguments: dict[str, Any]) -> bool:
    """Tell whether anything that a command's arguments name keeps or shows frames."""
    return any(arguments[name] is not None for name in ("save", "save_crops", "web"))


def check_sinks(arguments: dict[str, Any]) -> None:
    """Check what the options above say, without opening anything.

    Raises:
        click.UsageError: An address or a secret is missing or wrong.
    """
    open_transports(arguments)
    check_web(arguments)
    if len(set(arguments["jsonl"])) < len(arguments["jsonl"]):
        raise click.UsageError("A file of --jsonl is given twice; give each once.")


def open_sinks(arguments: dict[str, Any], source: "FrameSource", stack: ExitStack) -> "list[SinkThread]":
    """Open what the options above name, each with a thread of its own.

    Args:
        arguments: Of the command, checked.
        source: Where the frames will come from.
        stack: Closes the sinks at the end of the run.

    Raises:
        OutputError: A sink cannot be opened.
    """
    from edge_runtime.sinks import SinkThread
    from edge_runtime.veil import blur_outside, show_all

    veil = blur_outside if arguments["blur_outside"] else show_all
    patient = not source.live
    threads = [SinkThread(sink, name, patient=patient) for name, sink in _open_files(arguments, source, veil, stack)]
    outbox = open_outbox_sink(arguments) if wants_delivery(arguments) else None
    if outbox is not None:
        threads.append(_outbox_thread(outbox, stack, patient=patient))
    if arguments["web"] is not None:
        threads.append(SinkThread(open_web_sink(arguments, source, outbox, veil), "web", patient=patient))
    return [stack.enter_context(thread) for thread in threads]


def _open_files(
    arguments: dict[str, Any], source: "FrameSource", veil: "Veil", stack: ExitStack
) -> Iterator[tuple[str, "Sink"]]:
    """Yield the sinks that write files, each with its name."""
    from edge_runtime.sinks import EventSink, JsonSink, open_save_sink
    from edge_runtime.sinks.crops import CropSink
    from edge_runtime.sinks.rotating import RotatingFile
    from edge_runtime.sinks.veiled import VeiledSink

    if (save := arguments["save"]) is not None:
        yield save, VeiledSink(open_save_sink(save, source, arguments["max_frames"]), veil)
    if (folder := arguments["save_crops"]) is not None:
        yield str(folder), VeiledSink(CropSink(folder, arguments["crops_limit"], live=source.live), veil)
    for path in arguments["jsonl"]:
        file = stack.enter_context(closing(RotatingFile(path, arguments["jsonl_size"] * _MEGABYTE)))
        yield str(path), EventSink(file) if arguments["events"] else JsonSink(file)


def _outbox_thread(sink: "OutboxSink", stack: ExitStack, *, patient: bool) -> "SinkThread":
    from edge_runtime.sinks import SinkThread

    stack.enter_context(waiting_told(sink))
    return SinkThread(sink, "outbox", patient=patient)
