"""Ask classifiers about garments that people in street photos wear, each cut out as `edge-run --classifier` does it.

python bench/worn_garments.py cfpd/valid garment_classifier.tflite OTHER.tflite

DATA is a COCO file, or a YOLO or Pascal VOC folder, with the labels of the bundled detector; bags and sunglasses are
left out, which the bundled classifier does not know. It prints Markdown: the share answered rightly.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import numpy as np

from edge_runtime import Recognizer
from edge_runtime.preprocess import Image
from edge_runtime.refining import cut
from train.boxes import read_boxed_photo
from train.detection_formats import read_boxes

_RIGHT = {
    "dress": ("dress",),
    "hat": ("hat",),
    "jacket": ("outwear",),
    "pants": ("pants",),
    "shirt": ("shirt", "t-shirt", "longsleeve"),
    "shoe": ("shoes",),
    "shorts": ("shorts",),
    "skirt": ("skirt",),
}
"""What the classifier may call each of the detector's labels."""


@click.command()
@click.argument("data", type=click.Path(path_type=Path, exists=True))
@click.argument("models", type=click.Path(path_type=Path, exists=True, dir_okay=False), nargs=-1, required=True)
def main(data: Path, models: Sequence[Path]) -> None:
    """Print what share of the garments on DATA each of MODELS names rightly."""
    recognizers = [Recognizer.load(model) for model in models]
    asked: Counter[str] = Counter()
    right = [Counter[str]() for _ in models]
    for label, garment in _cut_garments(data):
        asked[label] += 1
        for counts, recognizer in zip(right, recognizers, strict=True):
            best = recognizer.spec.labels[int(np.argmax(recognizer.scores(garment)))]
            counts[label] += best in _RIGHT[label]
    click.echo(f"| label | boxes | {' | '.join(model.stem for model in models)} |")
    click.echo("| --- | ---: |" + " ---: |" * len(models))
    for label, boxes in sorted(asked.items()):
        click.echo(f"| {label} | {boxes} | {' | '.join(f'{counts[label] / boxes:.1%}' for counts in right)} |")
    whole = (f"{counts.total() / asked.total():.1%}" for counts in right)
    click.echo(f"| all | {asked.total()} | {' | '.join(whole)} |")


def _cut_garments(data: Path) -> Iterator[tuple[str, Image]]:
    box_set = read_boxes(data)
    for photo in box_set.photos:
        wanted = [box for box in photo.boxes if box.label in _RIGHT]
        if wanted:
            image = read_boxed_photo(box_set.images, photo)
            yield from ((box.label, cut(image, box.corners)) for box in wanted)


if __name__ == "__main__":
    main()
