"""What a detector minimises; backend neutral.

Both losses divide by the number of anchors of the batch that have a box to find, as the sources do.
"""

from typing import Any

import keras
from keras import ops

from train.detection.matching import BACKGROUND, IGNORED

_ALPHA = 0.25
_NEGATIVES_PER_POSITIVE = 3
_FEWEST_NEGATIVES = 10
"""Of a photo; without them a photo that shows no object would teach nothing."""


class BoxLoss(keras.losses.Loss):  # type: ignore[misc]
    """Smooth L1, summed over the four encodings. Source: Girshick, "Fast R-CNN", ICCV 2015, equation 3."""

    def __init__(self) -> None:
        super().__init__(name="box_loss", reduction="sum")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of (batch, anchors, 4) encodings against (batch, anchors, 5) `Targets.encodings`."""
        found = y_true[..., 4]
        distance = ops.abs(y_true[..., :4] - y_pred)
        smooth = ops.where(distance < 1.0, 0.5 * ops.square(distance), distance - 0.5)
        return ops.sum(ops.sum(smooth, axis=-1) * found) / ops.maximum(ops.sum(found), 1.0)


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


def _one_hot(classes: Any, logits: Any) -> Any:
    """Return 1 for the label of each anchor; background and ignored anchors have none."""
    return ops.cast(ops.equal(classes, ops.arange(logits.shape[-1], dtype=classes.dtype)), logits.dtype)


def _cross_entropy(targets: Any, logits: Any) -> Any:
    return ops.maximum(logits, 0.0) - logits * targets + ops.log1p(ops.exp(-ops.abs(logits)))


def _positives(classes: Any) -> Any:
    return ops.maximum(ops.sum(ops.cast(classes > BACKGROUND, "float32")), 1.0)
