"""`edge-train evaluate`."""

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_runtime.errors import DataError
from edge_runtime.extras import require_extra
from edge_runtime.quiet import quiet_opencv, quiet_stderr
from train.commands.data_options import (
    COLUMN_OPTIONS,
    classes_option,
    label_options,
    refuse_options,
    rename_option,
    take_columns,
)
from train.commands.run_options import find_bundled

if TYPE_CHECKING:
    from edge_runtime.recognizer import Recognizer
    from edge_runtime.training_run import Split
    from train.report.classifier_file import ClassifierScores
    from train.report.detector_file import DetectorScores

log = logging.getLogger(__name__)


@click.command(
    epilog="\b\nExample:\n"
    "  edge-train evaluate shop.tflite photos/ --rename Trousers=pants --rename Other=\n"
    "  edge-train evaluate garment_detector instances.json --json"
)
@click.argument("model", callback=find_bundled)
@label_options
@classes_option
@rename_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def evaluate(model: str, as_json: bool, **arguments: Any) -> None:
    """Measure how good MODEL is on DATA, labelled photos of yours.

    MODEL is a .tflite file or the name of a bundled one (garment_classifier, garment_detector). Of a classifier, DATA
    is a folder with one sub-folder per class, or a CSV file; of a detector a COCO file, or a folder in the layout of
    YOLO or of Pascal VOC. All of its photos are asked, through the code that answers on a device.
    """
    require_extra("edge-train evaluate", "train", "PIL", "pycocotools", "sklearn", "tqdm", "yaml")
    quiet_opencv()
    from edge_runtime.recognizer import Recognizer
    from train.report.file_text import describe_classifier, describe_detector

    with quiet_stderr():
        recognizer = Recognizer.load(model)
    scores: ClassifierScores | DetectorScores
    if recognizer.spec.detection is None:
        scores = _measure_classifier(recognizer, **arguments)
        text = describe_classifier(scores)
    else:
        scores = _measure_detector(recognizer, **arguments)
        text = describe_detector(scores)
    facts = {"model": recognizer.spec.name, "model_sha256": recognizer.model_sha256, "data": str(arguments["data"])}
    click.echo(json.dumps(facts | asdict(scores), indent=2, ensure_ascii=False) if as_json else _head(facts) + text)


def _head(facts: Mapping[str, str]) -> str:
    return f"{facts['model']} (sha256 {facts['model_sha256']}) on {facts['data']}\n\n"


def _measure_classifier(
    recognizer: "Recognizer", data: Path, images: Path | None, renames: Mapping[str, str], **arguments: Any
) -> "ClassifierScores":
    from train.data.photos import PhotoSet, check_readable, read_photos
    from train.data.renames import match_classes
    from train.report.classifier_file import measure_classifier

    photo_set = read_photos(data, take_columns(arguments), images, fewest_classes=1)
    refuse_options(data, "a YOLO data set of boxes", ("classes",))
    matched = match_classes(data, photo_set.labels, renames, recognizer.spec.heads[0].labels)
    renamed = (replace(photo, label=matched[photo.label]) for photo in photo_set.photos)
    photos = tuple(photo for photo in renamed if photo.label)
    if not photos:
        raise DataError(f"{data} has no photo left to measure on; leave out fewer classes with --rename.")
    _tell_divided(data, (photo.side for photo in photos))
    asked = PhotoSet(photo_set.images, photos)
    check_readable(asked.files)
    return measure_classifier(recognizer, asked)


def _measure_detector(
    recognizer: "Recognizer",
    data: Path,
    images: Path | None,
    classes: Path | None,
    renames: Mapping[str, str],
    **_columns: Any,
) -> "DetectorScores":
    from train.data.detection_formats import read_boxes
    from train.data.photos import check_readable
    from train.data.renames import match_classes
    from train.report.detector_file import measure_detector

    box_set = read_boxes(data, images, classes)
    refuse_options(data, "photos with one label each", COLUMN_OPTIONS)
    there = (box.label for photo in box_set.photos for box in photo.boxes)
    matched = match_classes(data, there, renames, recognizer.spec.labels)
    if not any(matched.values()):
        raise DataError(f"{data} has no box left to measure on; leave out fewer classes with --rename.")
    _tell_divided(data, (photo.side for photo in box_set.photos))
    check_readable([box_set.images / photo.image for photo in box_set.photos])
    return measure_detector(recognizer, box_set, matched)


def _tell_divided(data: Path, sides: "Iterable[Split | None]") -> None:
    from train.data.sides import lie_divided

    if lie_divided(sides):
        log.info("%s lies divided, and all of its photos are measured; name one of its folders to measure that.", data)
