"""Options and arguments that several commands have."""

from pathlib import Path

import click

from edge_runtime.bundled import find_model

images_option = click.option(
    "--images", type=click.Path(path_type=Path, file_okay=False), help="Folder of the run's photos, if they have moved."
)

model_argument = click.argument(
    "model",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE|NAME",
    callback=lambda _context, _argument, model: find_model(model),
)
"""A `.tflite` file, or a bundled model by its name; it is only read."""
