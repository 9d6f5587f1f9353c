"""The command-line options of a run, the same whatever is trained."""

from pathlib import Path

import click

from edge_runtime.bundled import BUNDLED, find_model
from edge_runtime.completion import complete_model
from edge_runtime.options.numbers import FiniteRange
from train.networks.catalogue import read_catalogue


def find_bundled(_context: click.Context, _option: click.Parameter, model: str | None) -> str | None:
    """Put a bundled model's file in the place of its name; the callback of options that take other models, too."""
    return str(find_model(model)) if model in BUNDLED else model


run_option = click.option(
    "-o",
    "--run",
    "run",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Run directory; a run that was killed goes on when the same command is repeated.",
)

architecture_option = click.option(
    "--architecture",
    type=click.Choice([row.name for row in read_catalogue()]),
    metavar="NAME",
    default="mobilenet_v2",
    show_default=True,
    help="Network to train; `edge-train list` shows all.",
)

weights_option = click.option(
    "--weights",
    default="imagenet",
    show_default=True,
    metavar="imagenet|none|MODEL|FILE",
    shell_complete=complete_model,
    callback=find_bundled,
    help="Weights to start from: published, fresh, a bundled model's (garment_classifier, garment_detector), "
    "or a file: .keras of a run, .tflite, .h5, or folded .npz.",
)

max_minutes_option = click.option(
    "--max-minutes",
    type=FiniteRange(0, min_open=True),
    help="End before an epoch that would not fit; a repeated command may allow more.",
)
