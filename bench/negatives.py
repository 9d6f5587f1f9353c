"""Collect pictures that show no known garment, to choose a rejection threshold on.

python bench/negatives.py "$EDGE_GARMENT_DATA" negatives/

Two kinds: photos of clothing-dataset that people labelled `Other` or `Not sure`, and crops of street photos (CCP) that
touch no garment's box. `edge-train` adds drawn backgrounds by itself. The folder stays on your disk.
"""

import csv
import shutil
from pathlib import Path

import click
import cv2
import numpy as np

from edge_runtime.pictures import read_picture
from train.boxes import BoxedPhoto
from train.detection_formats import read_boxes

_LABELS = ("Other", "Not sure")
_SIDE = 96
_TRIES = 20


@click.command()
@click.argument("data", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("output", type=click.Path(path_type=Path, file_okay=False))
def main(data: Path, output: Path) -> None:
    """Collect them from the data folder DATA into OUTPUT."""
    output.mkdir(parents=True, exist_ok=True)
    photos = _copy_unknown(data / "clothing", output)
    crops = _cut_backgrounds(data / "ccp", output)
    click.echo(f"{photos} photos and {crops} crops in {output}")


def _copy_unknown(clothing: Path, output: Path) -> int:
    with (clothing / "labels.csv").open(encoding="utf-8", newline="") as file:
        names = [row["image"] for row in csv.DictReader(file) if row["label"] in _LABELS]
    for name in names:
        shutil.copyfile(clothing / "images" / name, output / name)
    return len(names)


def _cut_backgrounds(ccp: Path, output: Path) -> int:
    random = np.random.default_rng(0)
    crops = 0
    for photo in read_boxes(ccp / "instances.json").photos:
        image = read_picture(ccp / "images" / photo.image)
        corner = _find_free(photo, random)
        if corner is not None:
            left, top = corner
            cv2.imwrite(
                str(output / f"ccp-{Path(photo.image).stem}.png"), image[top : top + _SIDE, left : left + _SIDE]
            )
            crops += 1
    return crops


def _find_free(photo: BoxedPhoto, random: np.random.Generator) -> tuple[int, int] | None:
    """Find the left top corner of a square that touches no box, by trying at random."""
    for _ in range(_TRIES):
        left, top = int(random.integers(photo.width - _SIDE)), int(random.integers(photo.height - _SIDE))
        right, bottom = left + _SIDE, top + _SIDE
        if all(right <= b.x_min or left >= b.x_max or bottom <= b.y_min or top >= b.y_max for b in photo.boxes):
            return left, top
    return None


if __name__ == "__main__":
    main()
