"""One run of `edge-run`: source, model, sinks and watchers, put together as its options say."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import click

from edge_runtime.bundled import find_model
from edge_runtime.errors import EdgeGarmentError, OutputError
from edge_runtime.events import Event, EventHub, HealthEvent, HealthKind, Scanner
from edge_runtime.fallback import fallback_of
from edge_runtime.loop import RunCounts, run
from edge_runtime.model_watch import ModelWatch
from edge_runtime.options.frames import loop_options, track_rules
from edge_runtime.options.sinks import needs_events, open_sinks, shows_pictures, uses_events
from edge_runtime.options.sources import open_chosen_source
from edge_runtime.plan import Plan, plan_answers
from edge_runtime.recognizer import Recognizer
from edge_runtime.service import notify
from edge_runtime.sinks import EventSink, JsonSink, LineSink, Sink, SinkThread, open_save_sink
from edge_runtime.sources import AheadSource, Enough, FrameSource, OnBadPicture
from edge_runtime.sources.live import OnHealth
from edge_runtime.watchdog import Watchdog

_Load = Callable[[Plan], Recognizer]
_Log = Callable[[str], None]


def run_session(arguments: dict[str, Any], load: _Load, log: _Log) -> RunCounts:
    """Answer frames until their source ends.

    Args:
        arguments: Of the command, checked.
        load: Loads the model, to answer frames as planned.
        log: Shows a line to the user.

    Raises:
        click.UsageError: Events of pictures that have nothing to do with each other.
        EdgeGarmentError: As `edge_runtime.loop.run`, and what opening source, model and sinks may raise.
    """
    hub, enough = EventHub(), Enough()
    hub.listen(lambda event: _show_health(event, log))
    source = _open_source(arguments, hub.health, lambda error: log(f"Skipped: {error}"), enough)
    plan = plan_answers(live=source.live, delegate=arguments["delegate"], threads=arguments["threads"])
    load_model = partial(load, plan)
    # Before the model is read, so that one replaced meanwhile is noticed.
    models = _watch_models(arguments, load_model, hub.health) if arguments["watch_model"] else None
    recognizer = load_model()
    with ExitStack() as stack:
        stack.enter_context(_dropped_told(source, log))
        stdout = SinkThread(_stdout_sink(arguments, recognizer), "stdout", patient=not source.live)
        sinks = [stack.enter_context(stdout), *open_sinks(arguments, source, stack)]
        watchdog = stack.enter_context(Watchdog(arguments["watchdog"], lambda error: _bury(error, hub, sinks, log)))
        return run(
            # Sinks need to know the source itself; the loop need not know that it is read ahead.
            source if source.live else AheadSource(source, arguments["max_fps"]),
            recognizer,
            sinks,
            loop_options(arguments, plan.at_once),
            hub=hub,
            scanner=_scanner(arguments, source, hub),
            models=models,
            watchdog=watchdog,
            enough=None if shows_pictures(arguments) else enough,
        )


def check_session(arguments: dict[str, Any]) -> None:
    """Find what a run would refuse of its sources and of `--save`; no camera is opened, and nothing is written.

    Args:
        arguments: Of the command, checked.

    Raises:
        click.UsageError: Events of pictures that have nothing to do with each other.
        SourceError: A source names nothing.
        OutputError: As `edge_runtime.sinks.open_save_sink`.
    """
    source = _open_source(arguments, lambda *_: None, lambda _: None, Enough())
    if arguments["save"] is not None:
        open_save_sink(arguments["save"], source, arguments["max_frames"])


def _open_source(
    arguments: dict[str, Any], on_health: OnHealth, on_bad_picture: OnBadPicture, enough: Enough
) -> FrameSource:
    source = open_chosen_source(arguments, on_health, on_bad_picture, enough)
    if source.alone and needs_events(arguments):
        raise click.UsageError(
            "--events, --webhook and --mqtt tell of garments followed from frame to frame; give a video, a camera or a "
            "stream."
        )
    return source


def _scanner(arguments: dict[str, Any], source: FrameSource, hub: EventHub) -> Scanner | None:
    if source.alone or not uses_events(arguments):
        return None
    return Scanner(hub, track_rules(arguments))


def _watch_models(arguments: dict[str, Any], load: Callable[[], Recognizer], on_health: OnHealth) -> ModelWatch:
    files = [find_model(each) for each in (arguments["model"], arguments["classifier"]) if each is not None]
    fallbacks = [fallback_of(file, arguments["delegate"]) for file in files]
    return ModelWatch(files, load, on_health, spares=[file for file in fallbacks if file is not None])


def _stdout_sink(arguments: dict[str, Any], recognizer: Recognizer) -> Sink:
    if sys.stdout is None:
        raise OutputError("Standard output is closed, where results belong; send it to /dev/null to have none.")
    if arguments["events"]:
        return EventSink(sys.stdout)
    return JsonSink(sys.stdout) if arguments["as_json"] else LineSink(sys.stdout, recognizer.spec.labels)


@contextmanager
def _dropped_told(source: FrameSource, log: _Log) -> Iterator[None]:
    """Say at the end, whatever ended the run, how many frames were too many."""
    try:
        yield
    finally:
        if source.dropped:
            log(f"{source.dropped} frames came faster than they could be answered and were dropped.")


def _show_health(event: Event, log: _Log) -> None:
    if isinstance(event, HealthEvent):
        log(event.message)
        notify(f"STATUS={event.message}")


def _bury(error: EdgeGarmentError, hub: EventHub, sinks: list[SinkThread], log: _Log) -> None:
    """Say why the process ends, and give sinks the time to finish what they have."""
    log(f"Error: {error}")
    # The hub is the loop's, and the loop is stuck: nobody else uses it any more.
    hub.health(HealthKind.INFERENCE_STUCK, "model", str(error))
    for sink in sinks:
        sink.finish()
