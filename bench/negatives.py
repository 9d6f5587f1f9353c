"""Collect pictures that show no known garment, to choose a rejection threshold on.

python bench/negatives.py "$EDGE_GARMENT_DATA" negatives/

Two kinds: photos of clothing-dataset that people labelled `Other` or `Not sure`, and crops of street photos (CCP) that
touch no garment's box. `edge-train` adds drawn backgrounds by itself. The folder stays on your disk.
"""

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import cv2
import numpy as np

from edge_runtime.pictures import read_picture

_LABELS = ("Other", "Not sure")
_SIDE = 96
_TRIES = 20

Box = tuple[int, int, int, int]
"""x_min, y_min, x_max, y_max in pixels."""


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
    for name, boxes in _read_boxes(ccp / "instances.json"):
        image = read_picture(ccp / "images" / name)
        corner = _find_free(image.shape[0], image.shape[1], boxes, random)
        if corner is not None:
            left, top = corner
            cv2.imwrite(str(output / f"ccp-{Path(name).stem}.png"), image[top : top + _SIDE, left : left + _SIDE])
            crops += 1
    return crops


def _read_boxes(path: Path) -> Iterator[tuple[str, list[Box]]]:
    values = json.loads(path.read_text(encoding="utf-8"))
    for image in values["images"]:
        boxes = [each["bbox"] for each in values["annotations"] if each["image_id"] == image["id"]]
        yield image["file_name"], [(x, y, x + width, y + height) for x, y, width, height in boxes]


def _find_free(height: int, width: int, boxes: list[Box], random: np.random.Generator) -> tuple[int, int] | None:
    """Find the left top corner of a square that touches no box, by trying at random."""
    for _ in range(_TRIES):
        left, top = int(random.integers(width - _SIDE)), int(random.integers(height - _SIDE))
        if all(left + _SIDE <= b[0] or left >= b[2] or top + _SIDE <= b[1] or top >= b[3] for b in boxes):
            return left, top
    return None


if __name__ == "__main__":
    main()
