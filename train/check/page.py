"""A check's findings as one HTML file with small pictures in it."""

import base64
import html
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from edge_runtime.errors import PictureError
from edge_runtime.pictures import read_picture
from train.check.findings import Finding, Kind, Report, Severity
from train.data import Photo

_SHOWN_FINDINGS = 100
_SHOWN_PHOTOS = 12
_THUMBNAIL_SIDE = 240
_JPEG_QUALITY = 75

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

_STYLE = """
body { font: 16px/1.4 system-ui, sans-serif; color: #222; background: #fff; margin: 0 auto; padding: 1rem;
  max-width: 70rem; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
table { border-collapse: collapse; } td, th { padding: .15rem .8rem .15rem 0; text-align: left; }
td + td { text-align: right; font-variant-numeric: tabular-nums; }
.finding { border: 1px solid #ddd; border-left-width: 4px; border-radius: 4px; margin: .5rem 0; padding: .5rem; }
.error { border-left-color: #c62828; } .warning { border-left-color: #ef9a00; } .note { border-left-color: #90a4ae; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: .5rem; align-items: start; }
.cards .finding { margin: 0; font-size: .85rem; } .cards .photos { display: block; } p { margin: 0 0 .4rem; }
.photos { display: grid; grid-template-columns: repeat(auto-fill, minmax(125px, 180px)); gap: .5rem; }
figure { margin: 0; } img { width: 100%; height: 170px; object-fit: contain; background: #f4f4f4; }
figcaption { font-size: .75rem; color: #555; overflow-wrap: anywhere; } figcaption b { color: #222; }
"""


def render_page(report: Report) -> str:
    """Return the page; it needs nothing but itself."""
    title = f"Check of {html.escape(report.data)}"
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>",
            *_head(report),
            *(part for kind in Kind for part in _section(report, kind)),
            "</body></html>\n",
        ]
    )


def _head(report: Report) -> Iterator[str]:
    counts = ", ".join(f"{severity.value}s: {report.count(severity)}" for severity in Severity)
    yield f"<p>{report.photos} photos of {len(report.classes)} classes and {report.groups} groups; {counts}.</p>"
    yield from (f"<p>{html.escape(sentence)}</p>" for sentence in report.skipped)
    rows = (f"<tr><td>{html.escape(label)}</td><td>{count}</td></tr>" for label, count in report.classes.items())
    yield f"<table><tr><th>class</th><th>photos</th></tr>{''.join(rows)}</table>"


def _section(report: Report, kind: Kind) -> Iterator[str]:
    findings = report.of(kind)
    if not findings:
        return
    yield f"<h2>{_TITLES[kind]}: {len(findings)}</h2>"
    single = all(len(finding.photos) == 1 for finding in findings)
    yield f'<div class="{"cards" if single else "list"}">'
    yield from (_finding(finding, Path(report.images)) for finding in findings[:_SHOWN_FINDINGS])
    yield "</div>"
    if len(findings) > _SHOWN_FINDINGS:
        yield f"<p>and {len(findings) - _SHOWN_FINDINGS} more; check.json has them all.</p>"


def _finding(finding: Finding, images: Path) -> str:
    figures = "".join(_figure(photo, images) for photo in finding.photos[:_SHOWN_PHOTOS])
    more = len(finding.photos) - _SHOWN_PHOTOS
    return (
        f'<div class="finding {finding.severity.value}"><p>{html.escape(finding.message)}</p>'
        f'<div class="photos">{figures}</div>{f"<p>and {more} more photos</p>" if more > 0 else ""}</div>'
    )


def _figure(photo: Photo, images: Path) -> str:
    caption = f"<b>{html.escape(photo.label)}</b> {html.escape(photo.image)}"
    if photo.group != photo.image:
        caption += f", group {html.escape(photo.group)}"
    return f"<figure>{_picture(images / photo.image)}<figcaption>{caption}</figcaption></figure>"


def _picture(path: Path) -> str:
    try:
        image = read_picture(path)
    except PictureError:
        return ""
    scale = _THUMBNAIL_SIDE / max(image.shape)
    if scale < 1:
        size = [max(round(side * scale), 1) for side in image.shape[1::-1]]
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1]
    return f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(encoded.tobytes()).decode()}">'
