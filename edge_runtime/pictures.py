"""Reading picture files, for the runtime, training and calibration alike."""

import contextlib
import math
import os
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from edge_runtime import MOST_PIXELS, OPENCV_KNOWS_MOST_PIXELS
from edge_runtime.buffers import as_bytes
from edge_runtime.errors import PictureError
from edge_runtime.jpeg import JPEG_START, has_jpeg_end, read_jpeg_size
from edge_runtime.preprocess import Image

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
UNREAD_PICTURE_SUFFIXES = frozenset({".avif", ".heic", ".heif", ".jxl", ".jp2", ".cr2", ".cr3", ".dng", ".nef", ".arw"})
"""Of pictures as phones and cameras make them, which no command reads."""
UNREAD_PHOTO_SUFFIXES = UNREAD_PICTURE_SUFFIXES | {".gif"}
"""Of what is no photo to learn from; a GIF may be a video to run on."""

_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"IEND"
_PNG_HEADER: Final = b"IHDR"
_OLD_BMP_HEADER: Final = 12
_TIFF_WIDTH: Final = 256
_TIFF_HEIGHT: Final = 257
# As libtiff, which also refuses a longer list where a BigTIFF claims one.
_MOST_TIFF_TAGS: Final = 0xFFFF


def only_pictures(paths: Iterable[Path]) -> list[Path]:
    """Return the visible files that are pictures by their suffix, sorted."""
    return _only(PICTURE_SUFFIXES, paths)


def only_unread_pictures(paths: Iterable[Path]) -> list[Path]:
    """Return the visible files that are pictures of a kind that no command reads, sorted."""
    return _only(UNREAD_PICTURE_SUFFIXES, paths)


def _only(suffixes: Set[str], paths: Iterable[Path]) -> list[Path]:
    seen = (path for path in paths if path.suffix.lower() in suffixes and not _is_hidden(path.name) and path.is_file())
    return sort_paths(seen)


def sort_paths(paths: Iterable[Path]) -> list[Path]:
    """Return paths sorted alike on all systems: Windows' compare without regard to case.

    The same photos and seed would be divided in another way there.
    """
    return sorted(paths, key=lambda path: path.parts)


def pictures_under(folder: Path) -> list[Path]:
    """Return the visible pictures in a folder and the visible folders below it, linked ones as well, sorted."""
    return only_pictures(visible_files(folder))


