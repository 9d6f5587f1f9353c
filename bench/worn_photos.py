"""Add garments that people wear, cut out of street photos by their masks, to the training photos of clothing-dataset.

python bench/worn_photos.py "$EDGE_GARMENT_DATA" ccp/ splits.csv worn/

CCP's 59 labels name more than its ten boxes do: a shirt is not a T-shirt there. Those that mean one of the classifier's
ten kinds are cut out as `edge-run --classifier` cuts the boxes of a detector. ccp/ has the train.json and
validation.json of `bench/split_boxes.py`, so photos that a detector is measured on teach no classifier beside it. The
photos of clothing-dataset are linked to, so that `worn/images` has them all.
"""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import click
import cv2
import numpy as np

from edge_runtime.files import hash_file, write_text
from edge_runtime.preprocess import Image
from edge_runtime.tables import format_csv
from edge_runtime.training_run import Split, SplitRow, read_split_rows, write_split_rows
from train.data.boxes import Box, BoxedPhoto, BoxSet
from train.data.crops import write_crops

_KINDS = {
    "dress": ("dress",),
    "hat": ("hat",),
    "longsleeve": ("sweater", "sweatshirt"),
    "outwear": ("blazer", "cape", "coat", "jacket"),
    "pants": ("jeans", "pants"),
    "shirt": ("blouse", "shirt"),
    "shoes": ("boots", "clogs", "flats", "heels", "loafers", "pumps", "sandals", "shoes", "sneakers", "wedges"),
    "shorts": ("shorts",),
    "skirt": ("skirt",),
    "t-shirt": ("t-shirt",),
}
"""CCP's labels by the kind that they are of; tops, suits, leggings and the like are of none or of several."""

_FEWEST_PIXELS = 300
"""Of a mask; smaller ones are mostly slips of whoever drew it."""

_LEAST_PART = 0.1
"""Of a mask, for a part to count; a stray pixel elsewhere would make the box far too large."""


@click.command()
@click.argument("data", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("boxes", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("splits", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("output", type=click.Path(path_type=Path, file_okay=False))
def main(data: Path, boxes: Path, splits: Path, output: Path) -> None:
    """Cut garments out of the photos that BOXES names; OUTPUT gets longer labels.csv and splits.csv, and all images."""
    rows = list(read_split_rows(splits))
    images = output / "images"
    images.mkdir(parents=True)
    for photo in (data / "clothing" / "images").iterdir():
        (images / photo.name).symlink_to(photo.resolve())
    for split in (Split.TRAIN, Split.VALIDATION):
        crops = images / "worn" / split
        garments = tuple(_find_garments(data / "ccp", boxes / f"{split}.json"))
        counts = write_crops(BoxSet(data / "ccp" / "images", garments), crops)
        click.echo(f"{split}: " + ", ".join(f"{label} {count}" for label, count in sorted(counts.items())))
        rows += _list_crops(crops, split, images)
    table = format_csv(["image", "label", "group"], ([row.image, row.label, row.group] for row in rows))
    write_text(output / "labels.csv", table)
    write_split_rows(output / "splits.csv", rows)


def _find_garments(ccp: Path, boxes: Path) -> Iterator[BoxedPhoto]:
    names: list[str] = json.loads((ccp / "instances.json").read_text(encoding="utf-8"))["info"]["labels"]
    kinds = {label: kind for kind, labels in _KINDS.items() for label in labels}
    drawn = {index: kinds[label] for index, label in enumerate(names) if label in kinds}
    for photo in json.loads(boxes.read_text(encoding="utf-8"))["images"]:
        name = Path(photo["file_name"])
        mask = _read_mask(ccp / "masks" / f"{name.stem}.png")
        found = tuple(box for index, kind in drawn.items() for box in _enclose(mask == index, kind))
        yield BoxedPhoto(name.name, mask.shape[1], mask.shape[0], found)


def _read_mask(path: Path) -> Image:
    mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if mask is None:
        raise click.ClickException(f"{path} is missing or no picture; name the folder of the data.")
    return np.asarray(mask, np.uint8)


def _enclose(mask: Image, kind: str) -> Iterator[Box]:
    """Yield the box around the large parts of a mask, where there is enough of it."""
    _, parts, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    areas = statistics[:, cv2.CC_STAT_AREA] * (np.arange(len(statistics)) > 0)
    rows, columns = np.nonzero(np.isin(parts, np.flatnonzero(areas >= _LEAST_PART * areas.sum() + 1)))
    if areas.sum() >= _FEWEST_PIXELS:
        yield Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1, kind)


def _list_crops(crops: Path, split: Split, images: Path) -> Iterator[SplitRow]:
    with (crops / "labels.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            path = crops / row["image"]
            group = f"ccp/{row['group']}"
            yield SplitRow(path.relative_to(images).as_posix(), row["label"], group, split, hash_file(path))


if __name__ == "__main__":
    main()
