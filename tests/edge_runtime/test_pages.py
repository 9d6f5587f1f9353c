import base64
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime import pages
from edge_runtime.errors import PictureError


def decode(uri: str) -> np.ndarray:
    kind, content = uri.split(",")
    assert kind == "data:image/jpeg;base64"
    return cv2.imdecode(np.frombuffer(base64.b64decode(content), np.uint8), cv2.IMREAD_COLOR)


@pytest.mark.parametrize(("shape", "wanted"), [((400, 800), (50, 100)), ((30, 20), (30, 20)), ((2, 900), (1, 100))])
def test_a_thumbnail_keeps_its_shape_and_is_never_enlarged(
    tmp_path: Path, shape: tuple[int, int], wanted: tuple[int, int]
) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((*shape, 3), (200, 30, 90), np.uint8))
    thumbnail = decode(pages.make_thumbnail(tmp_path / "a.png", side=100))
    assert thumbnail.shape == (*wanted, 3)
    assert np.abs(thumbnail.mean(axis=(0, 1)) - (200, 30, 90)).max() < 4


def test_a_thumbnail_of_no_picture_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PictureError):
        pages.make_thumbnail(tmp_path / "absent.jpg")


def test_text_never_becomes_markup() -> None:
    text = '<script>"&'
    whole = pages.build_page(
        text,
        text,
        pages.section(text, pages.paragraph(text), pages.tiles([(text, text, text)])),
        pages.table((text, text), [(text, text)], numbers=True),
        pages.figure(pages.Html("<svg></svg>"), text),
        pages.gallery([pages.card(None, text, text)]),
    )
    assert "<script" not in whole
    assert whole.count("&lt;script&gt;&quot;&amp;") == 15
