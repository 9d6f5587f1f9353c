"""Ask classifiers about garments that people in street photos wear, each cut out as `edge-run --classifier` does it.

python bench/worn_garments.py cfpd/valid garment_classifier.tflite OTHER.tflite

DATA is a COCO file, or a YOLO or Pascal VOC folder, with the labels of the bundled detector. It prints Markdown: the
share of garments answered rightly, whatever the score; of these, what each model's own threshold keeps; and what it
rejects of bags and sunglasses, which have no name there, and of a part of each photo beside its boxes.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from edge_runtime import Recognizer
from edge_runtime.preprocess import Image
from edge_runtime.refining import cut
from train.data.backgrounds import find_backgrounds
from train.data.boxes import BoxSet, read_boxed_photo
from train.data.detection_formats import read_boxes

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
    """Print what share of the garments on DATA each of MODELS names rightly, and what it rejects of all else there."""
    recognizers = [Recognizer.load(model) for model in models]
    box_set = read_boxes(data)
    answers = [
        (label, [_ask(each, picture, _RIGHT.get(label, ())) for each in recognizers])
        for label, picture in _cut_pictures(box_set)
    ]
    labels = np.array([label for label, _ in answers])
    right, sure = np.moveaxis(np.array([outcomes for _, outcomes in answers]), 2, 0)
    click.echo(f"| label | pictures | {' | '.join(model.stem for model in models)} |")
    click.echo("| --- | ---: |" + " ---: |" * len(models))
    for label in sorted({*labels} & {*_RIGHT}):
        _print_row(label, right[labels == label])
    _print_row("all", right[np.isin(labels, tuple(_RIGHT))])
    click.echo(f"| of these kept | | {' | '.join(f'{share:.1%}' for share in (right & sure).sum(0) / right.sum(0))} |")
    for label in sorted({*labels} - {*_RIGHT}):
        _print_row(f"{label}, rejected", ~sure[labels == label])


def _ask(recognizer: Recognizer, picture: Image, right: Sequence[str]) -> tuple[bool, bool]:
    """Return whether the best label is a right one, and whether its score reaches the threshold."""
    scores = recognizer.scores(picture)
    best = int(np.argmax(scores))
    return recognizer.spec.labels[best] in right, bool(scores[best] >= recognizer.spec.heads[0].threshold)


def _print_row(name: str, outcomes: NDArray[np.bool_]) -> None:
    click.echo(f"| {name} | {len(outcomes)} | {' | '.join(f'{share:.1%}' for share in outcomes.mean(axis=0))} |")


def _cut_pictures(box_set: BoxSet) -> Iterator[tuple[str, Image]]:
    for photo in box_set.photos:
        image = read_boxed_photo(box_set.images, photo)
        yield from ((box.label, cut(image, box.corners)) for box in photo.boxes)
    for each in find_backgrounds(box_set):
        yield "background", each.cut(box_set.images)


if __name__ == "__main__":
    main()
