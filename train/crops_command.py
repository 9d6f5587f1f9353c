"""`edge-train crops`."""

from pathlib import Path

import click

from edge_runtime.extras import require_extra


@click.command(
    epilog="\b\nExample:\n"
    "  edge-train crops instances.json -o crops/\n"
    "  edge-train classify crops/labels.csv --group-column group -o runs/shop"
)
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--images",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of a COCO file's photos.  [default: images/ beside it, or its own]",
)
@click.option(
    "--classes",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A YOLO data set's class names, one a line.  [default: its classes.txt]",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="New folder for the crops and their labels.csv.",
)
def crops(data: Path, images: Path | None, classes: Path | None, output: Path) -> None:
    """Cut the boxes of DATA out of its photos, to train a classifier on.

    DATA is a COCO file, or a folder in the layout of YOLO (images, labels, classes.txt) or of Pascal VOC
    (Annotations, JPEGImages).
    """
    require_extra("edge-train crops", "train", "PIL", "tqdm")
    from train.crops import write_crops
    from train.detection_formats import read_boxes

    counts = write_crops(read_boxes(data, images, classes), output)
    for label, count in sorted(counts.items()):
        click.echo(f"{label}: {count} crops", err=True)
