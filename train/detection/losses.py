"""What a detector minimises; backend neutral.

Both losses divide by the number of anchors of the batch that have a box to find, as the sources do.
"""

from typing import Any

import keras
from keras import ops

from train.detection.coding import SCALES
from train.detection.matching import BACKGROUND, IGNORED

_BOX_WEIGHT = 2.0
_LARGEST_LOG = 4.0
_ALPHA = 0.25
_NEGATIVES_PER_POSITIVE = 3
_FEWEST_NEGATIVES = 10
"""Of a photo; without them a photo that shows no object would teach nothing."""


class BoxLoss(keras.losses.Loss):  # type: ignore[misc]
    """1 - GIoU, doubled: what average precision asks for, at any size of a box.

    Sources: Rezatofighi et al., "Generalized Intersection over Union", CVPR 2019, algorithm 1; the weight of 2 beside
    focal loss is that of Zhang et al., "Bridging the Gap Between Anchor-based and Anchor-free Detection", CVPR 2020.
    """

    def __init__(self) -> None:
        super().__init__(name="box_loss", reduction="sum")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of (batch, anchors, 4) encodings against (batch, anchors, 5) `Targets.encodings`."""
        found = y_true[..., 4]
        losses = 1.0 - _overlap(_to_corners(y_true[..., :4]), _to_corners(y_pred))
        return _BOX_WEIGHT * ops.sum(losses * found) / ops.maximum(ops.sum(found), 1.0)


class FocalLoss(keras.losses.Loss):  # type: ignore[misc]
    """Cross-entropy of each label that weighs easy anchors down, with alpha 0.25 and gamma 2.

    Source: Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, equation 5.
    """

    def __init__(self) -> None:
        super().__init__(name="focal_loss", reduction="sum")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of (batch, anchors, labels) logits against (batch, anchors, 1) `Targets.classes`."""
        targets = _one_hot(y_true, y_pred)
        scores = ops.sigmoid(y_pred)
        missing = targets * (1.0 - scores) + (1.0 - targets) * scores
        weights = targets * _ALPHA + (1.0 - targets) * (1.0 - _ALPHA)
        losses = weights * ops.square(missing) * _cross_entropy(targets, y_pred)
        counted = ops.cast(y_true > IGNORED, losses.dtype)
        return ops.sum(losses * counted) / _positives(y_true)


class MiningLoss(keras.losses.Loss):  # type: ignore[misc]
    """Cross-entropy of each label over the positives and three times as many of the hardest negatives of each photo.

    Source: Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016, section 2.2, with sigmoids for softmax.
    """

    def __init__(self) -> None:
        super().__init__(name="mining_loss", reduction="sum")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of (batch, anchors, labels) logits against (batch, anchors, 1) `Targets.classes`."""
        losses = ops.sum(_cross_entropy(_one_hot(y_true, y_pred), y_pred), axis=-1)
        classes = y_true[..., 0]
        positive = ops.cast(classes > BACKGROUND, losses.dtype)
        negative = ops.cast(ops.equal(classes, BACKGROUND), losses.dtype)
        # The second sort turns the order of the anchors into the rank of each.
        rank = ops.argsort(ops.argsort(-losses * negative, axis=1), axis=1)
        wanted = _NEGATIVES_PER_POSITIVE * ops.sum(positive, axis=1, keepdims=True)
        hard = ops.cast(rank, losses.dtype) < ops.maximum(wanted, float(_FEWEST_NEGATIVES))
        chosen = positive + negative * ops.cast(hard, losses.dtype)
        return ops.sum(losses * chosen) / _positives(y_true)


def _to_corners(encodings: Any) -> tuple[Any, Any]:
    """Return the upper left and lower right corners, each (..., 2), of encodings as seen from their anchors.

    Seen from it, an anchor has its centre at 0 and sides of 1; IoU does not depend on where one looks from.
    """
    scales = ops.array(SCALES, encodings.dtype)
    offsets = encodings / scales
    # A fresh head may say anything; no side needs to be over e^4 times its anchor's.
    halves = 0.5 * ops.exp(ops.minimum(offsets[..., 2:], _LARGEST_LOG))
    return offsets[..., :2] - halves, offsets[..., :2] + halves


def _overlap(first: tuple[Any, Any], second: tuple[Any, Any]) -> Any:
    """Return the GIoU, in (-1, 1], of pairs of boxes with an area."""
    shared = _area(ops.maximum(first[0], second[0]), ops.minimum(first[1], second[1]))
    union = _area(*first) + _area(*second) - shared
    hull = _area(ops.minimum(first[0], second[0]), ops.maximum(first[1], second[1]))
    return shared / union - (hull - union) / hull


def _area(upper: Any, lower: Any) -> Any:
    return ops.prod(ops.maximum(lower - upper, 0.0), axis=-1)


def _one_hot(classes: Any, logits: Any) -> Any:
    """Return 1 for the label of each anchor; background and ignored anchors have none."""
    return ops.cast(ops.equal(classes, ops.arange(logits.shape[-1], dtype=classes.dtype)), logits.dtype)


def _cross_entropy(targets: Any, logits: Any) -> Any:
    return ops.maximum(logits, 0.0) - logits * targets + ops.log1p(ops.exp(-ops.abs(logits)))


def _positives(classes: Any) -> Any:
    return ops.maximum(ops.sum(ops.cast(classes > BACKGROUND, "float32")), 1.0)
