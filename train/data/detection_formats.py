"""Reading boxes from the formats that annotation tools write: COCO, YOLO and Pascal VOC."""

import logging
import os
from dataclasses import replace
from pathlib import Path

from edge_runtime.errors import DataError
from train.data.annotations import Refuse
from train.data.boxes import BoxedPhoto, BoxSet, list_left_out
from train.data.class_names import is_data_yaml, read_class_names
from train.data.coco import read_coco
from train.data.foreign import refuse_foreign
from train.data.voc import VOC_BOXES, VOC_PHOTOS, read_voc
from train.data.yolo import find_yolo_folder, find_yolo_roots, read_yolo

log = logging.getLogger(__name__)


def read_boxes(data: Path, images: Path | None = None, classes: Path | None = None) -> BoxSet:
    """Read a data set of boxes; its format is told by its shape. What is left out of it is counted in the log.

    Args:
        data: A COCO file; a folder with `Annotations` and `JPEGImages` (Pascal VOC); or a folder with `images` and
            `labels` (YOLO), or sub-folders that have these, or its `data.yaml`, which lies in it or names it by `path`.
        images: Folder of a COCO file's photos; None takes `images` beside the file, or else the file's own folder,
            whichever has them.
        classes: A YOLO data set's class names, one a line, or its `data.yaml`; None takes its `classes.txt`, or else
            its `data.yaml`.

    Raises:
        DataError: Nothing is there, no format fits, a file is damaged, a photo is missing, or a box is wrong.
    """
    box_set = list_boxes(data, images, classes, _raise)
    if not any(photo.boxes for photo in box_set.photos):
        raise DataError(f"{data} has no box on any photo; give the file or folder that holds the annotations.")
    for each in list_left_out(box_set):
        log.info("%s: %s The first: %s", data, each.sentence, each.images[0])
    return box_set


def list_boxes(data: Path, images: Path | None, classes: Path | None, refuse: Refuse) -> BoxSet:
    """Read what is right of a data set of boxes, with or without any; arguments as for `read_boxes`.

    Args:
        data: As for `read_boxes`.
        images: As for `read_boxes`.
        classes: As for `read_boxes`.
        refuse: Called for each box or photo that is wrong, which is then left out.

    Raises:
        DataError: Nothing is there, no format fits, or a file that says something about all photos is damaged.
    """
    return _refuse_repeated(_read_format(data, images, classes, refuse), data, refuse)


def holds_boxes(data: Path) -> bool:
    """Tell whether a path looks like a data set of boxes rather than of photos with one label each."""
    return (
        (data.is_file() and data.suffix.lower() == ".json")
        or is_data_yaml(data)
        or (data / VOC_BOXES).is_dir()
        or bool(find_yolo_roots(data))
    )


def _read_format(data: Path, images: Path | None, classes: Path | None, refuse: Refuse) -> BoxSet:
    if data.suffix.lower() == ".csv":
        raise _no_boxes(data)
    if is_data_yaml(data):
        return _read_format(_follow(data), images, classes or data, refuse)
    if data.is_file():
        refuse_foreign(data)
        _refuse_option("--classes", classes, data, "YOLO folder")
        return read_coco(data, images, refuse)
    _refuse_option("--images", images, data, "COCO file")
    if roots := find_yolo_roots(data):
        return read_yolo(data, roots, read_class_names(data, classes), refuse)
    _refuse_option("--classes", classes, data, "YOLO folder")
    if (data / VOC_BOXES).is_dir():
        return read_voc(data, refuse)
    raise _no_boxes(data)


def _follow(data_yaml: Path) -> Path:
    folder = find_yolo_folder(data_yaml)
    if folder is None:
        raise DataError(
            f"{data_yaml} lies in no folder with images and labels, and its path names none; give that folder, and "
            "this file with --classes."
        )
    return folder


def _refuse_repeated(box_set: BoxSet, data: Path, refuse: Refuse) -> BoxSet:
    """Keep the first of what is said about one photo, of which each may lack the boxes of the other."""
    photos: dict[str, BoxedPhoto] = {}
    for photo in box_set.photos:
        # Tools also write ./photo.jpg.
        if photos.setdefault(os.path.normpath(photo.image), photo) is not photo:
            refuse(photo.image, DataError(f"{data} has {photo.image} twice; put all of its boxes in one place."))
    return replace(box_set, photos=tuple(photos.values()))


def _no_boxes(data: Path) -> DataError:
    return DataError(
        f"{data} is {'no data set of boxes' if data.exists() else 'not there'}; give a COCO file, a folder with "
        f"{VOC_BOXES} and {VOC_PHOTOS}, or a folder with images and labels. Photos with one label each, in a folder "
        "per class or a CSV file, are for a classifier."
    )


def _raise(_: str, error: DataError) -> None:
    raise error


def _refuse_option(name: str, value: Path | None, data: Path, kind: str) -> None:
    if value is not None:
        raise DataError(f"{name} belongs to a {kind}, and {data} is none; leave it away.")
