"""`edge-train split`, and the option that takes what it has written."""

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from edge_runtime.extras import require_extra
from edge_runtime.options.numbers import FiniteRange
from edge_runtime.training_run import Split, write_split_rows
from train.data_options import data_options, seed_option, take_columns, validation_share_option

splits_option = click.option(
    "--splits",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Split file of edge-train split, or the splits.csv of a run over the same photos.",
)


def refuse_share_with_splits(arguments: dict[str, Any]) -> None:
    """Refuse a share to draw beside a split that is drawn.

    Raises:
        click.UsageError: Both were given.
    """
    source = click.get_current_context().get_parameter_source("validation_share")
    if arguments["splits"] is not None and source is not ParameterSource.DEFAULT:
        raise click.UsageError("--splits says which photos are held out; leave --validation-share away.")


@click.command(
    epilog="\b\nExample:\n"
    "  edge-train split photos/ -o splits.csv\n"
    "  edge-train classify photos/ --splits splits.csv -o runs/shop"
)
@data_options
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File to write.")
@validation_share_option
@click.option(
    "--test-share",
    type=FiniteRange(0, 0.5),
    default=0.0,
    show_default=True,
    help="Share of photos that no training sees or is judged by, for `edge-convert parity --split test`.",
)
@seed_option
def split(
    data: Path,
    images: Path | None,
    output: Path,
    validation_share: float,
    test_share: float,
    seed: int,
    **columns: Any,
) -> None:
    """Divide DATA into training, validation and test photos, and save which is which."""
    require_extra("edge-train split", "train", "tqdm")
    from train.data import read_photos
    from train.splits import split_photos

    photo_set = read_photos(data, take_columns(columns), images)
    rows = split_photos(photo_set, validation_share, seed, test_share)
    write_split_rows(output, rows)
    for side in Split:
        of_side = [row for row in rows if row.split is side]
        groups = len({row.group for row in of_side})
        if of_side:
            click.echo(f"{side}: {len(of_side)} photos of {groups} groups", err=True)
