import math

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")

from train.detection.coding import decode  # noqa: E402
from train.detection.losses import BoxLoss, FocalLoss, MiningLoss  # noqa: E402
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
    assert to_number(BoxLoss()(targets, encodings)) == pytest.approx(2 * (2 / 3 + 3 / 2 + 1 / 2) / 3, rel=1e-5)


def test_box_loss_is_that_of_the_decoded_boxes_whatever_the_anchor() -> None:
    random = np.random.default_rng(3)
    anchors = random.uniform(0.1, 0.6, (40, 4)).astype(np.float32)
    found, wanted = random.normal(0, 2, (2, 40, 4)).astype(np.float32)
    targets = np.concatenate([wanted, np.ones((40, 1), np.float32)], axis=1)[np.newaxis]
    expected = [
        1 - generalized_iou(*pair) for pair in zip(decode(found, anchors), decode(wanted, anchors), strict=True)
    ]
    assert to_number(BoxLoss()(targets, found[np.newaxis])) == pytest.approx(2 * np.mean(expected), rel=1e-4)


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
    assert math.isfinite(to_number(BoxLoss()(targets, make_encodings((0, 0, 1e6, 1e6), (1e6, 0, -1e6, -1e6)))))


def test_focal_loss_by_hand() -> None:
    logits = np.array([[[1.0, -2.0], [0.5, 0.0], [3.0, 3.0]]], np.float32)
    expected = focal(1.0, 0) + focal(-2.0, 1) + focal(0.5, 0) + focal(0.0, 0)
    loss = FocalLoss()(make_classes(1, BACKGROUND, IGNORED), logits)
    assert to_number(loss) == pytest.approx(expected, rel=1e-5)


def test_focal_loss_is_shared_among_positives() -> None:
    logits = np.zeros((1, 4, 1), np.float32)
    loss = FocalLoss()(make_classes(0, 0, BACKGROUND, BACKGROUND), logits)
    assert to_number(loss) == pytest.approx((2 * focal(0, 1) + 2 * focal(0, 0)) / 2, rel=1e-5)


def test_mining_takes_three_of_the_hardest_negatives_per_positive() -> None:
    hardness = np.array([0.0, *np.linspace(-5, 2, 20), 9.0], np.float32)
    classes = make_classes(0, *[BACKGROUND] * 20, IGNORED)
    few = np.concatenate([classes] * 4, axis=1)
    logits = np.concatenate([hardness] * 4).reshape(1, -1, 1)
    # Four positives take twelve negatives: the four hardest logits that there are, three... of four copies each.
    negatives = sorted((cross_entropy(value, 0) for value in np.tile(hardness[1:-1], 4)), reverse=True)[:12]
    expected = (4 * cross_entropy(0, 1) + sum(negatives)) / 4
    assert to_number(MiningLoss()(few, logits)) == pytest.approx(expected, rel=1e-5)


def test_photos_without_boxes_teach_as_well() -> None:
    classes, logits = make_classes(*[BACKGROUND] * 50), np.zeros((1, 50, 2), np.float32)
    assert to_number(MiningLoss()(classes, logits)) == pytest.approx(10 * 2 * math.log(2), rel=1e-5)
    assert to_number(FocalLoss()(classes, logits)) == pytest.approx(100 * focal(0, 0), rel=1e-5)


@pytest.mark.parametrize("loss", [FocalLoss, MiningLoss])
def test_extreme_logits_stay_finite(loss: type) -> None:
    logits = np.array([[[1e4], [-1e4]]], np.float32)
    assert math.isfinite(to_number(loss()(make_classes(BACKGROUND, 0), logits)))
