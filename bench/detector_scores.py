"""Measure a finished detector file on photos with boxes, through the runtime, for its model card. Prints Markdown.

python bench/detector_scores.py garment_detector.tflite "$EDGE_GARMENT_DATA/ccp/instances.json"

DATA is a COCO file, or a YOLO or Pascal VOC folder. Labels that the detector does not have are not counted.
"""

from pathlib import Path

import click
from tqdm import tqdm

from edge_runtime import Recognizer
from edge_runtime.coco import TrueBox, measure_coco
from edge_runtime.pictures import read_picture
from train.data.boxes import BoxedPhoto
from train.data.detection_formats import read_boxes

# COCO's curves reach down to boxes that no user would be shown.
_LOWEST_SCORE = 0.01


@click.command()
@click.argument("model", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("data", type=click.Path(path_type=Path, exists=True))
@click.option("--classes", type=click.Path(path_type=Path, exists=True), help="Class names of a YOLO folder.")
def main(model: Path, data: Path, classes: Path | None) -> None:
    """Print the average precisions of MODEL on DATA."""
    recognizer = Recognizer.load(model)
    labels = recognizer.spec.labels
    box_set = read_boxes(data, classes=classes)
    found = [
        recognizer.detect(read_picture(box_set.images / photo.image), threshold=_LOWEST_SCORE)
        for photo in tqdm(box_set.photos, disable=None)
    ]
    scores = measure_coco([_true_boxes(photo, labels) for photo in box_set.photos], found, labels)
    click.echo("| label | boxes | mAP50 | mAP |\n| --- | ---: | ---: | ---: |")
    for each in scores.labels:
        click.echo(f"| {each.label} | {each.boxes} | {each.map50:.3f} | {each.map:.3f} |")
    boxes = sum(each.boxes for each in scores.labels)
    click.echo(f"| all, on {len(found)} photos | {boxes} | {scores.map50:.3f} | {scores.map:.3f} |")


def _true_boxes(photo: BoxedPhoto, labels: tuple[str, ...]) -> list[TrueBox]:
    return [
        TrueBox(box.label, (box.x_min, box.y_min, box.x_max, box.y_max)) for box in photo.boxes if box.label in labels
    ]


if __name__ == "__main__":
    main()
