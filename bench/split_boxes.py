"""Divide a COCO file into one to learn from and one to measure on; the photos stay where they are.

python bench/split_boxes.py "$EDGE_GARMENT_DATA/ccp/instances.json" boxes/ --images "$EDGE_GARMENT_DATA/ccp/images"
"""

import json
import os
from pathlib import Path
from typing import Any

import click
import numpy as np

from edge_runtime.files import write_text


@click.command()
@click.argument("coco", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("output", type=click.Path(path_type=Path, file_okay=False))
@click.option("--images", type=click.Path(path_type=Path, exists=True, file_okay=False), required=True)
@click.option("--share", default=0.15, show_default=True, help="Of the photos, to measure on.")
@click.option("--seed", default=0, show_default=True)
def main(coco: Path, output: Path, images: Path, share: float, seed: int) -> None:
    """Write OUTPUT/train.json and OUTPUT/validation.json."""
    content = json.loads(coco.read_text(encoding="utf-8"))
    photos = content["images"]
    order = np.random.default_rng(seed).permutation(len(photos))
    held_out = {photos[index]["id"] for index in order[: round(share * len(photos))]}
    output.mkdir(parents=True, exist_ok=True)
    for name, wanted in (("train", False), ("validation", True)):
        chosen = [_move(photo, images, output) for photo in photos if (photo["id"] in held_out) is wanted]
        boxes = [each for each in content["annotations"] if (each["image_id"] in held_out) is wanted]
        part = {"images": chosen, "annotations": boxes, "categories": content["categories"]}
        write_text(output / f"{name}.json", json.dumps(part) + "\n")
        click.echo(f"{name}: {len(chosen)} photos, {len(boxes)} boxes", err=True)


def _move(photo: dict[str, Any], images: Path, output: Path) -> dict[str, Any]:
    return {**photo, "file_name": os.path.relpath(images / photo["file_name"], output)}


if __name__ == "__main__":
    main()
