"""The command-line options that say where frames come from and how they are taken."""

from typing import TYPE_CHECKING, Any, Final

import click

from edge_runtime.addresses import is_address
from edge_runtime.completion import complete_file
from edge_runtime.option_group import option_group
from edge_runtime.options.numbers import FiniteRange

if TYPE_CHECKING:
    from edge_runtime.sources import Enough, FrameSource, OnBadPicture
    from edge_runtime.sources.live import OnHealth


EXAMPLES: Final = """\
  edge-run photo.jpg        a picture, a folder of them, or a video
  edge-run --camera 0       the first camera
  edge-run --demo           drawn pictures, for a first look"""


def parse_camera(text: str | int) -> int | str:
    """Return the number of a camera, or the path of its device file.

    Raises:
        click.BadParameter: It is neither.
    """
    if str(text).isdecimal():
        return int(text)
    if str(text).startswith("/dev/"):
        return str(text)
    raise click.BadParameter(f"{str(text)!r} is neither a number from 0 on nor a path below /dev.")


# Beyond 24 days OpenCV's milliseconds overflow.
_MOST_TIMEOUT_S: Final = 86400
# As `CameraRequest` takes them.
_REQUEST: Final = ("width", "height", "fps")

source_options = option_group(
    click.argument("sources", nargs=-1, metavar="[SOURCE]...", envvar="EDGE_SOURCES", shell_complete=complete_file),
    click.option(
        "--camera",
        "cameras",
        type=parse_camera,
        multiple=True,
        envvar="EDGE_CAMERA",
        metavar="N",
        help="Take frames from camera N, or from its device file; may be repeated, and given beside stream addresses.",
    ),
    click.option("--demo", is_flag=True, help="Take one drawn picture of each garment."),
    click.option("--width", type=click.IntRange(1), metavar="PIXELS", help="Frame width to ask cameras for."),
    click.option("--height", type=click.IntRange(1), metavar="PIXELS", help="Frame height to ask cameras for."),
    click.option("--fps", type=FiniteRange(0, min_open=True), metavar="N", help="Frame rate to ask cameras for."),
    click.option(
        "--max-fps",
        type=FiniteRange(0, min_open=True),
        metavar="N",
        help="Frames a second to take from each source at most; a file is not read faster than that.",
    ),
    click.option(
        "--timeout",
        type=FiniteRange(0, _MOST_TIMEOUT_S, min_open=True),
        default=10.0,
        show_default=True,
        metavar="SECONDS",
        help="How long a camera or stream may take to open, and to send each frame.",
    ),
    click.option(
        "--max-outage",
        type=FiniteRange(0),
        metavar="SECONDS",
        help="End when a camera or stream that worked is gone for so long.  [default: try again for ever]",
    ),
)
"""Give a command the argument SOURCE and the options that say how to take frames."""


def check_sources(arguments: dict[str, Any]) -> None:
    """Check that the options above name a source, and only such as can be taken together.

    Raises:
        click.UsageError: They do not.
    """
    addresses = [text for text in arguments["sources"] if is_address(text)]
    live = [*arguments["cameras"], *addresses]
    kinds = bool(live) + (len(addresses) < len(arguments["sources"])) + arguments["demo"]
    if kinds == 0:
        raise click.UsageError(f"No source of frames is given. Try one of these:\n\n{EXAMPLES}")
    if kinds > 1:
        raise click.UsageError("Files, --demo, and cameras or streams exclude one another; give one kind of them.")
    if len(set(live)) < len(live):
        raise click.UsageError("A camera or stream is given twice; give each once.")


def open_chosen_source(
    arguments: dict[str, Any], on_health: "OnHealth", on_bad_picture: "OnBadPicture", enough: "Enough"
) -> "FrameSource":
    """Open what the options above name.

    Args:
        arguments: Of the command, checked.
        on_health: Told of live sources that are lost or back.
        on_bad_picture: Told of each picture that cannot be read.
        enough: How large frames have to be.

    Raises:
        SourceError: One of them names nothing.
    """
    from edge_runtime.sources import DemoSource, open_sources

    if arguments["demo"]:
        return DemoSource()
    if arguments["cameras"] or is_address(arguments["sources"][0]):
        return _open_live(arguments, on_health, enough)
    return open_sources(arguments["sources"], on_bad_picture=on_bad_picture, enough=enough)


def _open_live(arguments: dict[str, Any], on_health: "OnHealth", enough: "Enough") -> "FrameSource":
    from edge_runtime.sources import CameraRequest, Endpoint, LiveSettings, LiveSource, stream_endpoint

    request = CameraRequest(*(arguments[name] for name in _REQUEST))
    endpoints = [Endpoint.camera(number, request) for number in arguments["cameras"]]
    endpoints += [stream_endpoint(address) for address in arguments["sources"]]
    settings = LiveSettings(arguments["timeout"], arguments["max_outage"], arguments["max_fps"], enough)
    return LiveSource(endpoints, settings, on_health)
