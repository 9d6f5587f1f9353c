"""The photos to which two stages give different answers, with pictures."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from convert.parity.report import BoxDisagreement, LabelDisagreement, Measurement
from edge_runtime import pages
from edge_runtime.annotate import draw_box
from edge_runtime.errors import PictureError
from edge_runtime.pages import Html
from edge_runtime.pictures import read_picture
from edge_runtime.preprocess import Image
from edge_runtime.resizing import resize_to
from edge_runtime.results import Detection
from edge_runtime.text import Colour

_MOST: Final = 24
_BOX_SIDE: Final = 420
_SHARED: Final[Colour] = (120, 120, 120)
_FIRST: Final[Colour] = (178, 114, 0)
_LAST: Final[Colour] = (0, 94, 213)


def show_disagreements(measurement: Measurement, images: Path) -> Iterator[Html]:
    """Yield what stands in the gallery's section.

    Args:
        measurement: With the photos to show.
        images: The folder that their paths start from.
    """
    found = measurement.disagreements
    if not found:
        yield pages.paragraph("There is none: both give the same answer to every photo.")
        return
    boxes = isinstance(found[0], BoxDisagreement)
    order = "most boxes differ" if boxes else "Keras was surest"
    shown = f"; the {_MOST} shown are those where {order}" if len(found) > _MOST else f", first where {order}"
    yield pages.paragraph(f"{len(found)} of {measurement.photos} photos{shown}.")
    if boxes:
        yield pages.paragraph("Blue: only Keras has the box. Orange: only the file has it. Grey: both have it.", "note")
    yield pages.gallery((_card(each, images) for each in found[:_MOST]), large=boxes)


def _card(each: LabelDisagreement | BoxDisagreement, images: Path) -> Html:
    frame = _read(images / each.image)
    if isinstance(each, LabelDisagreement):
        picture = None if frame is None else pages.embed_picture(frame)
        return pages.card(
            picture,
            f"Keras: {each.first.label} {each.first.score:.0%}{_mark(each.first.label, each.true)}",
            f"file: {each.last.label} {each.last.score:.0%}{_mark(each.last.label, each.true)}",
            f"true: {each.true}",
            each.image,
        )
    picture = None if frame is None else pages.embed_picture(_draw(frame, each), _BOX_SIDE)
    counts = f"{len(each.shared)} in both, {len(each.first_only)} only Keras, {len(each.last_only)} only the file"
    return pages.card(picture, counts, each.image)


def _mark(label: str, true: str) -> str:
    return " (right)" if label == true else ""


def _read(path: Path) -> Image | None:
    try:
        return read_picture(path)
    except PictureError:
        return None


def _draw(image: Image, each: BoxDisagreement) -> Image:
    """Return the photo with the boxes of both stages, its longer side as long as it is shown."""
    scale = _BOX_SIDE / max(image.shape[:2])
    shown = resize_to(image, _BOX_SIDE)
    for boxes, colour in ((each.shared, _SHARED), (each.first_only, _FIRST), (each.last_only, _LAST)):
        for box in boxes:
            draw_box(shown, _scaled(box, scale), f"{box.label} {box.score:.0%}", colour)
    return shown


def _scaled(box: Detection, scale: float) -> tuple[float, float, float, float]:
    left, upper, right, lower = (scale * edge for edge in box.box)
    return left, upper, right, lower
