"""Telling a folder of classes from others that have photos in folders, too."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from edge_runtime.errors import DataError
from edge_runtime.pictures import PICTURE_SUFFIXES

_BOX_MARKS: Final[Mapping[str, re.Pattern[bytes]]] = {
    # COCO and Label Studio; labelme; VIA.
    ".json": re.compile(rb'"(annotations|shapes|regions)"'),
    # Pascal VOC; CVAT.
    ".xml": re.compile(rb"<annotations?[\s>]"),
    # YOLO.
    ".txt": re.compile(rb"\A(\xef\xbb\xbf)?\d+( [\d.e+-]+){4}"),
}
"""What files of boxes have in them, by their suffix."""
_COCO_MARKS: Final = (b'"images"', b'"annotations"', b'"categories"')
_SIDES: Final = frozenset({"train", "training", "val", "valid", "validation", "test", "testing"})
"""What tools call the folders of a split."""


def refuse_other_layouts(data: Path, folders: Sequence[Path]) -> None:
    """Refuse a folder whose photos have boxes beside them, or that is divided by a split rather than by classes.

    Args:
        data: The folder.
        folders: Its sub-folders, each of which would be a class.

    Raises:
        DataError: It is such a folder.
    """
    if (path := _find_boxes(data, folders)) is not None:
        raise DataError(f"{data} holds boxes, not photos with one label each: {_tell_boxes(path)}.")
    if folders and all(folder.name.lower() in _SIDES for folder in folders):
        raise DataError(_tell_split(data, folders))


def _find_boxes(data: Path, folders: Sequence[Path]) -> Path | None:
    """Return a file of boxes that lies beside photos or, where there are no two classes, anywhere in the folder."""
    pictured = [folder for folder in folders if _has_pictures(folder)]
    searched = pictured if len(pictured) > 1 else [data, *folders]
    return next((path for folder in searched for path in sorted(folder.iterdir()) if _tells_of_boxes(path)), None)


def _has_pictures(folder: Path) -> bool:
    return any(path.suffix.lower() in PICTURE_SUFFIXES for path in folder.iterdir())


def _tells_of_boxes(path: Path) -> bool:
    mark = _BOX_MARKS.get(path.suffix.lower())
    if mark is None or path.name.startswith(".") or not path.is_file():
        return False
    return mark.search(path.read_bytes()) is not None


def _tell_boxes(path: Path) -> str:
    """Return what to do with a file of boxes, in words."""
    content = path.read_bytes()
    if all(mark in content for mark in _COCO_MARKS):
        return f"{path} is a COCO file; give that to edge-train detect, or to edge-train crops to cut its boxes out"
    return (
        f"annotations lie beside the photos, the first {path}; edge-train detect and edge-train crops take a COCO "
        "file, or the folders of YOLO (images, labels) or Pascal VOC (JPEGImages, Annotations). Move the annotations "
        "away where each folder is a class"
    )


def _tell_split(data: Path, folders: Sequence[Path]) -> str:
    names = ", ".join(folder.name for folder in folders)
    divided = [folder for folder in folders if any(_has_pictures(each) for each in folder.iterdir() if each.is_dir())]
    if divided:
        training = max(divided, key=lambda folder: folder.name.lower().startswith("train"))
        return (
            f"{data} is divided already: the folders of the classes lie in {names}; put the photos of a class into one "
            f"folder, or give {training} alone, from which photos to measure on are held out."
        )
    return (
        f"{data} has no folders of classes, but those of a split ({names}); put the photos into a folder per class, or "
        "list them with their labels in a CSV file."
    )
