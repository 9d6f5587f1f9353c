"""Telling why a photo that a table names is not there."""

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Final
from unicodedata import normalize

from edge_runtime.addresses import is_address
from edge_runtime.pictures import PICTURE_SUFFIXES, UNREAD_PHOTO_SUFFIXES

_OF_LABEL_STUDIO: Final = ("/data/upload/", "/data/local-files/")


def is_there(photo: Path) -> bool:
    """Tell whether a photo is there; a web address may be longer than any file's name."""
    try:
        return photo.is_file()
    except OSError:
        return False


def advise(images: Path, image: str) -> str:
    """Return what to do about a photo that is not there, given the folder that its path starts from, and its path."""
    if image.startswith(_OF_LABEL_STUDIO) or (is_address(image) and _OF_LABEL_STUDIO[1] in image):
        return (
            "that is how Label Studio names it; cut off all before the name that the photo has on this computer (see "
            "docs/data.md, Labels from other tools)"
        )
    if is_address(image):
        return "that is an address, not a path; download the photos, and write where they lie"
    if PureWindowsPath(image).anchor:
        return "this computer has no such file; write paths that start from that folder, or from one of --images"
    path = PurePosixPath(image)
    found = _find_alike(images, path.parts)
    if found is None:
        return "name their folder with --images"
    if found.suffix.lower() in UNREAD_PHOTO_SUFFIXES:
        return f"the file there is {found.name}, of a kind that is not read; save it as JPEG, and name that"
    there = found.relative_to(images).as_posix()
    return f"the file there is {there}: {_tell_difference(path.as_posix(), there)}"


def _find_alike(folder: Path, parts: Sequence[str]) -> Path | None:
    """Return a file whose path differs in letter case, in Unicode form, or by its suffix alone."""
    if not parts:
        return folder if folder.is_file() else None
    name = _fold(parts[0])
    inside = sorted(folder.iterdir()) if folder.is_dir() and os.access(folder, os.R_OK | os.X_OK) else []
    alike = [path for path in inside if _fold(path.name) == name]
    if len(parts) == 1:
        stems = {name, _fold(PurePosixPath(parts[0]).stem)}
        alike += [path for path in inside if _fold(path.stem) in stems and _is_picture(path)]
    return next((found for path in alike if (found := _find_alike(path, parts[1:]))), None)


def _fold(name: str) -> str:
    return normalize("NFC", normalize("NFC", name).casefold())


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in PICTURE_SUFFIXES | UNREAD_PHOTO_SUFFIXES


def _tell_difference(image: str, there: str) -> str:
    if _fold(image) != _fold(there):
        return "write its suffix into the table"
    if normalize("NFC", image) == normalize("NFC", there):
        return "its letters are in another Unicode form, as macOS writes them; rename the files as the table has them"
    return "letter case counts; write it into the table as the files have it"
