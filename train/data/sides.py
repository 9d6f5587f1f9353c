"""Data sets that lie divided: in folders that are named after the sides of a split."""

import string
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from edge_runtime.pictures import PICTURE_SUFFIXES
from edge_runtime.training_run import Split

_SIDES: Final[Mapping[str, Split]] = {
    "train": Split.TRAIN,
    "training": Split.TRAIN,
    "dev": Split.VALIDATION,
    "val": Split.VALIDATION,
    "valid": Split.VALIDATION,
    "validation": Split.VALIDATION,
    "test": Split.TEST,
    "testing": Split.TEST,
}
"""What tools call the folders of a split, some with a year behind."""
_OF_ZIP: Final = "__MACOSX"
"""What macOS puts into archives, and other systems take for a folder of the data."""


def find_side(*names: str) -> Split | None:
    """Return what photos serve for by the first of these names of folders that is that of a side, if one is."""
    sides = (_SIDES.get(name.lower().rstrip(string.digits)) for name in names)
    return next((side for side in sides if side is not None), None)


def find_divided_classes(data: Path) -> dict[Path, Split | None]:
    """Return the folders that hold the folders of the classes, where some are named after sides, else nothing.

    Where pictures lie straight in folders of other names, these are the classes, and `test` may be one of them. The
    photos of other folders that have folders of classes serve for nothing that is known.
    """
    folders = list_folders(data)
    if any(has_pictures(folder) for folder in folders if find_side(folder.name) is None):
        return {}
    holding = [folder for folder in folders if any(map(has_pictures, list_folders(folder)))]
    sides = {folder: find_side(folder.name) for folder in holding}
    return sides if any(sides.values()) else {}


def list_folders(data: Path) -> list[Path]:
    """Return the folders of a folder that are for people to see, sorted."""
    folders = (path for path in data.iterdir() if path.is_dir())
    return sorted(path for path in folders if not path.name.startswith(".") and path.name != _OF_ZIP)


def has_pictures(folder: Path) -> bool:
    """Tell whether visible pictures of a format that is read lie straight in a folder."""
    return any(path.suffix.lower() in PICTURE_SUFFIXES and path.name[0] != "." for path in folder.iterdir())
