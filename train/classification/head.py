"""A classifier's last layer, begun as another one's where both know labels of the same names."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import keras
import numpy as np
from numpy.typing import NDArray

from edge_runtime.spec import ModelSpec
from edge_runtime.training_run import TrainingRun
from train.networks.keras_files import load_model
from train.networks.tflite_weights import read_dense_layers, read_own_spec
from train.networks.weights import are_of_a_run, are_of_tflite

log = logging.getLogger(__name__)

_SHOWN_LABELS: Final = 8
"""A model may know hundreds."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Some of the photos that will be learnt.

    Attributes:
        images: (photos, height, width, 3) normalised float32.
        targets: (photos, labels) float32, 1 for the label of a photo and 0 for the others.
    """

    images: NDArray[np.float32]
    targets: NDArray[np.float32]


def take_over_head(classifier: keras.Model, labels: tuple[str, ...], weights: str, sample: Sample) -> None:
    """Give a classifier what the model that its body began with knows of the same labels.

    New labels begin at the mean of all that the model knows, raised until as many photos of the sample are answered
    with a new one as show one. At the mean itself they would never be answered, and take long to come up.

    Args:
        classifier: From `train.networks.architectures.build_classifier`, its body loaded from `weights`.
        labels: Its labels.
        weights: As given to `build_classifier`. Any that tell no labels, such as published ones, change nothing, nor do
            those of a model that knows none of these.
        sample: Training photos.
    """
    known = _read_labels(Path(weights))
    if not known:
        return
    new = [label for label in labels if label not in known]
    if len(new) == len(labels):
        log.info("the head begins afresh: %s knows none of the labels, only %s", weights, _list_labels(known))
        return
    earlier, last = _read_head(Path(weights)), classifier.layers[-1]
    head = [_choose_columns(each, known, labels) for each in earlier if each.shape[-1] == len(known)]
    if [each.shape for each in head] != [each.shape for each in last.weights]:
        return
    last.set_weights(head)
    if new:
        _raise_new(classifier, np.isin(labels, new), sample)
    anew = f"; begun anew: {_list_labels(new)}" if new else ""
    log.info(
        "the head begins as in %s, which knows %d of %d labels%s", weights, len(labels) - len(new), len(labels), anew
    )


def _choose_columns(
    weights: NDArray[np.float32], known: tuple[str, ...], labels: tuple[str, ...]
) -> NDArray[np.float32]:
    """Return weights whose last axis is that of `known` with that of `labels`, new ones at the mean."""
    columns = dict(zip(known, np.moveaxis(weights, -1, 0), strict=True))
    mean = weights.mean(axis=-1)
    return np.stack([columns.get(label, mean) for label in labels], axis=-1)


def _raise_new(classifier: keras.Model, is_new: NDArray[np.bool_], sample: Sample) -> None:
    """Raise the biases of new labels, which still answer alike."""
    last = classifier.layers[-1]
    kernel, bias = last.get_weights()
    answers = keras.Model(classifier.input, last.input).predict(sample.images, verbose=0) @ kernel + bias
    behind = answers[:, ~is_new].max(axis=1) - answers[:, is_new].max(axis=1)
    last.set_weights([kernel, bias + is_new * np.quantile(behind, sample.targets[:, is_new].sum(axis=1).mean())])


def _read_labels(weights: Path) -> tuple[str, ...]:
    """Return the labels of the model that weights are of, where they tell of one with a single head."""
    spec = _read_spec(weights)
    return spec.heads[0].labels if spec is not None and len(spec.heads) == 1 else ()


def _read_spec(weights: Path) -> ModelSpec | None:
    if are_of_a_run(str(weights)):
        run = TrainingRun(weights.parent)
        return run.read_spec() if weights == run.model_path and run.spec_path.exists() else None
    return read_own_spec(weights.read_bytes()) if are_of_tflite(str(weights)) else None


def _read_head(weights: Path) -> list[NDArray[np.float32]]:
    """Return kernel (features, labels) and bias (labels), float32; nothing of a network without a dense layer."""
    if are_of_a_run(str(weights)):
        return list(load_model(weights).layers[-1].get_weights())
    layers = read_dense_layers(weights.read_bytes())
    return [layers[-1].kernel, layers[-1].bias] if layers else []


def _list_labels(labels: Sequence[str]) -> str:
    more = len(labels) - _SHOWN_LABELS
    return ", ".join(labels[:_SHOWN_LABELS]) + (f" and {more} more" if more > 0 else "")
