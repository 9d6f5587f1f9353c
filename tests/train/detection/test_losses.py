import math

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")

from train.detection.coding import decode  # noqa: E402
from train.detection.losses import (  # noqa: E402
    SCORE_LOSSES,
    DetectionLoss,
    box_loss,
    focal_loss,
    measure_overlaps,
    mining_loss,
    varifocal_loss,
)
from train.detection.matching import BACKGROUND, IGNORED  # noqa: E402


def to_number(loss: object) -> float:
    return float(keras.ops.convert_to_numpy(loss))


def cross_entropy(logit: float, target: float) -> float:
    score = 1 / (1 + math.exp(-logit))
    return -target * math.log(score) - (1 - target) * math.log(1 - score)


def focal(logit: float, target: float) -> float:
    score = 1 / (1 + math.exp(-logit))
    right = score if target else 1 - score
    return (0.25 if target else 0.75) * (1 - right) ** 2 * cross_entropy(logit, target)


def make_classes(*classes: int) -> np.ndarray:
    return np.array(classes, np.float32).reshape(1, -1, 1)


def no_quality(classes: np.ndarray) -> np.ndarray:
    return np.zeros_like(classes)


def measure_box_loss(targets: np.ndarray, encodings: np.ndarray) -> float:
    """The box loss of (1, anchors, 4) encodings against (1, anchors, 5) targets."""
    return to_number(box_loss(measure_overlaps(targets[..., :4], encodings)[1], targets[..., 4:]))


def make_encodings(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array([rows], np.float32)


def test_box_loss_by_hand() -> None:
    targets = np.zeros((1, 4, 5), np.float32)
    targets[0, :3, 4] = 1
    encodings = make_encodings(
        (5, 0, 0, 0),  # half of its height lower: IoU 1/3, and the hull has nothing else: 2/3
        (30, 0, 0, 0),  # three heights lower: IoU 0, half of the hull is neither: 3/2
        (0, 0, 5 * math.log(2), 0),  # twice as high: 1/2
        (9, 9, 9, 9),  # has no box to find
    )
    assert measure_box_loss(targets, encodings) == pytest.approx(2 * (2 / 3 + 3 / 2 + 1 / 2) / 3, rel=1e-5)


def test_box_loss_is_that_of_the_decoded_boxes_whatever_the_anchor() -> None:
    random = np.random.default_rng(3)
    anchors = random.uniform(0.1, 0.6, (40, 4)).astype(np.float32)
    found, wanted = random.normal(0, 2, (2, 40, 4)).astype(np.float32)
    targets = np.concatenate([wanted, np.ones((40, 1), np.float32)], axis=1)[np.newaxis]
    expected = [
        1 - generalized_iou(*pair) for pair in zip(decode(found, anchors), decode(wanted, anchors), strict=True)
    ]
    assert measure_box_loss(targets, found[np.newaxis]) == pytest.approx(2 * np.mean(expected), rel=1e-4)


def generalized_iou(first: np.ndarray, second: np.ndarray) -> float:
    """An oracle in plain Python."""
    sides = [min(first[axis + 2], second[axis + 2]) - max(first[axis], second[axis]) for axis in (0, 1)]
    shared = max(sides[0], 0) * max(sides[1], 0)
    union = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)) - shared
    around = [max(first[axis + 2], second[axis + 2]) - min(first[axis], second[axis]) for axis in (0, 1)]
    hull = around[0] * around[1]
    return float(shared / union - (hull - union) / hull)


def test_boxes_far_from_their_anchor_keep_the_loss_finite() -> None:
    targets = np.zeros((1, 2, 5), np.float32)
    targets[..., 4] = 1
    assert math.isfinite(measure_box_loss(targets, make_encodings((0, 0, 1e6, 1e6), (1e6, 0, -1e6, -1e6))))


def test_focal_loss_by_hand() -> None:
    logits = np.array([[[1.0, -2.0], [0.5, 0.0], [3.0, 3.0]]], np.float32)
    expected = focal(1.0, 0) + focal(-2.0, 1) + focal(0.5, 0) + focal(0.0, 0)
    classes = make_classes(1, BACKGROUND, IGNORED)
    assert to_number(focal_loss(classes, logits, no_quality(classes))) == pytest.approx(expected, rel=1e-5)


def test_focal_loss_is_shared_among_positives() -> None:
    logits = np.zeros((1, 4, 1), np.float32)
    classes = make_classes(0, 0, BACKGROUND, BACKGROUND)
    assert to_number(focal_loss(classes, logits, no_quality(classes))) == pytest.approx(
        (2 * focal(0, 1) + 2 * focal(0, 0)) / 2, rel=1e-5
    )


