"""What a detector minimises; backend neutral.

All losses divide by the number of anchors of the batch that have a box to find, as the sources do.
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from train.detection.coding import SCALES
from train.detection.matching import BACKGROUND, IGNORED

_BOX_WEIGHT = 2.0
_LARGEST_LOG = 4.0
_ALPHA = 0.25
_VARIFOCAL_ALPHA = 0.75
_NEGATIVES_PER_POSITIVE = 3
_FEWEST_NEGATIVES = 10
"""Of a photo; without them a photo that shows no object would teach nothing."""


ScoreLoss = Callable[[Any, Any, Any], Any]
"""Takes (batch, anchors, 1) `Targets.classes`, (batch, anchors, labels) logits and the (batch, anchors, 1) IoU of each
anchor's found box with the one it has to find; gives a number."""


class DetectionLoss(keras.losses.Loss):  # type: ignore[misc]
    """The loss of the boxes and that of their scores, which may ask how well the boxes fit."""

    def __init__(self, score_loss: ScoreLoss) -> None:
        super().__init__(name="detection_loss", reduction="sum")
        self._score_loss = score_loss

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of (batch, anchors, 4 + labels) answers against (batch, anchors, 6) `Targets.join`."""
        encodings, logits = y_pred[..., :4], y_pred[..., 4:]
        wanted, found, classes = y_true[..., :4], y_true[..., 4:5], y_true[..., 5:]
        overlaps, generalized = measure_overlaps(wanted, encodings)
        # What the scores shall say is told by the boxes, and must not bend these.
        quality = ops.stop_gradient(ops.expand_dims(overlaps, -1)) * found
        return box_loss(generalized, found) + self._score_loss(classes, logits, quality)


def box_loss(generalized: Any, found: Any) -> Any:
    """Return 1 - GIoU, doubled: what average precision asks for, at any size of a box.

    Sources: Rezatofighi et al., "Generalized Intersection over Union", CVPR 2019, algorithm 1; the weight of 2 beside
    focal loss is that of Zhang et al., "Bridging the Gap Between Anchor-based and Anchor-free Detection", CVPR 2020.

    Args:
        generalized: (batch, anchors) GIoU.
        found: (batch, anchors, 1), 1 where an anchor has a box to find, else 0.
    """
    losses = (1.0 - generalized) * found[..., 0]
    return _BOX_WEIGHT * ops.sum(losses) / ops.maximum(ops.sum(found), 1.0)


def focal_loss(classes: Any, logits: Any, _quality: Any) -> Any:
    """Return cross-entropy of each label that weighs easy anchors down, with alpha 0.25 and gamma 2; a `ScoreLoss`.

    Source: Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, equation 5.
    """
    targets = _one_hot(classes, logits)
    scores = ops.sigmoid(logits)
    missing = targets * (1.0 - scores) + (1.0 - targets) * scores
    weights = targets * _ALPHA + (1.0 - targets) * (1.0 - _ALPHA)
    losses = weights * ops.square(missing) * _cross_entropy(targets, logits)
    return _share(losses * _count(classes), classes)


def varifocal_loss(classes: Any, logits: Any, quality: Any) -> Any:
    """Return cross-entropy that asks a score to be the IoU of its box, easy background weighed down; a `ScoreLoss`.

    Suppression keeps the box with the best score, so scores that tell how well boxes fit keep the boxes that do.
    Source: Zhang et al., "VarifocalNet", CVPR 2021, equation 2, with alpha 0.75 and gamma 2.
    """
    positive = _one_hot(classes, logits)
    targets = positive * quality
    weights = targets + (1.0 - positive) * _VARIFOCAL_ALPHA * ops.square(ops.sigmoid(logits))
    return _share(weights * _cross_entropy(targets, logits) * _count(classes), classes)


def mining_loss(classes: Any, logits: Any, _quality: Any) -> Any:
    """Return cross-entropy of each label over the positives and thrice as many of the hardest negatives of each photo.

    A `ScoreLoss`. Source: Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016, section 2.2, with sigmoids for
    softmax.
    """
    losses = ops.sum(_cross_entropy(_one_hot(classes, logits), logits), axis=-1)
    positive = ops.cast(classes[..., 0] > BACKGROUND, losses.dtype)
    negative = ops.cast(ops.equal(classes[..., 0], BACKGROUND), losses.dtype)
    # The second sort turns the order of the anchors into the rank of each.
    rank = ops.argsort(ops.argsort(-losses * negative, axis=1), axis=1)
    wanted = _NEGATIVES_PER_POSITIVE * ops.sum(positive, axis=1, keepdims=True)
    hard = ops.cast(rank, losses.dtype) < ops.maximum(wanted, float(_FEWEST_NEGATIVES))
    chosen = positive + negative * ops.cast(hard, losses.dtype)
    return _share(losses * chosen, classes)


SCORE_LOSSES: dict[str, ScoreLoss] = {"focal": focal_loss, "mining": mining_loss, "varifocal": varifocal_loss}
"""By the name that `edge-train detect --loss` takes."""


def measure_overlaps(first: Any, second: Any) -> tuple[Any, Any]:
    """Return the IoU, in [0, 1], and the GIoU, in (-1, 1], of pairs of boxes.

    Args:
        first: (..., 4) encodings of boxes.
        second: Others, each from the same anchor.
    """
    first, second = _to_corners(first), _to_corners(second)
    shared = _area(ops.maximum(first[0], second[0]), ops.minimum(first[1], second[1]))
    union = _area(*first) + _area(*second) - shared
    hull = _area(ops.minimum(first[0], second[0]), ops.maximum(first[1], second[1]))
    overlap = shared / union
    return overlap, overlap - (hull - union) / hull


def _to_corners(encodings: Any) -> tuple[Any, Any]:
    """Return the upper left and lower right corners, each (..., 2), of encodings as seen from their anchors.

    Seen from it, an anchor has its centre at 0 and sides of 1; IoU does not depend on where one looks from.
    """
    scales = ops.array(SCALES, encodings.dtype)
    offsets = encodings / scales
    # A fresh head may say anything; no side needs to be over e^4 times its anchor's.
    halves = 0.5 * ops.exp(ops.minimum(offsets[..., 2:], _LARGEST_LOG))
    return offsets[..., :2] - halves, offsets[..., :2] + halves


def _area(upper: Any, lower: Any) -> Any:
    return ops.prod(ops.maximum(lower - upper, 0.0), axis=-1)


def _one_hot(classes: Any, logits: Any) -> Any:
    """Return 1 for the label of each anchor; background and ignored anchors have none."""
    return ops.cast(ops.equal(classes, ops.arange(logits.shape[-1], dtype=classes.dtype)), logits.dtype)


def _cross_entropy(targets: Any, logits: Any) -> Any:
    return ops.maximum(logits, 0.0) - logits * targets + ops.log1p(ops.exp(-ops.abs(logits)))


def _count(classes: Any) -> Any:
    """Return 1 where an anchor counts, 0 where either answer would be half right."""
    return ops.cast(classes > IGNORED, "float32")


def _share(losses: Any, classes: Any) -> Any:
    """Return the sum of losses, divided by the number of anchors with a box to find."""
    return ops.sum(losses) / ops.maximum(ops.sum(ops.cast(classes > BACKGROUND, "float32")), 1.0)
