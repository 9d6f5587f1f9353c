"""`edge-train compose`."""

from pathlib import Path
from typing import Any

import click

from edge_runtime.extras import require_extra
from train.commands.data_options import data_options, rename_option, seed_option, splits_option, take_columns


# Only click 8.5 and later can subscript it.
class _Size(click.ParamType):  # type: ignore[type-arg]
    name = "WIDTHxHEIGHT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Return width and height of text such as 480x640."""
        if isinstance(value, tuple):
            return value
        width, _, height = value.partition("x")
        if not (width.isdecimal() and height.isdecimal() and 64 <= int(width) <= 4096 and 64 <= int(height) <= 4096):
            self.fail(f"{value!r} is no size such as 480x640, with sides of 64 to 4096 pixels", param, ctx)
        return int(width), int(height)


@click.command(
    epilog="\b\nExample:\n"
    "  edge-train compose labels.csv -o scenes/ --scenes 500 --rename T-Shirt=shirt --rename Other=\n"
    "  edge-train check scenes/instances.json"
)
@data_options
@splits_option
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), required=True, help="New folder for the scenes."
)
@rename_option
@click.option(
    "--backgrounds",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder of pictures without garments; half of the scenes have one of them behind.",
)
@click.option("--scenes", type=click.IntRange(1), default=1000, show_default=True, help="How many.")
@click.option("--size", type=_Size(), default="480x640", show_default=True, help="Of the scenes, in pixels.")
@seed_option
def compose(output: Path, size: tuple[int, int], **arguments: Any) -> None:
    """Make photos with boxes out of DATA, photos of single garments: a folder per class, or a CSV file.

    Garments that stand out from a plain background are cut out and put together as if worn, hung side by side, or
    spread on a table. Of a split, the training photos alone are used.
    """
    require_extra("edge-train compose", "train", "tqdm", "yaml")
    from train.compositing.composing import ComposeOptions, compose_scenes

    options = ComposeOptions(
        columns=take_columns(arguments),
        width=size[0],
        height=size[1],
        **arguments,
    )
    for label, count in sorted(compose_scenes(options, output).items()):
        click.echo(f"{label}: {count} boxes", err=True)