def test_mining_takes_three_of_the_hardest_negatives_per_positive() -> None:
    hardness = np.array([0.0, *np.linspace(-5, 2, 20), 9.0], np.float32)
    classes = make_classes(0, *[BACKGROUND] * 20, IGNORED)
    few = np.concatenate([classes] * 4, axis=1)
    logits = np.concatenate([hardness] * 4).reshape(1, -1, 1)
    # Four positives take twelve negatives: the four hardest logits that there are, three... of four copies each.
    negatives = sorted((cross_entropy(value, 0) for value in np.tile(hardness[1:-1], 4)), reverse=True)[:12]
    expected = (4 * cross_entropy(0, 1) + sum(negatives)) / 4
    assert to_number(mining_loss(few, logits, no_quality(few))) == pytest.approx(expected, rel=1e-5)


def test_photos_without_boxes_teach_as_well() -> None:
    classes, logits = make_classes(*[BACKGROUND] * 50), np.zeros((1, 50, 2), np.float32)
    assert to_number(mining_loss(classes, logits, no_quality(classes))) == pytest.approx(10 * 2 * math.log(2), rel=1e-5)
    assert to_number(focal_loss(classes, logits, no_quality(classes))) == pytest.approx(100 * focal(0, 0), rel=1e-5)


@pytest.mark.parametrize("name", SCORE_LOSSES)
def test_extreme_logits_stay_finite(name: str) -> None:
    logits = np.array([[[1e4], [-1e4]]], np.float32)
    classes = make_classes(BACKGROUND, 0)
    assert math.isfinite(to_number(SCORE_LOSSES[name](classes, logits, no_quality(classes))))


def test_varifocal_loss_by_hand() -> None:
    classes, quality = make_classes(1, BACKGROUND, IGNORED), make_classes(0.8, 0.0, 0.0)
    logits = np.array([[[1.0, -2.0], [0.5, 0.0], [3.0, 3.0]]], np.float32)

    def background(logit: float) -> float:
        return 0.75 * (1 / (1 + math.exp(-logit))) ** 2 * cross_entropy(logit, 0)

    expected = background(1.0) + 0.8 * cross_entropy(-2.0, 0.8) + background(0.5) + background(0.0)
    assert to_number(varifocal_loss(classes, logits, quality)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("quality", "score"), [(0.9, 0.9), (0.4, 0.4)])
def test_varifocal_loss_is_least_where_the_score_is_the_quality(quality: float, score: float) -> None:
    classes = make_classes(0)
    scores = np.linspace(0.02, 0.98, 49, dtype=np.float32)
    losses = [
        to_number(varifocal_loss(classes, np.log(value / (1 - value)).reshape(1, 1, 1), np.full_like(classes, quality)))
        for value in scores
    ]
    assert scores[np.argmin(losses)] == pytest.approx(score, abs=0.021)


def test_detection_loss_asks_scores_for_the_overlap_of_the_very_boxes() -> None:
    """Two anchors with a box: one finds it, one finds half of it; a third has none."""
    wanted = np.zeros((1, 3, 6), np.float32)
    wanted[0, :, 4] = 1, 1, 0
    wanted[0, :, 5] = 0, 0, BACKGROUND
    answers = np.array([[(0, 0, 0, 0, 2.0), (0, 0, -5 * math.log(2), 0, -1.0), (3, 3, 3, 3, 0.5)]], np.float32)
    qualities = make_classes(1.0, 0.5, 0.0)
    expected = 2 * 0.5 / 2 + to_number(varifocal_loss(wanted[..., 5:], answers[..., 4:], qualities))
    assert to_number(DetectionLoss(varifocal_loss)(wanted, answers)) == pytest.approx(expected, rel=1e-5)


def test_scores_do_not_bend_boxes() -> None:
    tensorflow = pytest.importorskip("tensorflow", reason="needs the train extra")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("gradients are taken by TensorFlow")
    wanted = np.zeros((1, 1, 6), np.float32)
    wanted[..., 4] = 1
    answers = tensorflow.Variable(np.array([[(2, 1, 1, 1, 0.3)]], np.float32))

    def slope(loss: object) -> np.ndarray:
        with tensorflow.GradientTape() as tape:
            value = DetectionLoss(loss)(wanted, answers)
        return tape.gradient(value, answers).numpy()[..., :4]

    np.testing.assert_allclose(slope(varifocal_loss), slope(lambda *_: 0.0), rtol=1e-6)
