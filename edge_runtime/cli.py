"""The `edge-run` command."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_runtime.cli_errors import ErrorCommand, say
from edge_runtime.completion import complete_model
from edge_runtime.ending import run_process
from edge_runtime.errors import PictureError
from edge_runtime.options.companions import check_companions, drop_overruled
from edge_runtime.options.config import ENVIRONMENT_PREFIX, config_options, keep_strongest, print_config
from edge_runtime.options.faults import fault_options
from edge_runtime.options.frames import frame_options
from edge_runtime.options.sinks import check_sinks, sink_options
from edge_runtime.options.sources import EXAMPLES, check_sources, source_options
from edge_runtime.quiet import quiet_opencv, quiet_stderr

if TYPE_CHECKING:
    # OpenCV and the interpreter take longer to import than --help may take.
    from edge_runtime.fallback import Loaded
    from edge_runtime.plan import Plan
    from edge_runtime.recognizer import Recognizer


@click.command(
    "edge-run",
    cls=ErrorCommand,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": ENVIRONMENT_PREFIX},
    epilog=f"\b\nExamples:\n{EXAMPLES}\n  edge-run shop/ --json --save seen/ > seen.jsonl",
)
@source_options
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    shell_complete=complete_model,
    metavar="FILE|NAME",
    help="TFLite model with metadata, or a bundled one: garment_classifier, garment_detector.  "
    "[default: garment_classifier]",
)
@click.option(
    "--classifier",
    type=click.Path(path_type=Path),
    shell_complete=complete_model,
    metavar="FILE|NAME",
    help="Classifier that looks again at each box which the detector given by --model finds.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, 256),
    metavar="N",
    help="CPU threads: for each frame of a camera or stream, and for so many frames of files at once.  "
    "[default: all CPUs, at most 4]",
)
@click.option(
    "--delegate",
    type=click.Choice(["cpu", "edgetpu", "edgetpu-or-cpu"]),
    default="cpu",
    show_default=True,
    help="Where the model runs; edgetpu-or-cpu takes X.tflite on the CPU where X_edgetpu.tflite finds no Edge TPU, and "
    "a --classifier of any other name always on the CPU.",
)
@frame_options
@fault_options
@click.option("--json", "as_json", is_flag=True, envvar="EDGE_JSON", help="Print one JSON object per frame.")
@sink_options
@config_options
@click.version_option(package_name="edge-garment", allow_from_autoenv=False)
@click.pass_context
def edge_run(ctx: click.Context, /, **_: Any) -> None:
    """Recognise garments in pictures, videos and camera frames.

    SOURCE is a picture, a folder of pictures, a pattern in quotes, a video, or an http://, rtsp:// or tcp:// address;
    several files and folders are taken one after another, several streams side by side. Results go to stdout,
    everything else to stderr.

    Each option may also be set by a variable (--max-fps by EDGE_MAX_FPS) or in a TOML file (max-fps = 5).
    """
    keep_strongest(ctx, ("sources", "cameras", "demo"))
    keep_strongest(ctx, ("events", "as_json"))
    drop_overruled(ctx)
    arguments = ctx.params
    if arguments["print_config"]:
        click.echo(print_config(ctx))
        return
    _check(arguments)
    check_companions(ctx)
    from edge_runtime.session import check_session, run_session
    from edge_runtime.sources.opening import find_unread
    from edge_runtime.sources.picture import say_unread

    if arguments["check_config"]:
        check_session(arguments)
        _check_models(arguments)
        say("All settings are well.")
        return
    counts = run_session(arguments, partial(_load, arguments), say)
    if counts.still:
        say(f"{counts.still} frames without motion were not answered again.")
    if unread := find_unread(arguments["sources"]):
        say(say_unread(unread))
    if counts.failed:
        total = counts.answered + counts.failed
        raise PictureError(f"{counts.failed} of {total} pictures could not be read; each is named above.")


def main() -> None:
    """Run `edge-run` with the arguments of this process."""
    # Some options already load OpenCV when they are read.
    quiet_opencv()
    run_process(edge_run, "edge-run")


def _check(arguments: dict[str, Any]) -> None:
    check_sources(arguments)
    check_sinks(arguments)
    if arguments["events"] and arguments["as_json"]:
        raise click.UsageError("--events and --json exclude one another; both are JSON Lines.")


def _check_models(arguments: dict[str, Any]) -> None:
    """Read what the models say of themselves; the delegate may be another machine's."""
    from edge_runtime.bundled import find_model
    from edge_runtime.metadata.reading import read_spec
    from edge_runtime.model_file import read_model
    from edge_runtime.recognizer import check_pair

    model = read_spec(read_model(find_model(arguments["model"])))
    if arguments["classifier"] is not None:
        check_pair(model, read_spec(read_model(find_model(arguments["classifier"]))))


def _load(arguments: dict[str, Any], plan: "Plan") -> "Recognizer":
    from edge_runtime.fallback import load_classifier, load_model

    path, delegate, classifier = arguments["classifier"], arguments["delegate"], None
    if path is not None:
        classifier = _open(partial(load_classifier, path, delegate, plan.threads), plan)
    return _open(partial(load_model, arguments["model"], delegate, plan.threads, classifier), plan)


def _open(load: "Callable[[], Loaded]", plan: "Plan") -> "Recognizer":
    """Load a model, and say what runs it."""
    # The interpreter announces its CPU kernels on stderr and has no switch for it.
    with quiet_stderr():
        recognizer, reason = load()
    if reason is not None:
        say(f"Running on the CPU instead of an Edge TPU. {reason}")
    several = "" if plan.at_once in (None, 1) else f" for each of {plan.at_once} frames at once"
    named = " ".join(part for part in (recognizer.spec.name, recognizer.spec.version) if part)
    # A file may say anything of itself, the terminal's own signs included.
    shown = "".join(letter for letter in named if letter.isprintable())
    say(f"Model {shown}, sha256 {recognizer.model_sha256[:12]}, {recognizer.backend}{several}")
    return recognizer


if __name__ == "__main__":
    main()
