"""Results drawn onto pictures."""

from collections.abc import Sequence

import cv2
import numpy as np

from edge_runtime.boxes import Box, iou
from edge_runtime.preprocess import Image
from edge_runtime.results import Classification, Detection, FrameResult
from edge_runtime.text import Colour, draw_text, text_width

_INK: Colour = (255, 255, 255)
_ACCENT: Colour = (150, 110, 0)
_PANEL: Colour = (28, 24, 22)
_PANEL_OPACITY = 0.72
_BAR_OPACITY = 0.92

# Shares of the picture's shorter side, and of the font size.
_FONT_SHARE = 0.042
_LINE_HEIGHT = 1.75
_PADDING = 0.6
_COLUMN_GAP = 1.2
_SMALLEST_FONT = 6
_SMALLEST_READABLE_FONT = 12


def annotate(image: Image, result: FrameResult) -> Image:
    """Return a copy of a picture with its labels, score bars and, from a detector, boxes.

    Args:
        image: (height, width, 3) uint8 BGR, the frame that was answered; left as it is.
        result: The answer.

    Returns:
        (height, width, 3) uint8 BGR.
    """
    copy = image.copy()
    for detection in result.detections or ():
        _draw_frame(copy, detection.box, _ACCENT)
    taken: list[Box] = []
    for detection in result.detections or ():
        taken.append(_draw_tag(copy, detection.box, _tag(detection), _ACCENT, taken))
    if result.classifications:
        _draw_panel(copy, result.classifications)
    return copy


def _draw_panel(image: Image, classifications: Sequence[Classification]) -> None:
    """Draw one row per label into the top left corner; each row's bar is as long as its score."""
    size = _panel_font(image, classifications)
    width, row_height = _panel_width(classifications, size), round(size * _LINE_HEIGHT)
    padding = round(size * _PADDING)
    margin = _margin(image, size, width, row_height * len(classifications))
    for row, classification in enumerate(classifications):
        top = margin + row * row_height
        _fill(image, margin, top, width, row_height, _PANEL, _PANEL_OPACITY)
        _fill(image, margin, top, round(width * classification.score), row_height, _ACCENT, _BAR_OPACITY)
        middle, percent = top + row_height // 2, _percent(classification.score)
        draw_text(image, classification.label, margin + padding, middle, size, _INK)
        draw_text(image, percent, margin + width - padding - text_width(percent, size), middle, size, _INK)


def draw_box(image: Image, box: Box, text: str, colour: Colour = _ACCENT) -> None:
    """Draw a box and its text into a picture, in place.

    Args:
        image: (height, width, 3) uint8 BGR.
        box: (x_min, y_min, x_max, y_max) in pixels.
        text: Shown above the box.
        colour: Of the box; its text is white.
    """
    _draw_frame(image, box, colour)
    _draw_tag(image, box, text, colour, ())


def _draw_frame(image: Image, box: Box, colour: Colour) -> None:
    left, top, right, bottom = (round(edge) for edge in box)
    size = _font(image)
    cv2.rectangle(image, (left, top), (right, bottom), _INK, max(size // 4, 4))
    cv2.rectangle(image, (left, top), (right, bottom), colour, max(size // 8, 2))


def _draw_tag(image: Image, box: Box, text: str, colour: Colour, taken: Sequence[Box]) -> Box:
    """Draw a text where it hides no other; return its place.

    It sits on its box, and moves inside where the picture ends, and down by lines where another text is.
    """
    size = _font(image)
    padding, height = round(size * _PADDING), round(size * _LINE_HEIGHT)
    width = text_width(text, size) + 2 * padding
    left = max(min(round(box[0]), image.shape[1] - width), 0)
    highest = max(round(box[1]) - height, 0)
    tops = range(highest, max(image.shape[0] - height, highest) + 1, height)
    free = (top for top in tops if not any(iou((left, top, left + width, top + height), other) for other in taken))
    top = next(free, highest)
    _fill(image, left, top, width, height, colour, _BAR_OPACITY)
    draw_text(image, text, left + padding, top + height // 2, size, _INK)
    return left, top, left + width, top + height


def _tag(detection: Detection) -> str:
    text = f"{detection.label} {_percent(detection.score)}"
    for best in (detection.classifications or ())[:1]:
        text += f" / {best.label} {_percent(best.score)}"
    return text


def _font(image: Image) -> int:
    shorter_side: int = min(image.shape[:2])
    return max(round(shorter_side * _FONT_SHARE), _SMALLEST_READABLE_FONT)


def _panel_font(image: Image, classifications: Sequence[Classification]) -> int:
    """Return a font size at which the panel fits, down to the smallest that can be drawn."""
    height, width = image.shape[:2]
    size = _font(image)
    fit = min(width / _panel_width(classifications, size), height / (size * _LINE_HEIGHT * len(classifications)), 1.0)
    return max(int(size * fit), _SMALLEST_FONT)


def _panel_width(classifications: Sequence[Classification], size: int) -> int:
    labels = max(text_width(classification.label, size) for classification in classifications)
    percents = max(text_width(_percent(classification.score), size) for classification in classifications)
    return labels + percents + round(size * (2 * _PADDING + _COLUMN_GAP))


def _margin(image: Image, size: int, width: int, height: int) -> int:
    room_across: int = image.shape[1] - width
    room_down: int = image.shape[0] - height
    return max(min(round(size * _PADDING), room_across, room_down), 0)


def _percent(score: float) -> str:
    return f"{score:.0%}"


def _fill(image: Image, left: int, top: int, width: int, height: int, colour: Colour, opacity: float) -> None:
    area = image[top : top + height, left : left + width]
    if area.size:
        area[:] = cv2.addWeighted(area, 1.0 - opacity, np.full_like(area, colour), opacity, 0.0)
