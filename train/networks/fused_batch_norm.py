"""Batch norms of one operation each on TensorFlow, where Keras computes them by many."""

from collections.abc import Sequence
from typing import Any

import keras

_PLAIN_CALL = keras.layers.BatchNormalization.call


def fuse_batch_norms() -> None:
    """Let batch norms of this process run as one operation from now on, where TensorFlow is the backend.

    Keras 3 takes the moments, scales and shifts by operations of their own, each of which passes over all activations,
    forwards and backwards: a third of a step's time on a CPU (bench/training_step.py). Layers, weights and saved
    models stay Keras's own. It has no setting for this, so the method itself is replaced.
    """
    if keras.backend.backend() == "tensorflow":
        keras.layers.BatchNormalization.call = _call


def _call(layer: keras.layers.BatchNormalization, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
    if mask is not None or not _is_usual(layer, inputs):
        return _PLAIN_CALL(layer, inputs, training=training, mask=mask)
    if not (training and layer.trainable):
        return _normalize(layer, inputs, [layer.moving_mean, layer.moving_variance])[0]
    outputs, mean, variance = _normalize(layer, inputs, [(), ()])
    # The operation returns the unbiased variance; Keras follows the biased one.
    count = keras.ops.cast(keras.ops.prod(keras.ops.shape(inputs)[:-1]), "float32")
    for moving, value in ((layer.moving_mean, mean), (layer.moving_variance, variance * (count - 1) / count)):
        moving.assign(moving * layer.momentum + value * (1 - layer.momentum))
    return outputs


def _is_usual(layer: keras.layers.BatchNormalization, inputs: Any) -> bool:
    plain = layer.scale and layer.center and not layer.synchronized and not getattr(layer, "renorm", False)
    of_channels = len(inputs.shape) == 4 and layer.axis in (-1, 3)
    return bool(plain and of_channels and inputs.dtype == layer.compute_dtype == "float32")


def _normalize(layer: keras.layers.BatchNormalization, inputs: Any, moments: Sequence[Any]) -> tuple[Any, Any, Any]:
    """Return outputs, mean and unbiased variance; with moments of no numbers those of the inputs are taken."""
    import tensorflow as tf

    mean, variance = (tf.convert_to_tensor(each, tf.float32) for each in moments)
    outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=inputs,
        scale=tf.convert_to_tensor(layer.gamma),
        offset=tf.convert_to_tensor(layer.beta),
        mean=mean,
        variance=variance,
        epsilon=layer.epsilon,
        is_training=mean.shape == (0,),
    )
    return outputs, mean, variance
