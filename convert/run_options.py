"""An option of every command that measures a training run."""

from pathlib import Path

import click

images_option = click.option(
    "--images", type=click.Path(path_type=Path, file_okay=False), help="Folder of the run's photos, if they have moved."
)
