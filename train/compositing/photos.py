"""Reading the photos that garments and backgrounds are taken from."""

from pathlib import Path

from edge_runtime.errors import DataError, PictureError
from edge_runtime.pictures import read_picture
from edge_runtime.preprocess import Image
from edge_runtime.resizing import resize_to

_DETAIL = 2
"""Times the longer side of a scene: what a photo has beyond that is time and memory, and no scene shows it."""


def read_photo(path: Path, size: tuple[int, int]) -> Image:
    """Return a photo, (height, width, 3) uint8 BGR, shrunk to what a scene can show of it.

    Args:
        path: The photo.
        size: (height, width) of the scenes in pixels.

    Raises:
        DataError: It cannot be read.
    """
    image = read_whole(path)
    side = _DETAIL * max(size)
    return resize_to(image, side) if max(image.shape[:2]) > side else image


def read_whole(path: Path) -> Image:
    """Return a picture as it is, (height, width, 3) uint8 BGR.

    Raises:
        DataError: It cannot be read.
    """
    try:
        return read_picture(path)
    except PictureError as error:
        raise DataError(str(error)) from error
