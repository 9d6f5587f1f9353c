"""`edge-train split`, and the option that takes what it has written."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from edge_runtime.extras import require_extra
from edge_runtime.options.numbers import FiniteRange
from edge_runtime.training_run import BoxRow, Split, SplitRow, write_split_rows
from train.commands.data_options import (
    COLUMN_OPTIONS,
    classes_option,
    column_options,
    labels_option,
    refuse_options,
    seed_option,
    take_columns,
    validation_share_option,
)

_OF_BOXES = ("classes", "labels")


@click.command(
    epilog="\b\nExample:\n"
    "  edge-train split photos/ -o splits.csv\n"
    "  edge-train classify photos/ --splits splits.csv -o runs/shop\n"
    "  edge-train split more_photos/ --keep splits.csv -o more_splits.csv\n"
    "  edge-train split instances.json --test-share 0.1 -o splits.csv\n"
    "  edge-train detect instances.json --splits splits.csv -o runs/found"
)
@click.argument("data", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--images",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder that the paths of a CSV or COCO file start from.  [default: its own, or images/ beside it]",
)
@column_options
@classes_option
@labels_option
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
@click.option(
    "--keep",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Split file whose photos keep their side; others follow their group or copies, or are drawn.",
)
def split(data: tuple[Path, ...], output: Path, **arguments: Any) -> None:
    """Divide DATA into training, validation and test photos, and save which is which.

    DATA is a folder with one sub-folder per class or a CSV file; or boxes, one or more data sets as edge-train detect
    takes them. What lies divided into train, valid and test is divided anew.
    """
    require_extra("edge-train split", "train", "PIL", "tqdm", "yaml")
    from train.data.detection_formats import holds_boxes

    if any(map(holds_boxes, data)):
        rows, boxes = _divide_boxes(data, arguments)
    else:
        rows, boxes = _divide_labels(data, arguments), None
    write_split_rows(output, rows)
    for side in Split:
        of_side = [row for row in rows if row.split is side]
        if of_side:
            click.echo(f"{side}: {len(of_side)} photos {_describe(of_side, boxes)}", err=True)


def _divide_labels(data: Sequence[Path], arguments: dict[str, Any]) -> tuple[SplitRow, ...]:
    from train.data.kept_split import keep_split
    from train.data.photos import read_photos
    from train.data.splits import split_photos

    refuse_options(data[0], "a data set of boxes", _OF_BOXES)
    if len(data) > 1:
        raise click.UsageError(f"Several DATA are for boxes, and {data[0]} holds none; name one.")
    photo_set = read_photos(data[0], take_columns(arguments), arguments["images"])
    shares = arguments["validation_share"], arguments["seed"], arguments["test_share"]
    if arguments["keep"] is None:
        return split_photos(photo_set, *shares)
    kept = keep_split(arguments["keep"], photo_set)
    return split_photos(kept.photo_set, *shares, kept.sides, kept.hashes)


def _divide_boxes(data: Sequence[Path], arguments: dict[str, Any]) -> tuple[tuple[SplitRow, ...], list[BoxRow]]:
    """Return what each photo serves for, and all boxes."""
    from train.detection.data import read_data

    refuse_options(data[0], "photos with one label each", COLUMN_OPTIONS)
    divided = read_data(
        data,
        (),
        arguments["labels"],
        arguments["validation_share"],
        arguments["seed"],
        images=arguments["images"],
        classes=arguments["classes"],
        test_share=arguments["test_share"],
        redraw=True,
        keep=arguments["keep"],
    )
    return divided.rows, divided.box_rows


def _describe(rows: Sequence[SplitRow], boxes: Sequence[BoxRow] | None) -> str:
    """Return what there is beside photos on one side, given the boxes of all sides."""
    if boxes is None:
        return f"of {len({row.group for row in rows})} groups"
    images = {row.image for row in rows}
    labels = [box.label for box in boxes if box.image in images]
    return f"with {len(labels)} boxes of {len(set(labels))} classes"
