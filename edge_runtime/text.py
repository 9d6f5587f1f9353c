"""Text on pictures in any script, as far as the installed OpenCV can.

OpenCV 5 carries a TrueType font; OpenCV 4 has only line fonts of ASCII, where other letters become question marks.
"""

import functools
from typing import Any

import cv2

from edge_runtime.preprocess import Image

Colour = tuple[int, int, int]
"""(blue, green, red), each in [0, 255]."""

_WEIGHT = 600
_LINE_FONT = cv2.FONT_HERSHEY_SIMPLEX
# Share of the font size that capital letters are high.
_CAPITALS = 0.72


def text_width(text: str, size: int) -> int:
    """Return how many pixels wide a text of `size` pixels is."""
    if _true_type() is None:
        return int(cv2.getTextSize(text, _LINE_FONT, _line_scale(size), _line_thickness(size))[0][0])
    return int(cv2.getTextSize((0, 0), text, (0, 0), _true_type(), size, _WEIGHT)[2])


def draw_text(image: Image, text: str, left: int, middle: int, size: int, colour: Colour) -> None:
    """Draw one line of text in place.

    Args:
        image: (height, width, 3) uint8 BGR.
        text: Letters that the font lacks become question marks.
        left: Pixel column at which the text starts.
        middle: Pixel row on which its capital letters are centred.
        size: Font size in pixels.
        colour: Of the letters.
    """
    origin = (left, middle + round(size * _CAPITALS / 2))
    if _true_type() is None:
        thickness = _line_thickness(size)
        cv2.putText(image, text, origin, _LINE_FONT, _line_scale(size), colour, thickness, cv2.LINE_AA)
    else:
        cv2.putText(image, text, origin, colour, _true_type(), size, _WEIGHT)


@functools.cache
def _true_type() -> Any:
    return cv2.FontFace("sans") if hasattr(cv2, "FontFace") else None


def _line_scale(size: int) -> float:
    return cv2.getFontScaleFromHeight(_LINE_FONT, max(round(size * _CAPITALS), 1), _line_thickness(size))


def _line_thickness(size: int) -> int:
    return max(size // 12, 1)
