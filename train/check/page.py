"""A check's findings as one HTML file with small pictures in it."""

from collections.abc import Iterator
from pathlib import Path

from edge_runtime.errors import PictureError
from train.check.findings import Finding, Kind, Report, Severity
from train.data import Photo
from train.pages import Html, build_page, card, finding, gallery, make_thumbnail, paragraph, section, table

_SHOWN_FINDINGS = 100
_SHOWN_PHOTOS = 12

_TITLES = {
    Kind.UNREADABLE: "Photos that cannot be read",
    Kind.CONFLICT: "One photo, different labels",
    Kind.LEAK: "On both sides of the split",
    Kind.CLASSES: "Classes",
    Kind.DUPLICATE: "The same file more than once",
    Kind.NEAR_DUPLICATE: "Nearly the same picture more than once",
    Kind.ACROSS_GROUPS: "Copies in different groups",
    Kind.LABEL: "Suspicious labels",
    Kind.SIZE: "Odd sizes",
    Kind.MODE: "Odd colour modes",
    Kind.LEFT_OUT: "Files left out",
}


def render_page(report: Report) -> str:
    """Return the page; it needs nothing but itself."""
    counts = ", ".join(f"{severity.value}s: {report.count(severity)}" for severity in Severity)
    lead = f"{report.photos} photos of {len(report.classes)} classes and {report.groups} groups; {counts}."
    overview = section(
        "Photos per class",
        *(paragraph(sentence, "alert") for sentence in report.skipped),
        table(("class", "photos"), ((label, str(count)) for label, count in report.classes.items()), numbers=True),
    )
    return build_page(f"Check of {report.data}", lead, overview, *(each for kind in Kind for each in _of(report, kind)))


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
    photos = gallery(_photo(photo, images) for photo in each.photos[:_SHOWN_PHOTOS])
    more = len(each.photos) - _SHOWN_PHOTOS
    rest = [paragraph(f"and {more} more photos", "note")] if more > 0 else []
    return finding(each.severity.value, paragraph(each.message), photos, *rest)


def _photo(photo: Photo, images: Path) -> Html:
    try:
        picture = make_thumbnail(images / photo.image)
    except PictureError:
        picture = None
    group = (f"group {photo.group}",) if photo.group != photo.image else ()
    return card(picture, photo.label, photo.image, *group)
