"""Options and arguments that several commands have."""

import os
from pathlib import Path
from typing import Any

import click

from edge_runtime.bundled import find_model
from edge_runtime.completion import complete_model


class _RunFolder(click.Path):
    """The directory of a training run; says of a Keras model by itself what it lacks."""

    def convert(self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if Path(value).is_file():
            self.fail(
                f"{click.format_filename(value)} is a file, and RUN a directory that edge-train made: a model alone "
                "names neither its labels nor what is done to a picture before it."
            )
        return super().convert(value, param, ctx)


run_argument = click.argument("run", type=_RunFolder(path_type=Path, file_okay=False))
"""The directory of a training run."""

images_option = click.option(
    "--images", type=click.Path(path_type=Path, file_okay=False), help="Folder of the run's photos, if they have moved."
)

model_argument = click.argument(
    "model",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE|NAME",
    shell_complete=complete_model,
    callback=lambda _context, _argument, model: find_model(model),
)
"""A `.tflite` file, or a bundled model by its name; it is only read."""
