"""Data sets that lie divided: in folders that are named after the sides of a split."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from edge_runtime.pictures import PICTURE_SUFFIXES, sort_paths
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
"""What tools call the folders of a split, some with a year or a number behind."""
_NUMBER: Final = re.compile(r"\d+$")
_OF_ZIP: Final = "__MACOSX"
"""What macOS puts into archives, and other systems take for a folder of the data."""


def find_side(*names: str) -> Split | None:
    """Return what photos serve for by the first of these names of folders that is that of a side, if one is."""
    sides = (_SIDES.get(_NUMBER.sub("", name.lower())) for name in names)
    return next((side for side in sides if side is not None), None)


def lie_divided(sides: Iterable[Split | None]) -> bool:
    """Tell whether photos of these sides lie divided: some are not to be learnt from, or of some it is not known."""
    found = set(sides)
    return len(found) > 1 or bool(found - {None, Split.TRAIN})


def find_divided_classes(data: Path) -> dict[Path, Split | None]:
    """Return the folders that hold the folders of the classes, where some are named after sides, else nothing.

    Where pictures lie straight in folders of other names, and no two sides have folders of classes, these are the
    classes, and `test` may be one of them. The photos of other folders that have folders of classes serve for nothing
    that is known.
    """
    folders = list_folders(data)
    if not any(find_side(folder.name) for folder in folders):
        return {}
    holding = [folder for folder in folders if any(map(has_pictures, list_folders(folder)))]
    sides = {folder: find_side(folder.name) for folder in holding}
    named = set(sides.values()) - {None}
    others = any(has_pictures(folder) for folder in folders if find_side(folder.name) is None)
    return sides if len(named) > 1 or (named and not others) else {}


def list_folders(data: Path) -> list[Path]:
    """Return the folders of a folder that are for people to see, sorted."""
    folders = (path for path in data.iterdir() if path.is_dir())
    return sort_paths(path for path in folders if not path.name.startswith(".") and path.name != _OF_ZIP)


def has_pictures(folder: Path) -> bool:
    """Tell whether visible pictures of a format that is read lie straight in a folder."""
    return any(path.suffix.lower() in PICTURE_SUFFIXES and path.name[0] != "." for path in folder.iterdir())
