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

from train.backgrounds import find_backgrounds
from train.detection_formats import read_boxes

_LABELS = ("Other", "Not sure")


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
    box_set = read_boxes(ccp / "instances.json")
    found = find_backgrounds(box_set)
    for each in found:
        cv2.imwrite(str(output / f"ccp-{Path(each.photo.image).stem}.png"), each.cut(box_set.images))
    return len(found)


if __name__ == "__main__":
    main()
