"""The skeleton of HTML pages for train and convert: one file each, no network, fit for a phone and for paper."""

import base64
import html
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NewType

import cv2

from edge_runtime.errors import PictureError
from edge_runtime.pictures import read_picture
from edge_runtime.preprocess import Image
from edge_runtime.resizing import resize_to

Html = NewType("Html", str)
"""Markup. Every other string is text, and is escaped on its way into a page."""


_STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 66rem; background: #fff; color: #222;
  font: 16px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0.5rem 0 0; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 0.6rem; padding-bottom: 0.2rem; border-bottom: 1px solid #ccc; }
p, figcaption { max-width: 44rem; overflow-wrap: anywhere; }
.lead, figcaption, .note { color: #555; font-size: 0.9rem; }
.tiles, .figures, .gallery { display: grid; gap: 1rem; }
.tiles { grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); }
.tile { border: 1px solid #ddd; border-radius: 4px; padding: 0.5rem 0.7rem; overflow-wrap: anywhere; }
.tile b { display: block; font-size: 1.15rem; font-weight: 600; }
.figures { grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); }
figure { margin: 0; min-width: 0; }
figure svg { display: block; height: auto; }
.fluid svg { width: 100%; max-width: 30rem; }
.wide { overflow-x: auto; }
.scroll { overflow-x: auto; margin: 0.6rem 0; }
table { border-collapse: collapse; font-size: 0.88rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.8rem 0.25rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid #e5e5e5; }
th { font-weight: 600; }
td { overflow-wrap: anywhere; }
.numbers td, .numbers thead th { white-space: nowrap; text-align: right; }
.numbers thead th:first-child { text-align: left; }
.gallery { grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); }
.card { font-size: 0.82rem; line-height: 1.35; overflow-wrap: anywhere; }
.card img, .card .absent { display: block; width: 100%; height: 9.5rem; object-fit: contain; background: #f3f3f3; }
.card .absent { padding-top: 4rem; text-align: center; color: #777; }
.large { grid-template-columns: repeat(auto-fill, minmax(min(17rem, 100%), 1fr)); }
.large .card img { height: auto; }
.whole { max-width: 100%; height: auto; }
.finding { border: 1px solid #ddd; border-left-width: 4px; border-radius: 4px; margin: 0.5rem 0; padding: 0.5rem; }
.finding p { margin: 0 0 0.4rem; font-size: 0.9rem; }
.gallery > .finding { margin: 0; }
.gallery .gallery { display: block; }
.error { border-left-color: #c62828; }
.warning { border-left-color: #ef9a00; }
.alert { border-left: 4px solid #d55e00; padding: 0.3rem 0.8rem; background: #fdf3ec; }
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h2 { break-after: avoid; }
  figure, .tile, .card, tr { break-inside: avoid; }
  .scroll, .wide { overflow: visible; }
  .wide svg { max-width: 100%; }
  .numbers td, .numbers thead th { white-space: normal; }
  .figures { grid-template-columns: 1fr 1fr; }
}
"""


def build_page(title: str, lead: str, *sections: Html) -> str:
    """Return a whole HTML document."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<h1>{html.escape(title)}</h1>\n<p class="lead">{html.escape(lead)}</p>\n'
        + "\n".join(sections)
        + "\n</body>\n</html>\n"
    )


def section(title: str, *blocks: Html) -> Html:
    """Return blocks under a heading."""
    return Html(f"<section>\n<h2>{html.escape(title)}</h2>\n" + "\n".join(blocks) + "\n</section>")


def paragraph(text: str, kind: str = "") -> Html:
    """Return a paragraph; its kind is `note` for small print, `alert` for what must not be overlooked."""
    return Html(f'<p class="{kind}">{html.escape(text)}</p>')


def tiles(facts: Iterable[tuple[str, str, str]]) -> Html:
    """Return headline numbers, each a name, a value and a remark."""
    each = (
        f'<div class="tile">{html.escape(name)}<b>{html.escape(value)}</b>'
        f'<span class="note">{html.escape(remark)}</span></div>'
        for name, value, remark in facts
    )
    return Html(f'<div class="tiles">{"".join(each)}</div>')


def table(header: Sequence[str], rows: Iterable[Sequence[str]], numbers: bool = False) -> Html:
    """Return a table whose first column names the rows; with `numbers`, the others are set flush right."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in header)
    body = "".join(
        f"<tr><th>{html.escape(first)}</th>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in rest) + "</tr>\n"
        for first, *rest in rows
    )
    kind = ' class="numbers"' if numbers else ""
    return Html(
        f'<div class="scroll"><table{kind}>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>'
    )


def figure(svg: Html, caption: str, wide: bool = False) -> Html:
    """Return a drawing with its caption; a wide one keeps its size and scrolls on a narrow screen."""
    kind = "wide" if wide else "fluid"
    return Html(f'<figure><div class="{kind}">{svg}</div><figcaption>{html.escape(caption)}</figcaption></figure>')


def figures(*each: Html) -> Html:
    """Return figures side by side, as many as fit."""
    return Html(f'<div class="figures">{"".join(each)}</div>')


def card(picture: str | None, *lines: str) -> Html:
    """Return a picture, given as a data URI or None where it is missing, with lines of text below it."""
    shown = f'<img src="{picture}" alt="">' if picture else '<span class="absent">no photo</span>'
    return Html(f'<div class="card">{shown}{"<br>".join(map(html.escape, lines))}</div>')


def picture(uri: str, caption: str) -> Html:
    """Return a picture, given as a data URI, over the whole width, with its caption."""
    return Html(
        f'<figure><img class="whole" src="{uri}" alt=""><figcaption>{html.escape(caption)}</figcaption></figure>'
    )


def gallery(cards: Iterable[Html], large: bool = False) -> Html:
    """Return cards side by side, as many as fit; large ones show details."""
    return Html(f'<div class="gallery{" large" if large else ""}">{"".join(cards)}</div>')


def finding(severity: str, *blocks: Html) -> Html:
    """Return blocks in a box that shows how grave they are: `error`, `warning` or `note`."""
    return Html(f'<div class="finding {severity}">{"".join(blocks)}</div>')


def make_thumbnail(path: Path, side: int = 200) -> str:
    """Return a photo as a data URI of a JPEG whose longer side has at most `side` pixels.

    Raises:
        PictureError: The photo is missing or cannot be decoded.
    """
    return embed_picture(read_picture(path), side)


def embed_picture(image: Image, side: int = 200) -> str:
    """Return a (height, width, 3) uint8 BGR picture as `make_thumbnail` does.

    Raises:
        PictureError: It cannot be encoded.
    """
    small = resize_to(image, min(side, max(image.shape[:2])))
    done, encoded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 80])
    if not done:
        raise PictureError("A picture cannot be made a thumbnail; save it again as JPEG or PNG.")
    return "data:image/jpeg;base64," + base64.b64encode(encoded.tobytes()).decode()
