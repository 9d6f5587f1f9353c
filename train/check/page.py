"""A check's findings as one HTML file with small pictures in it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from edge_runtime.annotate import draw_box
from edge_runtime.errors import PictureError
from edge_runtime.pages import Html, build_page, card, embed_picture, finding, gallery, paragraph, section, table
from edge_runtime.pictures import read_picture
from edge_runtime.preprocess import Image
from edge_runtime.resizing import resize_to
from train.check.boxes import as_photo
from train.check.findings import Finding, Kind, Report, Severity
from train.data.boxes import Box, BoxSet
from train.data.photos import Photo

_SHOWN_FINDINGS = 100
_SHOWN_PHOTOS = 12
_SHOWN_EXAMPLES = 24
_SIDE = 200
_EXAMPLE_SIDE = 320
"""Pixels of the longer side of a picture."""

_TITLES = {
    Kind.UNREADABLE: "Photos that cannot be read",
    Kind.BOX: "Boxes and photos that no training takes",
    Kind.CONFLICT: "One photo, different labels",
    Kind.LEAK: "On both sides of the split",
    Kind.CLASSES: "Classes",
    Kind.DUPLICATE: "The same file more than once",
    Kind.NEAR_DUPLICATE: "Nearly the same picture more than once",
    Kind.ACROSS_GROUPS: "Copies in different groups",
    Kind.GROUP_NAMES: "Groups that may be one",
    Kind.LABEL: "Suspicious labels",
    Kind.NO_BOX: "Photos without a box",
    Kind.REPEATED_BOX: "Boxes in the same place",
    Kind.TINY_BOX: "Boxes too small to be seen",
    Kind.SIZE: "Odd sizes",
    Kind.MODE: "Odd colour modes",
    Kind.LEFT_OUT: "Files left out",
}


def render_page(report: Report, examples: BoxSet | None = None) -> str:
    """Return the page; it needs nothing but itself. Of a data set of boxes, some photos are shown as examples."""
    counts = ", ".join(f"{severity.value}s: {report.count(severity)}" for severity in Severity)
    lead = f"{report.extent}; {counts}."
    overview = section(
        "Classes", *(paragraph(sentence, "alert") for sentence in report.skipped), _tabulate_classes(report)
    )
    found = (each for kind in Kind for each in _of(report, kind))
    return build_page(f"Check of {report.data}", lead, overview, *_show_boxes(examples), *found)


def _tabulate_classes(report: Report) -> Html:
    if report.sizes is None:
        return table(("class", "photos"), ((name, str(count)) for name, count in report.classes.items()), numbers=True)
    header = ("class", "boxes", "photos", "smallest", "median", "largest")
    rows = (
        (
            each.label,
            str(each.boxes),
            str(each.photos),
            *(f"{share:.0%}" for share in (each.smallest, each.median, each.largest)),
        )
        for each in report.sizes
    )
    note = "Sizes are square roots of a box's share of its photo: 100 % fills it, 50 % is a quarter of it."
    return Html(table(header, rows, numbers=True) + paragraph(note, "note"))


def _show_boxes(box_set: BoxSet | None) -> Iterator[Html]:
    """Show a sample of the photos with their boxes, spread evenly over the data set."""
    photos = [photo for photo in box_set.photos if photo.boxes] if box_set else []
    if box_set and photos:
        count = min(len(photos), _SHOWN_EXAMPLES)
        shown = [photos[at * len(photos) // count] for at in range(count)]
        cards = (_photo(as_photo(photo), box_set.images, photo.boxes, _EXAMPLE_SIDE) for photo in shown)
        yield section(f"Boxes of {len(shown)} photos", gallery(cards))


def _of(report: Report, kind: Kind) -> Iterator[Html]:
    findings = report.of(kind)
    if not findings:
        return
    images = Path(report.images)
    blocks = [_finding(each, images) for each in findings[:_SHOWN_FINDINGS]]
    if all(len(each.photos) == 1 for each in findings):
        blocks = [gallery(blocks)]
    more = len(findings) - _SHOWN_FINDINGS
    rest = [paragraph(f"and {more} more; check.json has them all.")] if more > 0 else []
    yield section(f"{_TITLES[kind]}: {len(findings)}", *blocks, *rest)


def _finding(each: Finding, images: Path) -> Html:
    photos = gallery(_photo(photo, images, each.boxes) for photo in each.photos[:_SHOWN_PHOTOS])
    more = len(each.photos) - _SHOWN_PHOTOS
    rest = [paragraph(f"and {more} more photos", "note")] if more > 0 else []
    return finding(each.severity.value, paragraph(each.message), photos, *rest)


def _photo(photo: Photo, images: Path, boxes: Sequence[Box] = (), side: int = _SIDE) -> Html:
    try:
        picture = embed_picture(_draw_boxes(read_picture(images / photo.image), boxes, side), side)
    except PictureError:
        picture = None
    group = (f"group {photo.group}",) if photo.group != photo.image else ()
    return card(picture, photo.label, photo.image, *group)


def _draw_boxes(image: Image, boxes: Sequence[Box], side: int) -> Image:
    """Return an image at the size at which it is shown, so that lines and letters come out in theirs, with boxes."""
    if not boxes:
        return image
    scale = side / max(image.shape[:2])
    shown = resize_to(image, side)
    for box in boxes:
        left, top, right, bottom = (scale * edge for edge in (box.x_min, box.y_min, box.x_max, box.y_max))
        draw_box(shown, (left, top, right, bottom), box.label)
    return shown
