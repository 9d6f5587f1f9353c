"""`edge-train crops`."""

from pathlib import Path

import click

from edge_runtime.extras import require_extra
from edge_runtime.files import check_fresh
from train.commands.data_options import box_images_option, classes_option


@click.command(
    epilog="\b\nExample:\n"
    "  edge-train crops instances.json -o crops/ --backgrounds negatives/\n"
    "  edge-train classify crops/labels.csv --group-column group --negatives negatives/ -o runs/shop"
)
@click.argument("data", type=click.Path(path_type=Path))
@box_images_option
@classes_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="New folder for the crops and their labels.csv.",
)
@click.option(
    "--backgrounds",
    type=click.Path(path_type=Path, file_okay=False),
    help="New folder for a part of each photo that touches no box, for --negatives of edge-train classify.",
)
def crops(data: Path, images: Path | None, classes: Path | None, output: Path, backgrounds: Path | None) -> None:
    """Cut the boxes of DATA out of its photos, to train a classifier on.

    DATA is a COCO file, or a folder in the layout of YOLO (images, labels, classes.txt) or of Pascal VOC
    (Annotations, JPEGImages).
    """
    require_extra("edge-train crops", "train", "PIL", "tqdm", "yaml")
    from train.data.backgrounds import find_backgrounds, write_backgrounds
    from train.data.crops import write_crops
    from train.data.detection_formats import read_boxes

    box_set = read_boxes(data, images, classes)
    if backgrounds is not None:
        _check_apart(output.resolve(), backgrounds.resolve())
        check_fresh(backgrounds, "backgrounds of two data sets")
    found = find_backgrounds(box_set) if backgrounds is not None else ()
    for label, count in sorted(write_crops(box_set, output).items()):
        click.echo(f"{label}: {count} crops", err=True)
    if backgrounds is not None:
        write_backgrounds(box_set.images, found, backgrounds)
        click.echo(f"without any box: {len(found)} crops", err=True)


def _check_apart(crops: Path, backgrounds: Path) -> None:
    if crops.is_relative_to(backgrounds) or backgrounds.is_relative_to(crops):
        raise click.UsageError(
            "-o and --backgrounds lie within each other, so crops would pass for backgrounds; name two folders apart."
        )
