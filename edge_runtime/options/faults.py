"""The command-line options for a process that runs around the clock."""

import click

from edge_runtime.option_group import option_group
from edge_runtime.options.numbers import FiniteRange

fault_options = option_group(
    click.option(
        "--watch-model", is_flag=True, help="Take over the files of --model and --classifier whenever one is replaced."
    ),
    click.option(
        "--watchdog",
        type=FiniteRange(0, min_open=True),
        default=30.0,
        show_default=True,
        metavar="SECONDS",
        help="End the process, for a service manager to start again, when one answer takes longer.",
    ),
)
"""Give a command the options that say what to do when something goes wrong."""
