"""Telling a folder of classes from others that have photos in folders, too."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from edge_runtime.errors import DataError
from edge_runtime.training_run import Split
from train.data.class_names import is_data_yaml
from train.data.sides import find_divided_classes, find_side, has_pictures
from train.data.yolo import find_yolo_folder, keeps_validation_boxes

_XML_BOX: Final = re.compile(rb"<(bndbox[\s>]|box\s)")
"""Of Pascal VOC; of CVAT."""
_JSON_LISTS: Final = ("annotations", "shapes", "regions")
"""What holds the boxes of COCO, CreateML and Label Studio; of labelme; of VIA."""
_JSON_BOX: Final = frozenset({"bbox", "coordinates", "result", "points", "shape_attributes"})
"""What each box has one of, in the order of these tools."""
_COCO_LISTS: Final = ("images", "annotations", "categories")


def refuse_other_layouts(data: Path, folders: Sequence[Path]) -> None:
    """Refuse a folder whose photos have boxes beside them, or whose folders are those of a split, not of classes.

    Args:
        data: The folder.
        folders: Its sub-folders, each of which would be a class.

    Raises:
        DataError: It is such a folder.
    """
    if (path := _find_boxes(data, folders)) is not None:
        raise DataError(f"{data} holds boxes, not photos with one label each: {_tell_boxes(path)}.")
    sides = {find_side(folder.name) for folder in folders}
    if len(sides) > 1 and None not in sides:
        names = ", ".join(folder.name for folder in folders)
        raise DataError(
            f"{data} has no folders of classes, but those of a split ({names}); put the photos of each into a folder "
            "per class, or list them with their labels in a CSV file."
        )


def keeps_validation(data: Path) -> bool:
    """Tell whether data lie divided, with photos to validate on among them."""
    folder = find_yolo_folder(data) if is_data_yaml(data) else data
    if folder is None or not folder.is_dir():
        return False
    return keeps_validation_boxes(folder) or Split.VALIDATION in find_divided_classes(folder).values()


def _find_boxes(data: Path, folders: Sequence[Path]) -> Path | None:
    """Return a file of boxes that lies beside photos or, where there are no two classes, anywhere in the folder."""
    pictured = [folder for folder in folders if has_pictures(folder)]
    searched = pictured if len(pictured) > 1 else [data, *folders]
    return next((path for folder in searched for path in sorted(folder.iterdir()) if _tells_of_boxes(path)), None)


def _tells_of_boxes(path: Path) -> bool:
    tells = _TELLS.get(path.suffix.lower())
    if tells is None or path.name.startswith(".") or not path.is_file():
        return False
    return tells(path.read_bytes())


def _tells_in_json(content: bytes) -> bool:
    objects = _list_objects(content)
    return any(map(_is_coco, objects)) or any(_holds_boxes(each.get(name)) for each in objects for name in _JSON_LISTS)


def _list_objects(content: bytes) -> list[dict[str, Any]]:
    """Return all objects of a JSON file, however deep."""
    objects: list[dict[str, Any]] = []

    def note(each: dict[str, Any]) -> dict[str, Any]:
        objects.append(each)
        return each

    try:
        json.loads(content, object_hook=note)
    except (ValueError, RecursionError):
        return []
    return objects


def _is_coco(content: Mapping[str, Any]) -> bool:
    return all(isinstance(content.get(name), list) for name in _COCO_LISTS)


def _holds_boxes(value: Any) -> bool:
    """Tell whether a value is a list of boxes; VIA also numbers them."""
    boxes = list(value.values()) if isinstance(value, dict) else value
    return isinstance(boxes, list) and any(isinstance(box, dict) and not _JSON_BOX.isdisjoint(box) for box in boxes)


def _tells_in_xml(content: bytes) -> bool:
    return _XML_BOX.search(content) is not None


def _tells_in_txt(content: bytes) -> bool:
    """Tell whether each line is YOLO's: a class, then shares of the photo, more than four where it is an outline."""
    lines = [line for line in content.removeprefix(b"\xef\xbb\xbf").splitlines() if line.strip()]
    return bool(lines) and all(map(_is_yolo, lines))


def _is_yolo(line: bytes) -> bool:
    number, *shares = line.split()
    try:
        return number.isdigit() and len(shares) >= 4 and all(0 <= float(share) <= 1 for share in shares)
    except ValueError:
        return False


_TELLS: Final[Mapping[str, Callable[[bytes], bool]]] = {
    ".json": _tells_in_json,
    ".xml": _tells_in_xml,
    ".txt": _tells_in_txt,
}
"""Whether a file holds boxes, by its suffix."""


def _tell_boxes(path: Path) -> str:
    """Return what to do with a file of boxes, in words."""
    if path.suffix.lower() == ".json" and any(map(_is_coco, _list_objects(path.read_bytes()))):
        return f"{path} is a COCO file; give that to edge-train detect, or to edge-train crops to cut its boxes out"
    return (
        f"annotations lie beside the photos, the first {path}; edge-train detect and edge-train crops take a COCO "
        "file, or the folders of YOLO (images, labels) or Pascal VOC (JPEGImages, Annotations). Move the annotations "
        "away where each folder is a class"
    )