def visible_files(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder and those below it, also where links lead, but no hidden ones."""
    for place, folders, files in os.walk(folder, followlinks=True):
        here = Path(place)
        folders[:] = [name for name in folders if not _is_hidden(name) and not _leads_back(here / name, folder)]
        yield from (here / name for name in files if not _is_hidden(name))


def _is_hidden(name: str) -> bool:
    # Among them are macOS's `._photo.jpg`, which are no pictures, and the thumbnails of photo programs.
    return name.startswith(".")


def _leads_back(folder: Path, top: Path) -> bool:
    """Tell whether a folder is a link to one that it is in itself: following it would never end."""
    if not folder.is_symlink():
        return False
    target = folder.resolve()
    way = (parent for parent in folder.parents if parent.is_relative_to(top))
    return any(parent.resolve().is_relative_to(target) for parent in way)


def read_picture(path: str | os.PathLike[str]) -> Image:
    """Decode a picture file, turned upright by its EXIF orientation.

    Args:
        path: A file of any format OpenCV reads; 16-bit, grey and CMYK pictures come out as 8-bit colour.

    Returns:
        (height, width, 3) uint8 BGR in [0, 255].

    Raises:
        PictureError: The file cannot be read, is no picture, ends too early, or claims more than 134 million pixels.
    """
    try:
        encoded = Path(path).read_bytes()
    except OSError as error:
        raise PictureError(f"{path} cannot be read ({error.strerror}); check the path and its permissions.") from error
    return _decode(str(path), encoded)


def decode_picture(encoded: bytes | bytearray | memoryview) -> Image:
    """Decode what a picture file holds, for example an upload, as `read_picture` does with a file.

    Args:
        encoded: Of any format OpenCV reads.

    Returns:
        (height, width, 3) uint8 BGR in [0, 255].

    Raises:
        PictureError: It is no picture, ends too early, or claims more than 134 million pixels.
        TypeError: It is no bytes.
    """
    advice = ".read() gives them of an open file, and base64.b64decode of such a text"
    return _decode("This file", as_bytes(encoded, "a picture", advice))


def _decode(name: str, encoded: bytes) -> Image:
    if not encoded:
        raise PictureError(f"{name} is empty; copy the picture again.")
    if _is_truncated(encoded):
        raise PictureError(f"{name} is truncated; copy the picture again.")
    if not OPENCV_KNOWS_MOST_PIXELS:
        _check_size(name, encoded)
    try:
        image = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        if "CV_IO_MAX_IMAGE" in error.err:
            raise _too_large(name) from error
        raise PictureError(f"{name} cannot be decoded ({error.err}); save it again as JPEG or PNG.") from error
    if image is None:
        raise PictureError(f"{name} is not a picture OpenCV can read; save it again as JPEG or PNG.")
    return np.asarray(image, np.uint8)


def _too_large(name: str) -> PictureError:
    return PictureError(f"{name} claims to be larger than any photo; save it with fewer pixels.")


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


def _check_size(name: str, encoded: bytes) -> None:
    """Hold a picture to the limit of pixels in OpenCV's place."""
    size = _claimed_size(encoded)
    if size is None:
        raise PictureError(
            f"{name} is not a picture whose size can be checked; save it again as JPEG or PNG, or import edge_runtime "
            "before cv2."
        )
    if math.prod(size) > MOST_PIXELS:
        raise _too_large(name)


def _claimed_size(encoded: bytes) -> tuple[int, int] | None:
    """Return the height and width in pixels that a header claims, None where it is damaged or of no known kind."""
    for start, read in _SIZE_READERS.items():
        if encoded.startswith(start):
            with contextlib.suppress(struct.error, OverflowError, KeyError):
                return read(encoded)
    return None


def _png_size(encoded: bytes) -> tuple[int, int] | None:
    return _size_at(16, ">II", encoded) if encoded[12:16] == _PNG_HEADER else None


def _size_at(position: int, packing: str, encoded: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from(packing, encoded, position)
    return height, width


def _bmp_size(encoded: bytes) -> tuple[int, int]:
    (header_bytes,) = struct.unpack_from("<I", encoded, 14)
    # The height is negative where the rows come from the top.
    height, width = _size_at(18, "<HH" if header_bytes == _OLD_BMP_HEADER else "<ii", encoded)
    return abs(height), abs(width)


def _webp_size(encoded: bytes) -> tuple[int, int] | None:
    """Read a WebP's size from its first chunk. Source: RFC 9649, 2.5 to 2.7."""
    match encoded[8:16]:
        case b"WEBPVP8 ":
            height, width = _size_at(26, "<HH", encoded)
            return height & 0x3FFF, width & 0x3FFF
        case b"WEBPVP8L":
            (bits,) = struct.unpack_from("<I", encoded, 21)
            return (bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1
        case b"WEBPVP8X":
            return int.from_bytes(encoded[27:30], "little") + 1, int.from_bytes(encoded[24:27], "little") + 1
    return None


@dataclass(frozen=True, slots=True)
class _TiffLayout:
    """Where a kind of TIFF has what.

    Attributes:
        start: Of the position of the first list of tags, packed as `offset`.
        offset: How positions in the file are packed.
        count: How the number of tags is packed.
        tag_bytes: Of a tag in the list.
        value: Of a tag's value in it.
        numbers: How the types are packed that a width or height may have.
    """

    start: int
    offset: str
    count: str
    tag_bytes: int
    value: int
    numbers: Mapping[int, str]


_TIFF: Final = _TiffLayout(start=4, offset="I", count="H", tag_bytes=12, value=8, numbers={3: "H", 4: "I"})
_BIG_TIFF: Final = _TiffLayout(
    start=8, offset="Q", count="Q", tag_bytes=20, value=12, numbers={3: "H", 4: "I", 16: "Q"}
)


def _tiff_size(layout: _TiffLayout, encoded: bytes) -> tuple[int, int]:
    """Read the size of a TIFF's first picture from its list of tags.

    Sources: TIFF 6.0, section 2; BigTIFF, https://libtiff.gitlab.io/libtiff/specification/bigtiff.html.
    """
    order = "<" if encoded.startswith(b"II") else ">"
    (start,) = struct.unpack_from(order + layout.offset, encoded, layout.start)
    (tags,) = struct.unpack_from(order + layout.count, encoded, start)
    first = start + struct.calcsize(order + layout.count)
    size: dict[int, int] = {}
    for index in range(min(tags, _MOST_TIFF_TAGS)):
        position = first + layout.tag_bytes * index
        tag, kind = struct.unpack_from(f"{order}HH", encoded, position)
        if tag in (_TIFF_WIDTH, _TIFF_HEIGHT):
            (number,) = struct.unpack_from(order + layout.numbers[kind], encoded, position + layout.value)
            # Of several, the largest: nobody says which one counts.
            size[tag] = max(number, size.get(tag, 0))
    return size[_TIFF_HEIGHT], size[_TIFF_WIDTH]


_SIZE_READERS: Final[dict[bytes, Callable[[bytes], tuple[int, int] | None]]] = {
    JPEG_START: read_jpeg_size,
    _PNG_START: _png_size,
    b"RIFF": _webp_size,
    b"BM": _bmp_size,
    b"II*\0": partial(_tiff_size, _TIFF),
    b"MM\0*": partial(_tiff_size, _TIFF),
    b"II+\0": partial(_tiff_size, _BIG_TIFF),
    b"MM\0+": partial(_tiff_size, _BIG_TIFF),
}
"""By how a file begins."""
