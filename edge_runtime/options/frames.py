"""The command-line options that say what is done to frames, and what is made of their results."""

import math
from typing import TYPE_CHECKING, Any

import click

from edge_runtime.option_group import option_group
from edge_runtime.options.numbers import FiniteRange

if TYPE_CHECKING:
    from edge_runtime.events import TrackRules
    from edge_runtime.loop import LoopOptions


# Shares such as 0.1 and 0.9 do not add up to 1 exactly.
_MOST_SHARE = 1.0001


def parse_region(text: str) -> Any:
    """Return the `Region` that X,Y,W,H stands for: shares where all four are at most 1, else pixels.

    Raises:
        click.BadParameter: It stands for none.
    """
    from edge_runtime.view import Region

    try:
        x, y, width, height = (float(part) for part in text.split(","))
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not four numbers X,Y,W,H.") from error
    if not math.isfinite(x + y + width + height):
        raise click.BadParameter(f"{text!r} is not four finite numbers.")
    if not (min(x, y) >= 0 and min(width, height) > 0):
        raise click.BadParameter("X and Y are at least 0, and W and H are above 0.")
    shares = max(x, y, width, height) <= 1
    if shares and max(x + width, y + height) > _MOST_SHARE:
        raise click.BadParameter("As shares, X + W and Y + H are at most 1.")
    return Region(x, y, width, height, shares)


frame_options = option_group(
    click.option("--rotate", type=click.Choice(["90", "180", "270"]), help="Turn each frame clockwise, in degrees."),
    click.option("--mirror", is_flag=True, help="Exchange left and right, after turning."),
    click.option(
        "--roi",
        type=parse_region,
        metavar="X,Y,W,H",
        help="Look at this region only, after turning and mirroring: pixels, or shares of the frame up to 1.",
    ),
    click.option("--skip-still", is_flag=True, help="Give no new answer while nothing moves."),
    click.option(
        "--top-k",
        type=click.IntRange(1),
        default=3,
        show_default=True,
        metavar="K",
        help="A classifier's labels per frame.",
    ),
    click.option(
        "--threshold",
        type=FiniteRange(0, 1),
        metavar="SCORE",
        help="Least score to report, from 0 to 1; with --classifier, of a box.  [default: the model's own]",
    ),
    click.option("--max-frames", type=click.IntRange(1), metavar="N", help="Stop after N answers."),
    click.option("--events", is_flag=True, help="Print one JSON object per event instead of results of frames."),
    click.option(
        "--settle",
        type=FiniteRange(0, min_open=True),
        default=0.6,
        show_default=True,
        metavar="SECONDS",
        help="How long most frames have to agree before a garment counts as settled.",
    ),
    click.option(
        "--leave",
        type=FiniteRange(0, min_open=True),
        default=1.0,
        show_default=True,
        metavar="SECONDS",
        help="How long a garment has to be out of sight before it counts as left.",
    ),
)
"""Give a command the options that say what is done to frames and results."""


def loop_options(arguments: dict[str, Any], at_once: int | None) -> "LoopOptions":
    """Return how frames are answered, as the options above say, and so many at once."""
    from edge_runtime.loop import LoopOptions
    from edge_runtime.view import View

    view = View(int(arguments["rotate"] or 0), arguments["mirror"], arguments["roi"])
    return LoopOptions(
        arguments["top_k"], arguments["threshold"], arguments["max_frames"], view, arguments["skip_still"], at_once
    )


def track_rules(arguments: dict[str, Any]) -> "TrackRules":
    """Return when a garment counts as settled and left, as the options above say."""
    from edge_runtime.events import TrackRules

    return TrackRules(settle_s=arguments["settle"], leave_s=arguments["leave"])
