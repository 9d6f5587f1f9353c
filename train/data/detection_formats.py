"""Reading boxes from the formats that annotation tools write: COCO, YOLO and Pascal VOC."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from edge_runtime.errors import DataError
from edge_runtime.pictures import pictures_under
from train.data.boxes import Box, BoxedPhoto, BoxSet, make_box, measure_photo

_VOC_BOXES, _VOC_PHOTOS = "Annotations", "JPEGImages"
_CLASSES = "classes.txt"

COMPOSED = "composed"
"""Of an image in a COCO file of ours: true where it is a composed scene."""

Refuse = Callable[[str, DataError], None]
"""What is done about something wrong with a photo, given its path or file: raise it, or note it and go on."""


def read_boxes(data: Path, images: Path | None = None, classes: Path | None = None) -> BoxSet:
    """Read a data set of boxes; its format is told by its shape.

    Args:
        data: A COCO file; a folder with `Annotations` and `JPEGImages` (Pascal VOC); or a folder with `images` and
            `labels` (YOLO), or sub-folders that have these.
        images: Folder of a COCO file's photos; None takes `images` beside the file, or else the file's own folder.
        classes: A YOLO data set's class names, one a line; None takes its `classes.txt`.

    Raises:
        DataError: Nothing is there, no format fits, a file is damaged, a photo is missing, or a box is wrong.
    """
    box_set = list_boxes(data, images, classes, _raise)
    if not any(photo.boxes for photo in box_set.photos):
        raise DataError(f"{data} has no box on any photo; give the file or folder that holds the annotations.")
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
    if data.suffix.lower() == ".csv":
        raise _no_boxes(data)
    if data.is_file():
        _refuse_option("--classes", classes, data, "YOLO folder")
        return _read_coco(data, images, refuse)
    _refuse_option("--images", images, data, "COCO file")
    if roots := _yolo_roots(data):
        names = _read_classes(classes or data / _CLASSES)
        return BoxSet(data, tuple(photo for root in roots for photo in _yolo_photos(data, root, names, refuse)))
    _refuse_option("--classes", classes, data, "YOLO folder")
    if (data / _VOC_BOXES).is_dir():
        return BoxSet(data / _VOC_PHOTOS, tuple(_voc_photos(data, refuse)))
    raise _no_boxes(data)


def holds_boxes(data: Path) -> bool:
    """Tell whether a path looks like a data set of boxes rather than of photos with one label each."""
    return (
        (data.is_file() and data.suffix.lower() == ".json") or (data / _VOC_BOXES).is_dir() or bool(_yolo_roots(data))
    )


def _no_boxes(data: Path) -> DataError:
    return DataError(
        f"{data} is {'no data set of boxes' if data.exists() else 'not there'}; give a COCO file, a folder with "
        f"{_VOC_BOXES} and {_VOC_PHOTOS}, or a folder with images and labels. Photos with one label each, in a folder "
        "per class or a CSV file, are for edge-train classify."
    )


def _raise(_: str, error: DataError) -> None:
    raise error


def _keep_right(image: str, boxes: Iterable[Callable[[], Box]], refuse: Refuse) -> tuple[Box, ...]:
    """Return the boxes that can be made, and refuse the others."""
    kept = []
    for make in boxes:
        try:
            kept.append(make())
        except DataError as error:
            refuse(image, error)
    return tuple(kept)


def _refuse_option(name: str, value: Path | None, data: Path, kind: str) -> None:
    if value is not None:
        raise DataError(f"{name} belongs to a {kind}, and {data} is none; leave it away.")


def _read_coco(path: Path, images: Path | None, refuse: Refuse) -> BoxSet:
    beside = path.parent / "images"
    folder = images or (beside if beside.is_dir() else path.parent)
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        return BoxSet(folder, tuple(_coco_photos(path, content, folder, refuse)))
    except KeyError as error:
        raise DataError(f"{path} is no COCO detection file: it lacks {error}; export it as COCO again.") from error
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise DataError(f"{path} cannot be read as a COCO file ({error}); export it as COCO again.") from error


def _coco_photos(path: Path, content: dict[str, Any], folder: Path, refuse: Refuse) -> Iterator[BoxedPhoto]:
    names = _name_coco_classes(path, content, refuse)
    of_photo = _gather_coco_boxes(path, content, refuse)
    counts = Counter(photo["id"] for photo in content["images"])
    for photo in content["images"]:
        image, number = photo["file_name"], photo["id"]
        if counts[number] > 1:
            message = f"{path}: {image} has the number {number}, as another photo has; number each apart."
            refuse(image, DataError(message))
            continue
        size = _measure(path, folder, image, (photo.get("width"), photo.get("height")), refuse)
        if size is not None:
            # A region that COCO marks as a crowd shows many objects, so it is no example of one.
            alone = (annotation for annotation in of_photo[number] if not annotation.get("iscrowd"))
            makers = (partial(_coco_box, path, annotation, names, size) for annotation in alone)
            yield BoxedPhoto(image, *size, _keep_right(image, makers, refuse), photo.get(COMPOSED) is True)


def _name_coco_classes(path: Path, content: dict[str, Any], refuse: Refuse) -> dict[Any, str]:
    names: dict[Any, str] = {}
    for category in content["categories"]:
        number, name = category["id"], str(category["name"]).strip()
        if names.setdefault(number, name) != name:
            message = f"{path}: the classes {names[number]} and {name} have the number {number}; number each apart."
            refuse(path.name, DataError(message))
    return names


def _gather_coco_boxes(path: Path, content: dict[str, Any], refuse: Refuse) -> dict[Any, list[dict[str, Any]]]:
    """Return the annotations by the number of their photo."""
    of_photo: dict[Any, list[dict[str, Any]]] = {photo["id"]: [] for photo in content["images"]}
    for annotation in content["annotations"]:
        number = annotation["image_id"]
        if number in of_photo:
            of_photo[number].append(annotation)
        else:
            refuse(path.name, DataError(f"{path}: box {annotation.get('id')} is on photo {number}, not in the file."))
    return of_photo


def _coco_box(path: Path, annotation: dict[str, Any], names: Mapping[Any, str], size: tuple[int, int]) -> Box:
    where = f"{path}: box {annotation.get('id')}"
    label = _name_class(where, annotation["category_id"], names)
    try:
        x, y, width, height = map(float, annotation["bbox"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise DataError(f"{where} ({label}) has no bbox of four numbers; correct it or take it away.") from error
    return make_box(where, label, (x, y, x + width, y + height), size)


def _voc_photos(data: Path, refuse: Refuse) -> Iterator[BoxedPhoto]:
    for path in sorted((data / _VOC_BOXES).glob("*.xml")):
        try:
            root = _parse_xml(path)
            image = _xml_text(path, root, "filename")
        except DataError as error:
            refuse(path.name, error)
            continue
        said = root.findtext("size/width"), root.findtext("size/height")
        size = _measure(path, data / _VOC_PHOTOS, image, said, refuse)
        if size is not None:
            objects = enumerate(root.findall("object"), 1)
            makers = (partial(_voc_box, path, number, each, size) for number, each in objects)
            yield BoxedPhoto(image, *size, _keep_right(image, makers, refuse))


def _voc_box(path: Path, number: int, element: ElementTree.Element, size: tuple[int, int]) -> Box:
    where = f"{path}: box {number}"
    label = _xml_text(path, element, "name")
    corners = (_xml_text(path, element, f"bndbox/{name}") for name in ("xmin", "ymin", "xmax", "ymax"))
    x_min, y_min, x_max, y_max = (_parse_number(where, corner) for corner in corners)
    # VOC counts pixels from 1, and the last pixel belongs to the box.
    return make_box(where, label, (x_min - 1, y_min - 1, x_max, y_max), size)


class _PlainTreeBuilder(ElementTree.TreeBuilder):
    """Refuses a document type, the only place where entities can be declared."""

    def doctype(self, *_: str | None) -> None:
        raise ValueError("it declares a document type")


def _parse_xml(path: Path) -> ElementTree.Element:
    try:
        return ElementTree.parse(path, ElementTree.XMLParser(target=_PlainTreeBuilder())).getroot()
    except (OSError, ValueError, ElementTree.ParseError) as error:
        raise DataError(f"{path} cannot be read as Pascal VOC ({error}); export it again.") from error


def _xml_text(path: Path, element: ElementTree.Element, name: str) -> str:
    text = (element.findtext(name) or "").strip()
    if not text:
        raise DataError(f"{path} is no Pascal VOC annotation: its {element.tag} has no {name}; export it again.")
    return text


def _yolo_roots(data: Path) -> list[Path]:
    inside = sorted(path for path in data.iterdir() if path.is_dir()) if data.is_dir() else []
    return [root for root in (data, *inside) if (root / "images").is_dir() and (root / "labels").is_dir()]


def _read_classes(path: Path) -> dict[str, str]:
    try:
        names = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} is missing or no UTF-8 text; write the class names into it, one a line in the order of their "
            "numbers (data.yaml lists them), or name such a file with --classes."
        ) from error
    return {str(number): name.strip() for number, name in enumerate(names) if name.strip()}


def _yolo_photos(data: Path, root: Path, names: Mapping[str, str], refuse: Refuse) -> Iterator[BoxedPhoto]:
    photos = pictures_under(root / "images")
    labels = [root / "labels" / path.relative_to(root / "images").with_suffix(".txt") for path in photos]
    # Some tools keep the class names among the boxes.
    stray = {path for path in (root / "labels").rglob("*.txt") if path.name != _CLASSES} - set(labels)
    for path in sorted(stray):
        message = f"{path} belongs to no photo under {root / 'images'}; add the photo or take it away."
        refuse(path.relative_to(data).as_posix(), DataError(message))
    for photo, label in zip(photos, labels, strict=True):
        image = photo.relative_to(data).as_posix()
        try:
            size = measure_photo(photo)
            # By the format's convention a photo without a file, or with an empty one, shows no object.
            lines = _read_lines(label) if label.exists() else []
        except DataError as error:
            refuse(image, error)
            continue
        makers = (partial(_yolo_box, where, words, names, size) for where, words in lines)
        yield BoxedPhoto(image, *size, _keep_right(image, makers, refuse))


def _read_lines(path: Path) -> list[tuple[str, list[str]]]:
    """Return where each line that is not empty stands, for errors, and its words."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as YOLO text ({error}); export it again.") from error
    return [(f"{path}: box in line {number}", line.split()) for number, line in enumerate(lines, 1) if line.strip()]


