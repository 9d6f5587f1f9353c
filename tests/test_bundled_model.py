"""The model that ships, on drawings and on real photos."""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest

from edge_runtime import Recognizer
from edge_runtime.drawing import GARMENTS, draw_background, draw_clutter, draw_garment
from edge_runtime.pictures import read_picture
from edge_runtime.refining import cut
from edge_runtime.training_run import Split, SplitRow

CARD_TOP1 = 86 / 90
DETECTED = ("bag", "dress", "hat", "jacket", "pants", "shirt", "shoe", "shorts", "skirt", "sunglass")
ALSO_CALLED = {
    "dress": {"dress"},
    "hat": {"hat"},
    "jacket": {"outwear"},
    "pants": {"pants"},
    "shirt": {"shirt", "t-shirt", "longsleeve"},
    "shoe": {"shoes"},
    "shorts": {"shorts"},
    "skirt": {"skirt"},
}
"""What the classifier may call the detector's labels; it has no name for bags and sunglasses."""

MANIFEST = Path(__file__).parents[1] / "calibration_data" / "garment_classifier.json"
needs_data = pytest.mark.skipif(
    "EDGE_GARMENT_DATA" not in os.environ, reason="EDGE_GARMENT_DATA does not name the data"
)


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer.load()


@pytest.fixture(scope="module")
def clothing() -> Path:
    return Path(os.environ["EDGE_GARMENT_DATA"]) / "clothing"


@pytest.fixture(scope="module")
def held_out(clothing: Path) -> list[SplitRow]:
    """The laid-out photos that none of the networks was trained on that the model goes back to.

    They are of a quarter of the senders that the split with seed 0 holds out, drawn as `bench/folds.py` does it.
    """
    pytest.importorskip("sklearn", reason="needs the train extra")
    from train.data.photos import Columns, read_photos
    from train.data.splits import split_photos

    photos = read_photos(clothing / "labels.csv", Columns("image", "class10", "sender"))
    rows = split_photos(photos, 0.15, seed=0)
    return [row for row in rows if row.split is Split.VALIDATION and _is_in_first_quarter(row.group)]


def _is_in_first_quarter(sender: str) -> bool:
    return int(hashlib.sha256(sender.encode()).hexdigest(), 16) % 4 == 0


def test_it_says_what_it_is(recognizer: Recognizer) -> None:
    assert recognizer.spec.heads[0].labels == GARMENTS
    assert recognizer.spec.license == "Apache-2.0"
    assert {"photos", "validation", "calibration", "measured"} <= set(recognizer.spec.provenance)


def test_it_knows_drawings_it_was_not_trained_on(recognizer: Recognizer) -> None:
    wrong = [
        (garment, seed)
        for garment in GARMENTS
        for seed in range(200, 208)
        if [each.label for each in recognizer.classify(draw_garment(garment, seed), top_k=1)] != [garment]
    ]
    assert len(wrong) <= 8, wrong


def test_it_says_nothing_of_scenes_without_a_garment(recognizer: Recognizer) -> None:
    named = [
        (draw.__name__, seed)
        for draw in (draw_background, draw_clutter)
        for seed in range(200, 230)
        if recognizer.classify(draw(seed))
    ]
    assert len(named) <= 6, named


@needs_data
def test_it_reaches_its_card_on_photos_of_other_senders(
    recognizer: Recognizer, held_out: list[SplitRow], clothing: Path
) -> None:
    frames = (read_picture(clothing / "images" / row.image) for row in held_out)
    answers = [recognizer.classify(frame, top_k=1, threshold=0.0)[0].label for frame in frames]
    right = float(np.mean([answer == row.label for answer, row in zip(answers, held_out, strict=True)]))
    assert right == pytest.approx(CARD_TOP1, abs=0.012)


@needs_data
def test_it_knows_worn_garments_of_a_source_that_it_never_saw(recognizer: Recognizer, tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="needs the train extra")
    from train.data.boxes import read_boxed_photo
    from train.data.detection_formats import read_boxes

    names = tmp_path / "classes.txt"
    names.write_text("\n".join(DETECTED))
    box_set = read_boxes(Path(os.environ["EDGE_GARMENT_DATA"]) / "cfpd" / "valid", classes=names)
    named, nameless = [], []
    for photo in box_set.photos[:60]:
        image = read_boxed_photo(box_set.images, photo)
        for box in photo.boxes:
            labels = {each.label for each in recognizer.classify(cut(image, box.corners), top_k=1)}
            if box.label in ALSO_CALLED:
                named.append(bool(labels & ALSO_CALLED[box.label]))
            else:
                nameless.append(not labels)
    assert np.mean(named) > 0.7
    assert np.mean(nameless) > 0.5


def test_it_is_as_good_as_the_model_that_was_trained(recognizer: Recognizer) -> None:
    keras, *_, device = (stage["top1"] for stage in recognizer.spec.provenance["measured"])
    assert device >= keras - 0.005


@needs_data
def test_it_was_calibrated_on_other_photos_than_it_was_measured_on(held_out: list[SplitRow]) -> None:
    photos = json.loads(MANIFEST.read_text(encoding="utf-8"))["photos"]
    assert not {photo["sha256"] for photo in photos} & {row.sha256 for row in held_out}


def test_the_manifest_is_the_one_it_was_made_with(recognizer: Recognizer) -> None:
    digest = hashlib.sha256(MANIFEST.read_bytes()).hexdigest()
    assert digest == recognizer.spec.provenance["calibration"]["manifest_sha256"]
