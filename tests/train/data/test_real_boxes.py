"""Boxes of published data sets, where they are at hand."""

import os
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("tqdm", reason="needs the train extra")

from train.data.boxes import BoxSet
from train.data.detection_formats import read_boxes


def _real_data(name: str) -> Path:
    folder = Path(os.environ.get("EDGE_GARMENT_DATA", "")) / name
    if "EDGE_GARMENT_DATA" not in os.environ or not folder.exists():
        pytest.skip(f"needs {name} under EDGE_GARMENT_DATA")
    return folder


def _count(box_set: BoxSet) -> Counter[str]:
    return Counter(box.label for photo in box_set.photos for box in photo.boxes)


def test_every_box_of_clothing_co_parsing_is_read() -> None:
    assert _count(read_boxes(_real_data("ccp") / "instances.json")) == {
        "bag": 472,
        "dress": 197,
        "hat": 74,
        "jacket": 386,
        "pants": 352,
        "shirt": 494,
        "shoe": 679,
        "shorts": 44,
        "skirt": 122,
        "sunglass": 214,
    }


def test_every_box_of_colorful_fashion_is_read(tmp_path: Path) -> None:
    counts = {
        "bag": 1308,
        "dress": 624,
        "hat": 315,
        "jacket": 851,
        "pants": 552,
        "shirt": 1658,
        "shoe": 2345,
        "shorts": 455,
        "skirt": 790,
        "sunglass": 389,
    }
    classes = tmp_path / "classes.txt"
    classes.write_text("\n".join(counts))
    assert _count(read_boxes(_real_data("cfpd"), classes=classes)) == counts
