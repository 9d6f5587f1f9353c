"""Walking through the segments of a JPEG without decoding it."""

import re
import struct
from collections.abc import Iterator
from typing import Final

JPEG_START: Final = b"\xff\xd8"
_END: Final = 0xD9
# Within the data of a scan, 0xFF begins a marker only when neither 0 nor a restart marker follows; 1 is a marker
# without a length, behind which libjpeg reads on.
_MARKER: Final = re.compile(rb"\xff[^\x00\x01\xff\xd0-\xd7]")
# All but those of tables and arithmetic coding that stand between them.
_FRAME_HEADERS: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def has_jpeg_end(encoded: bytes) -> bool:
    """Tell whether a JPEG has its end mark; thumbnails in it and data behind it have marks of their own."""
    return any(kind == _END for kind, _ in _segments(encoded))


def read_jpeg_size(encoded: bytes | memoryview) -> tuple[int, int] | None:
    """Return the height and width in pixels that a JPEG claims, None where it is damaged before it says so.

    Source: ITU-T T.81, B.1.1 and B.2.2.
    """
    for kind, position in _segments(encoded):
        if kind in _FRAME_HEADERS and position + 7 <= len(encoded):
            height, width = struct.unpack_from(">HH", encoded, position + 3)
            return height, width
    return None


def _segments(encoded: bytes | memoryview) -> Iterator[tuple[int, int]]:
    """Yield the kind of each segment and where its length stands."""
    position = len(JPEG_START)
    while marker := _MARKER.search(encoded, position):
        yield marker[0][1], marker.end()
        position = marker.end() + int.from_bytes(encoded[marker.end() : marker.end() + 2], "big")
