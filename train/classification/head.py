"""A classifier's last layer, begun as another one's of the same labels."""

import logging
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from edge_runtime.spec import ModelSpec
from edge_runtime.training_run import TrainingRun
from train.networks.keras_files import load_model
from train.networks.tflite_weights import read_dense_layers, read_own_spec
from train.networks.weights import are_of_a_run, are_of_tflite

log = logging.getLogger(__name__)

_Head = list[NDArray[np.float32]]
"""Kernel (features, labels) and bias (labels), float32."""


def take_over_head(classifier: keras.Model, labels: tuple[str, ...], weights: str) -> None:
    """Give a classifier the last layer of the model that its body began with, where that knows the same labels.

    Args:
        classifier: From `train.networks.architectures.build_classifier`, its body loaded from `weights`.
        labels: Its labels.
        weights: As given to `build_classifier`. Any that tell no labels, such as published ones, change nothing.
    """
    head = _read_head(Path(weights), labels)
    last = classifier.layers[-1]
    if head is not None and [each.shape for each in head] == [each.shape for each in last.weights]:
        last.set_weights(head)
        log.info("the head begins as in %s: its labels are the same", weights)


def _read_head(weights: Path, labels: tuple[str, ...]) -> _Head | None:
    if are_of_a_run(str(weights)):
        run = TrainingRun(weights.parent)
        fits = weights == run.model_path and run.spec_path.exists() and _knows(run.read_spec(), labels)
        return load_model(weights).layers[-1].get_weights() if fits else None
    return _read_tflite_head(weights.read_bytes(), labels) if are_of_tflite(str(weights)) else None


def _read_tflite_head(model: bytes, labels: tuple[str, ...]) -> _Head | None:
    spec = read_own_spec(model)
    if spec is None:
        return None
    layers = read_dense_layers(model)
    return [layers[-1].kernel, layers[-1].bias] if layers and _knows(spec, labels) else None


def _knows(spec: ModelSpec, labels: tuple[str, ...]) -> bool:
    return [head.labels for head in spec.heads] == [labels]
