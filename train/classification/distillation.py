"""Learning from larger networks' answers beside the labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
from keras import ops

from edge_runtime.errors import DataError
from edge_runtime.spec import InputSpec
from edge_runtime.training_run import TrainingRun
from train.networks.keras_files import load_model

_LEAST_PROBABILITY = 1e-7


class Teaching(keras.layers.Layer):  # type: ignore[misc]
    """Puts the mean of the teachers' answers beside the student's, for `DistillationLoss`.

    The teachers see the very image that the student sees, augmentation included: Beyer et al., "Knowledge
    distillation: A good teacher is patient and consistent", CVPR 2022. Outside training they are not run.
    """

    def __init__(self, teachers: Sequence[keras.Model]) -> None:
        """Hold the teachers, models from normalised images to probabilities."""
        super().__init__(name="teaching")
        self._teachers = list(teachers)
        for teacher in self._teachers:
            teacher.trainable = False

    def call(self, inputs: tuple[Any, Any], training: bool | None = None) -> Any:
        """Take (images, (batch, labels) answers), return (batch, 2 * labels): the answers, then the teachers'."""
        images, answers = inputs
        if not training:
            return ops.concatenate([answers, answers], axis=-1)
        taught = ops.mean([teacher(images, training=False) for teacher in self._teachers], axis=0)
        return ops.concatenate([answers, taught], axis=-1)


class DistillationLoss(keras.losses.Loss):  # type: ignore[misc]
    """Cross-entropy of the labels, weighed against the divergence from the teachers' answers.

    What a picture shows that is of none of the classes, a teacher cannot say; it may never have seen such a one. There
    the labels, all alike, count alone. Where there are two classes only, a blend of both looks like such a picture, and
    the labels count more.
    """

    def __init__(self, label_smoothing: float, weight: float) -> None:
        """Set the shares.

        Args:
            label_smoothing: Share of each target spread over all classes, in [0, 1).
            weight: Of the Kullback-Leibler divergence of the student from the teachers, in [0, 1].
        """
        super().__init__(name="distillation_loss")
        self._label_smoothing = label_smoothing
        self._weight = weight

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the (batch,) losses of what `Teaching` returns against (batch, labels) probabilities."""
        answers, taught = ops.split(y_pred, 2, axis=-1)
        labels = answers.shape[-1]
        # Of a blended image, the share that shows none of the classes.
        nameless = labels * ops.min(y_true, axis=-1)
        weight = self._weight * (1.0 - nameless)
        told = keras.losses.categorical_crossentropy(y_true, answers, label_smoothing=self._label_smoothing)
        divergence = keras.losses.kl_divergence(taught, ops.maximum(answers, _LEAST_PROBABILITY))
        return (1.0 - weight) * told + weight * divergence


def load_teachers(runs: Sequence[Path], labels: tuple[str, ...], spec: InputSpec) -> tuple[keras.Model, ...]:
    """Load the models of finished runs as teachers.

    Raises:
        RunError: A run is unfinished or damaged.
        DataError: A run has other labels or expects another input.
    """
    return tuple(_load_teacher(TrainingRun(path), labels, spec) for path in runs)


def _load_teacher(run: TrainingRun, labels: tuple[str, ...], spec: InputSpec) -> keras.Model:
    teacher = run.read_spec()
    if [head.labels for head in teacher.heads] != [labels]:
        raise DataError(f"The teacher {run.path} tells other classes apart; name a run on the same labels.")
    if teacher.input != spec:
        raise DataError(
            f"The teacher {run.path} takes another image size or normalisation than the student; "
            "train both with the same --image-size."
        )
    return load_model(run.model_path)
