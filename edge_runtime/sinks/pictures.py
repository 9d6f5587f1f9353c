"""Annotated pictures as files."""

import re
from pathlib import Path
from typing import Self

import cv2

from edge_runtime.annotate import annotate
from edge_runtime.errors import OutputError
from edge_runtime.files import explaining, shortened, write_bytes
from edge_runtime.frame import Frame
from edge_runtime.pictures import PICTURE_SUFFIXES
from edge_runtime.preprocess import Image
from edge_runtime.results import FrameResult
from edge_runtime.sinks.sink import Sink

_LONGEST_NAME = 80
_LONGEST_STEM_BYTES = 150


class PictureFileSink(Sink):
    """One annotated picture under a given name, which is replaced."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Write the picture.

        Raises:
            OutputError: It cannot be written, or would replace the picture it is made from.
        """
        refuse_source(self.path, frame.source)
        write_bytes(self.path, encode_picture(annotate(frame.image, result), self.path.suffix), durable=False)


class FolderSink(Sink):
    """Writes into a folder, which is made when it is not there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers: dict[Path, int] = {}

    def __enter__(self) -> Self:
        make_folder(self.folder)
        return self

    def free_path(self, name: str) -> Path:
        """Return the path of a file in the folder, or the first of `name-2`, `name-3` and so on that is free.

        Raises:
            OutputError: The folder may not be entered.
        """
        path = free = self.folder / name
        with explaining(path):
            # Of shops whose folders all hold a `1.jpg`, thousands have one name: none is counted through twice.
            number = self._numbers.get(path, 1)
            if number > 1:
                free = _numbered(path, number)
            while free.exists():
                number += 1
                free = _numbered(path, number)
        if number > 1:
            # A camera's frames have names of their own, and come for ever.
            self._numbers[path] = number
        return free


class PictureFolderSink(FolderSink):
    """One annotated picture per frame, named after its source; files that are there already are kept."""

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Write one picture.

        Raises:
            OutputError: It cannot be written, or would lie among the pictures it is made from.
        """
        refuse_own_folder(self.folder, frame.source, "--save")
        path = self.free_path(picture_name(frame))
        # Its source is still there, or was a stream, which is not to wait for the disk.
        write_bytes(path, encode_picture(annotate(frame.image, result), path.suffix), durable=False)


def encode_picture(image: Image, suffix: str) -> bytes:
    """Encode a picture in memory, where OpenCV at least says why it fails.

    Args:
        image: (height, width, 3) uint8 BGR.
        suffix: Names the format, for example `.jpg`.

    Raises:
        OutputError: The format cannot hold the picture.
    """
    try:
        done, encoded = cv2.imencode(suffix.lower(), image)
    except cv2.error as error:
        raise OutputError(f"The picture cannot be written as {suffix} ({error.err}); choose another suffix.") from error
    if not done:
        raise OutputError(f"The picture cannot be written as {suffix}; choose another suffix, for example .png.")
    return encoded.tobytes()


def make_folder(folder: Path) -> None:
    """Make a folder, with those above it, unless it is there.

    Raises:
        OutputError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {folder} cannot be made ({error.strerror}); choose another place.") from error


def refuse_source(path: Path, source: str) -> None:
    """Raise an `OutputError` when writing to `path` would replace the source itself, or `path` cannot be looked at."""
    with explaining(path):
        is_source = path.exists() and Path(source).exists() and path.samefile(source)
    if is_source:
        raise OutputError(f"{path} is the source itself; choose another name for --save.")


def refuse_own_folder(folder: Path, source: str, option: str) -> None:
    """Raise an `OutputError` where pictures that are written would be taken for photos the next time."""
    path = Path(source)
    with explaining(folder):
        is_own = path.suffix.lower() in PICTURE_SUFFIXES and path.is_file() and path.parent.samefile(folder)
    if is_own:
        raise OutputError(f"{folder} is the folder that {path.name} lies in; choose another one for {option}.")


def picture_name(frame: Frame) -> str:
    """Return a file name without folders: a picture's own, or the source and the frame's index."""
    path = Path(frame.source)
    if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file():
        return path.name
    if frame.source.startswith("demo:"):
        return f"{as_name(frame.source)}.jpg"
    # A query may hold a key, which does not belong in a file name.
    address = frame.source.partition("?")[0] if "://" in frame.source else path.stem
    return f"{as_name(address)}-{frame.index:06d}.jpg"


def as_name(text: str) -> str:
    """Return a text as part of a file name."""
    return re.sub(r"[^\w.]+", "-", text).strip("-.")[:_LONGEST_NAME]


def short_stem(path: Path) -> str:
    """Return a file's name without its suffix, shortened where something added to it might make it too long."""
    return shortened(path.stem, _LONGEST_STEM_BYTES)


def _numbered(path: Path, number: int) -> Path:
    return path.with_stem(f"{short_stem(path)}-{number}")
