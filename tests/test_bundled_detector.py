"""The detector that ships, on real photos."""

import os
from pathlib import Path

import pytest

from edge_runtime import Recognizer
from edge_runtime.bundled import DETECTOR, find_model
from edge_runtime.coco import TrueBox, measure_coco
from edge_runtime.pictures import read_picture

LABELS = ("bag", "dress", "hat", "jacket", "pants", "shirt", "shoe", "shorts", "skirt", "sunglass")
PHOTOS = 40
needs_data = pytest.mark.skipif(
    "EDGE_GARMENT_DATA" not in os.environ, reason="EDGE_GARMENT_DATA does not name the data"
)


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer.load(DETECTOR)


def test_it_is_small_and_says_what_it_finds(recognizer: Recognizer) -> None:
    assert find_model(DETECTOR).stat().st_size < 6e6
    assert recognizer.spec.labels == LABELS
    assert recognizer.spec.license == "Apache-2.0"


@needs_data
def test_it_finds_garments_on_photos_of_a_source_that_it_never_saw(recognizer: Recognizer, tmp_path: Path) -> None:
    pytest.importorskip("pycocotools", reason="needs the train extra")
    from train.data.detection_formats import read_boxes

    names = tmp_path / "classes.txt"
    names.write_text("\n".join(LABELS))
    box_set = read_boxes(Path(os.environ["EDGE_GARMENT_DATA"]) / "cfpd", classes=names)
    photos = box_set.photos[:PHOTOS]
    found = [recognizer.detect(read_picture(box_set.images / photo.image), threshold=0.01) for photo in photos]
    truth = [
        [TrueBox(box.label, (box.x_min, box.y_min, box.x_max, box.y_max)) for box in photo.boxes] for photo in photos
    ]
    assert measure_coco(truth, found, LABELS).map50 > 0.45
