"""Collect pictures that show no known garment, to choose a rejection threshold on.

python bench/negatives.py "$EDGE_GARMENT_DATA" negatives/

Three kinds: photos of clothing-dataset that people labelled `Other` or `Not sure`; parts of street photos (CCP) that
touch no box; and bags and sunglasses out of these photos, which a detector finds and shows to a classifier that has no
name for them. `edge-train` adds drawn backgrounds by itself. The folder stays on your disk.
"""

import csv
import shutil
from pathlib import Path

import click
import cv2

from edge_runtime.refining import cut
from train.data.backgrounds import find_backgrounds
from train.data.boxes import BoxSet, read_boxed_photo
from train.data.detection_formats import read_boxes

_LABELS = ("Other", "Not sure")
_NAMELESS = ("bag", "sunglass")


@click.command()
@click.argument("data", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("output", type=click.Path(path_type=Path, file_okay=False))
def main(data: Path, output: Path) -> None:
    """Collect them from the data folder DATA into OUTPUT."""
    output.mkdir(parents=True, exist_ok=True)
    photos = _copy_unknown(data / "clothing", output)
    box_set = read_boxes(data / "ccp" / "instances.json")
    backgrounds = _cut_backgrounds(box_set, output)
    things = _cut_nameless(box_set, output)
    click.echo(f"{photos} photos, {backgrounds} backgrounds and {things} bags and sunglasses in {output}")


def _copy_unknown(clothing: Path, output: Path) -> int:
    with (clothing / "labels.csv").open(encoding="utf-8", newline="") as file:
        names = [row["image"] for row in csv.DictReader(file) if row["label"] in _LABELS]
    for name in names:
        shutil.copyfile(clothing / "images" / name, output / name)
    return len(names)


def _cut_backgrounds(box_set: BoxSet, output: Path) -> int:
    found = find_backgrounds(box_set)
    for each in found:
        cv2.imwrite(str(output / f"ccp-{Path(each.photo.image).stem}.png"), each.cut(box_set.images))
    return len(found)


def _cut_nameless(box_set: BoxSet, output: Path) -> int:
    count = 0
    for photo in box_set.photos:
        image = read_boxed_photo(box_set.images, photo)
        for box in photo.boxes:
            if box.label in _NAMELESS:
                name = f"worn-{box.label}-{Path(photo.image).stem}.png"
                cv2.imwrite(str(output / name), cut(image, box.corners))
                count += 1
    return count


if __name__ == "__main__":
    main()