def _yolo_box(where: str, words: list[str], names: Mapping[str, str], size: tuple[int, int]) -> Box:
    if len(words) != 5:
        raise DataError(f"{where} has {len(words)} values, not 5 (class, centre x and y, width, height); export boxes.")
    label = _name_class(where, words[0], names)
    x, y, width, height = (_parse_number(where, word) for word in words[1:])
    across, down = size
    corners = ((x - width / 2) * across, (y - height / 2) * down, (x + width / 2) * across, (y + height / 2) * down)
    return make_box(where, label, corners, size)


def _parse_number(where: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise DataError(f"{where} has {text!r} where a number belongs; correct it or take the box away.") from error


def _name_class(where: str, number: Any, names: Mapping[Any, str]) -> str:
    if number not in names:
        raise DataError(f"{where} is of class {number}, which has no name; add it or take the box away.")
    return names[number]


def _measure(path: Path, folder: Path, image: str, said: tuple[Any, Any], refuse: Refuse) -> tuple[int, int] | None:
    """Measure a photo and hold it against the width and height that a file says; None where it was refused."""
    try:
        return _check_size(path, folder / image, f"{said[0]} x {said[1]}" if all(said) else "")
    except DataError as error:
        refuse(image, error)
        return None


def _check_size(path: Path, photo: Path, said: str) -> tuple[int, int]:
    """Return the size of a photo; nothing said and 0 stand for unknown."""
    if not photo.is_file():
        raise DataError(
            f"{path} names {photo}, which is not there; add the photo, or name a COCO file's with --images."
        )
    size = measure_photo(photo)
    if said not in ("", "0 x 0", f"{size[0]} x {size[1]}"):
        raise DataError(
            f"{path} has boxes for {said} pixels, yet {photo} has {size[0]} x {size[1]}; give the photos that the "
            "boxes were drawn on, turned the same way."
        )
    return size
