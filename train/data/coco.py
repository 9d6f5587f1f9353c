"""Reading boxes from COCO files."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from edge_runtime.errors import DataError
from train.data.annotations import Refuse, keep_right, measure, name_class, tell_progress
from train.data.boxes import Box, BoxedPhoto, BoxSet, make_box
from train.data.sides import list_folders

COMPOSED = "composed"
"""Of an image in a COCO file of ours: true where it is a composed scene."""
_CORNER_ERRORS = (KeyError, TypeError, ValueError, OverflowError)


def read_coco(path: Path, images: Path | None, refuse: Refuse) -> BoxSet:
    """Read a COCO file; arguments as for `list_boxes`.

    Raises:
        DataError: It is none.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        folder = images or _find_folder(path, [photo["file_name"] for photo in content["images"]])
        return BoxSet(folder, tuple(_read_photos(path, content, folder, refuse)))
    except KeyError as error:
        raise DataError(f"{path} is no COCO detection file: it lacks {error}; export it as COCO again.") from error
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise DataError(f"{path} cannot be read as a COCO file ({error}); export it as COCO again.") from error


def _find_folder(path: Path, names: Sequence[str]) -> Path:
    """Return the folder that photos are named from: `images` in a file's own folder, that itself, or one around."""
    own = path.parent
    inside = own / "images"
    # Label Studio writes images/photo.jpg.
    folders = (inside, own, *_list_around(path))
    holding = (folder for folder in folders if any((folder / _name_photo(folder, name)).is_file() for name in names))
    return next(holding, inside if inside.is_dir() else own)


def _list_around(path: Path) -> list[Path]:
    """Return where photos of a file in a folder `annotations` may be, first the folder that the file is named after.

    COCO itself has `train2017` for `annotations/instances_train2017.json`, CVAT `images/default` for
    `instances_default.json`.
    """
    around = path.parent.parent
    if path.parent.name != "annotations":
        return []
    images = around / "images"
    folders = [images, *(list_folders(images) if images.is_dir() else ()), *list_folders(around)]
    return sorted(folders, key=lambda folder: not path.stem.endswith(folder.name))


def _name_photo(folder: Path, name: str) -> str:
    """Return a photo's path with forward slashes; Windows writes the other ones, which may be part of a name here."""
    return name if "\\" not in name or (folder / name).is_file() else name.replace("\\", "/")


def _read_photos(path: Path, content: dict[str, Any], folder: Path, refuse: Refuse) -> Iterator[BoxedPhoto]:
    names = _name_classes(path, content, refuse)
    of_photo = _gather_annotations(path, content, refuse)
    counts = Counter(photo["id"] for photo in content["images"])
    for photo in tell_progress(content["images"]):
        image, number = _name_photo(folder, photo["file_name"]), photo["id"]
        if counts[number] > 1:
            message = f"{path}: {image} has the number {number}, as another photo has; number each apart."
            refuse(image, DataError(message))
            continue
        size = measure(path, folder, image, (photo.get("width"), photo.get("height")), refuse)
        if size is not None:
            makers = (partial(_read_region, path, annotation, names, size) for annotation in of_photo[number])
            regions = keep_right(image, makers, refuse)
            # A region that COCO marks as a crowd shows many objects, so it is no example of one.
            boxes, crowds = (tuple(box for box, is_crowd in regions if is_crowd is wanted) for wanted in (False, True))
            yield BoxedPhoto(image, *size, boxes, photo.get(COMPOSED) is True, crowds)


def _name_classes(path: Path, content: dict[str, Any], refuse: Refuse) -> dict[Any, str]:
    names: dict[Any, str] = {}
    for category in content["categories"]:
        number, name = category["id"], "" if category["name"] is None else str(category["name"]).strip()
        if names.setdefault(number, name) != name:
            message = f"{path}: the classes {names[number]} and {name} have the number {number}; number each apart."
            refuse(path.name, DataError(message))
    return names


def _gather_annotations(path: Path, content: dict[str, Any], refuse: Refuse) -> dict[Any, list[dict[str, Any]]]:
    """Return the annotations by the number of their photo."""
    of_photo: dict[Any, list[dict[str, Any]]] = {photo["id"]: [] for photo in content["images"]}
    for annotation in content["annotations"]:
        number = annotation["image_id"]
        if number in of_photo:
            of_photo[number].append(annotation)
        else:
            refuse(path.name, DataError(f"{path}: box {annotation.get('id')} is on photo {number}, not in the file."))
    return of_photo


def _read_region(
    path: Path, annotation: dict[str, Any], names: Mapping[Any, str], size: tuple[int, int]
) -> tuple[Box, bool]:
    """Return a box, and whether it holds a crowd."""
    if annotation.get("iscrowd") == 1:
        return _read_crowd(annotation, names, size), True
    where = f"{path}: box {annotation.get('id')}"
    label = name_class(where, annotation["category_id"], names)
    is_crowd = annotation.get("iscrowd")
    if is_crowd not in (None, 0):
        raise DataError(f"{where} ({label}) has {is_crowd!r} as its iscrowd, neither 0 nor 1; correct it.")
    try:
        corners = _read_corners(annotation)
    except _CORNER_ERRORS as error:
        raise DataError(f"{where} ({label}) has no bbox of four numbers; correct it or take it away.") from error
    return make_box(where, label, corners, size), False


def _read_crowd(annotation: dict[str, Any], names: Mapping[Any, str], size: tuple[int, int]) -> Box:
    """Return what a crowd takes of its photo, which is all of it where the file does not say: it is no example."""
    label = names.get(annotation.get("category_id"), "")
    width, height = map(float, size)
    try:
        x_min, y_min, x_max, y_max = _read_corners(annotation)
        clipped = max(x_min, 0.0), max(y_min, 0.0), min(x_max, width), min(y_max, height)
        return make_box("", label, clipped, size)
    except (*_CORNER_ERRORS, DataError):
        return Box(0.0, 0.0, width, height, label)


def _read_corners(annotation: dict[str, Any]) -> tuple[float, float, float, float]:
    x, y, width, height = map(float, annotation["bbox"])
    return x, y, x + width, y + height
