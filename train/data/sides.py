"""Data sets that lie divided: in folders that are named after the sides of a split."""

import string
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from edge_runtime.pictures import PICTURE_SUFFIXES
from edge_runtime.training_run import Split

_SIDES: Final[Mapping[str, Split]] = {
    "train": Split.TRAIN,
    "training": Split.TRAIN,
    "val": Split.VALIDATION,
    "valid": Split.VALIDATION,
    "validation": Split.VALIDATION,
    "test": Split.TEST,
    "testing": Split.TEST,
}
"""What tools call the folders of a split, some with a year behind."""


def match_sides(folders: Iterable[Path]) -> dict[Path, Split]:
    """Return what each folder's photos serve for, or nothing where one of them is not named after a side."""
    sides = {folder: _SIDES.get(folder.name.lower().rstrip(string.digits)) for folder in folders}
    return {folder: side for folder, side in sides.items() if side} if all(sides.values()) else {}


def find_divided_classes(data: Path) -> dict[Path, Split]:
    """Return the sides of a folder that is divided first and has the folders of the classes in each side.

    Folders named after sides that have no folder with pictures are no division: each may be a class.
    """
    sides = match_sides(list_folders(data))
    return sides if any(has_pictures(each) for side in sides for each in list_folders(side)) else {}


def find_divided_boxes(data: Path, roots: Sequence[Path]) -> dict[Path, Split]:
    """Return the sides of a YOLO folder: `train/images`, or `images/train`.

    Args:
        data: The folder.
        roots: Those of it and in it that have `images` and `labels`.
    """
    if data not in roots:
        return match_sides(roots)
    images = data / "images"
    return match_sides(list_folders(images)) if len(roots) == 1 and not has_pictures(images) else {}


def list_folders(data: Path) -> list[Path]:
    """Return the visible folders of a folder, sorted."""
    return sorted(path for path in data.iterdir() if path.is_dir() and not path.name.startswith("."))


def has_pictures(folder: Path) -> bool:
    """Tell whether pictures of a format that is read lie straight in a folder."""
    return any(path.suffix.lower() in PICTURE_SUFFIXES for path in folder.iterdir())
