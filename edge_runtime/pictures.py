"""Reading picture files, for the runtime, training and calibration alike."""

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from edge_runtime.errors import PictureError
from edge_runtime.jpeg import JPEG_START, has_jpeg_end
from edge_runtime.preprocess import Image

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
UNREAD_PICTURE_SUFFIXES = frozenset({".avif", ".heic", ".heif", ".jxl", ".jp2", ".cr2", ".cr3", ".dng", ".nef", ".arw"})
"""Of pictures as phones and cameras make them, which no command reads."""

_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"IEND"


def only_pictures(paths: Iterable[Path]) -> list[Path]:
    """Return the visible files that are pictures by their suffix, sorted."""
    return sorted(
        path
        for path in paths
        if path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".") and path.is_file()
    )


def pictures_under(folder: Path) -> list[Path]:
    """Return the visible pictures in a folder and the visible folders below it, sorted."""
    visible = (path for path in folder.rglob("*") if not _is_hidden(path.relative_to(folder)))
    return only_pictures(visible)


def _is_hidden(path: Path) -> bool:
    # Among them are macOS's `._photo.jpg`, which are no pictures, and the thumbnails of photo programs.
    return any(part.startswith(".") for part in path.parts)


def read_picture(path: Path) -> Image:
    """Decode a picture file, turned upright by its EXIF orientation.

    Args:
        path: A file of any format OpenCV reads; 16-bit, grey and CMYK pictures come out as 8-bit colour.

    Returns:
        (height, width, 3) uint8 BGR in [0, 255].

    Raises:
        PictureError: The file cannot be read, is no picture, or ends too early.
    """
    try:
        encoded = path.read_bytes()
    except OSError as error:
        raise PictureError(f"{path} cannot be read ({error.strerror}); check the path and its permissions.") from error
    if not encoded:
        raise PictureError(f"{path} is empty; copy the picture again.")
    if _is_truncated(encoded):
        raise PictureError(f"{path} is truncated; copy the picture again.")
    return _decode(path, encoded)


def _decode(path: Path, encoded: bytes) -> Image:
    try:
        image = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        if "CV_IO_MAX_IMAGE" in error.err:
            raise PictureError(f"{path} claims to be larger than any photo; save it with fewer pixels.") from error
        raise PictureError(f"{path} cannot be decoded ({error.err}); save it again as JPEG or PNG.") from error
    if image is None:
        raise PictureError(f"{path} is not a picture OpenCV can read; save it again as JPEG or PNG.")
    return np.asarray(image, np.uint8)


def _is_truncated(encoded: bytes) -> bool:
    """Tell whether a JPEG or PNG lacks its end, which OpenCV would fill with grey without a word."""
    if encoded.startswith(JPEG_START):
        return not has_jpeg_end(encoded)
    if encoded.startswith(_PNG_START):
        return not _has_png_end(encoded)
    return False


def _has_png_end(encoded: bytes) -> bool:
    """Walk the chunks of a PNG to its end mark; OpenCV would allocate gigabytes for a chunk that claims them."""
    position = len(_PNG_START)
    while position + 8 <= len(encoded):
        if encoded[position + 4 : position + 8] == _PNG_END:
            return True
        # Around its data, a chunk has its length, its type and a checksum, four bytes each.
        position += 12 + int.from_bytes(encoded[position : position + 4], "big")
    return False
