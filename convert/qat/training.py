"""Fine-tuning a network so that rounding costs it less."""

import dataclasses
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from convert.layers.building import build_model
from convert.layers.network import Array, Layer, Network
from convert.layers.probing import answer, as_list, measure_difference
from convert.qat.lessons import Lessons
from convert.qat.losses import classifier_loss, detector_loss
from convert.qat.quantizing import build_quantized_twin, build_twin
from convert.qat.toolkit import load_toolkit
from edge_runtime.errors import ConversionError
from edge_runtime.preprocess import normalize
from edge_runtime.spec import Task

_BATCH: Final = 16
_LEARNING_RATE: Final = 3e-5
_TOLERANCE: Final = 1e-4

log = logging.getLogger(__name__)


def fine_tune(network: Network, teacher: Network, calibration: Sequence[Array], lessons: Lessons) -> Network:
    """Return the network with weights that were trained while being rounded.

    Args:
        network: Batch norms folded.
        teacher: What it is to answer like when it is rounded.
        calibration: (height, width, 3) float32 normalised images, to begin with the ranges that they give.
        lessons: What to train on.

    Raises:
        ConversionError: The tf-keras twin answers otherwise than the network, or training diverges.
    """
    toolkit = load_toolkit()
    guide = build_twin(teacher, toolkit)
    _check_twin(teacher, guide, calibration[0])
    student, variables = build_quantized_twin(network, toolkit)
    for image in calibration:
        student(image[np.newaxis], training=True)
    steps = lessons.epochs * -(-len(lessons.photos) // _BATCH)
    rate = toolkit.keras.optimizers.schedules.CosineDecay(_LEARNING_RATE, steps)
    step = _make_step(guide, student, toolkit.keras.optimizers.Adam(rate), lessons.task)
    with tqdm(total=steps, desc="quantisation-aware training", unit="step", disable=None) as bar:
        for epoch in range(lessons.epochs):
            losses = [float(step(batch)) for batch in _report(_batches(lessons, epoch), bar)]
            log.info("epoch %d/%d: distance from the float network %.4f", epoch + 1, lessons.epochs, np.mean(losses))
    return network.map_layers(lambda layer: _take_over(layer, variables))


def _check_twin(network: Network, twin: Any, image: Array) -> None:
    difference = measure_difference(answer(build_model(network, keras), image), answer(twin, image))
    if not difference <= _TOLERANCE:
        raise ConversionError(
            f"The network built again in tf-keras answers differently (by {difference:.2g}), so it cannot be trained "
            "there; take the recipe int8-corrected."
        )


def _make_step(guide: Any, student: Any, optimizer: Any, task: Task) -> Callable[[Array], tf.Tensor]:
    loss_of = detector_loss if task is Task.DETECTION else classifier_loss

    def step(images: tf.Tensor) -> tf.Tensor:
        taught = as_list(guide(images, training=False))
        with tf.GradientTape() as tape:
            loss = loss_of(taught, as_list(student(images, training=True)))
        trained = student.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, trained), trained, strict=True))
        return loss

    compiled: Callable[[Array], tf.Tensor] = tf.function(step, reduce_retracing=True, autograph=False)
    return compiled


def _batches(lessons: Lessons, epoch: int) -> Iterator[Array]:
    """Yield the photos of an epoch in random order, half of them mirrored."""
    random = np.random.default_rng(epoch)
    order = random.permutation(len(lessons.photos))
    for start in range(0, len(order), _BATCH):
        photos = lessons.photos[order[start : start + _BATCH]]
        mirrored = random.random(len(photos)) < 0.5
        photos[mirrored] = photos[mirrored, :, ::-1]
        yield normalize(photos, lessons.spec)


def _report(batches: Iterator[Array], bar: Any) -> Iterator[Array]:
    for batch in batches:
        yield batch
        bar.update()


def _take_over(layer: Layer, variables: Any) -> Layer:
    weights = tuple(variable.numpy() for variable in variables.get(layer.name, ()))
    if not all(np.isfinite(each).all() for each in weights):
        raise ConversionError("Quantisation-aware training has diverged; take the recipe int8-corrected.")
    return dataclasses.replace(layer, weights=weights)
