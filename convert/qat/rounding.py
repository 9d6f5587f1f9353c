"""Rounding weights in training as the converter will round them."""

from typing import Final

import tensorflow as tf

_LEVELS: Final = 127


def round_kernel(kernel: tf.Tensor, *, depthwise: bool) -> tf.Tensor:
    """Round a kernel to int8, a scale per output channel, with the gradient of not rounding it.

    Bengio et al., "Estimating or Propagating Gradients Through Stochastic Neurons", 2013, call it straight-through.

    Args:
        kernel: float32, in Keras's shape.
        depthwise: Whether its last two axes are the output's channels, and not the last alone.
    """
    axes = (0, 1) if depthwise else tuple(range(len(kernel.shape) - 1))
    scale = tf.maximum(tf.reduce_max(tf.abs(kernel), axis=axes, keepdims=True), 1e-12) / _LEVELS
    return kernel + tf.stop_gradient(tf.round(kernel / scale) * scale - kernel)
