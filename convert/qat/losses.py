"""How far a network that rounds is from the answers of the one that does not: no label is needed.

Distillation (Hinton et al., "Distilling the Knowledge in a Neural Network", 2015), the teacher being the float network.
"""

from collections.abc import Sequence

import tensorflow as tf

_LEAST = 1e-6


def classifier_loss(taught: Sequence[tf.Tensor], given: Sequence[tf.Tensor]) -> tf.Tensor:
    """Return the cross entropy of scores with the teacher's, a scalar.

    Args:
        taught: The teacher's scores alone, (batch, labels).
        given: Likewise of the network in training.
    """
    return -tf.reduce_mean(tf.reduce_sum(taught[0] * tf.math.log(given[0] + _LEAST), axis=-1))


def detector_loss(taught: Sequence[tf.Tensor], given: Sequence[tf.Tensor]) -> tf.Tensor:
    """Return the binary cross entropy of scores and the error of encodings, each per box that the teacher finds.

    Args:
        taught: The teacher's encodings (batch, anchors, 4) and scores (batch, anchors, labels).
        given: Likewise of the network in training.
    """
    (encodings, scores), (found, answers) = taught, given
    surest = tf.reduce_max(scores, axis=-1)
    entropy = scores * tf.math.log(answers + _LEAST) + (1 - scores) * tf.math.log(1 - answers + _LEAST)
    # Of boxes that nobody will see, it does not matter where they are.
    distances = surest * tf.reduce_sum(tf.abs(encodings - found), axis=-1)
    return (tf.reduce_sum(distances) - tf.reduce_sum(entropy)) / (tf.reduce_sum(surest) + 1)
