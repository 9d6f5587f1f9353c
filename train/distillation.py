"""Learning from larger networks' answers beside the labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from edge_runtime.errors import DataError
from edge_runtime.spec import InputSpec
from edge_runtime.training_run import TrainingRun
from train.keras_files import load_model

_LEAST_PROBABILITY = 1e-7


class Distillation(keras.layers.Layer):  # type: ignore[misc]
    """Passes a student's probabilities through and adds their divergence from its teachers' as a loss.

    The teachers see the very image that the student sees, augmentation included: Beyer et al., "Knowledge
    distillation: A good teacher is patient and consistent", CVPR 2022. Outside training they are not run.
    """

    def __init__(self, teachers: Sequence[keras.Model], weight: float) -> None:
        """Hold the teachers.

        Args:
            teachers: Models from normalised images to probabilities; their answers are averaged.
            weight: Of the mean Kullback-Leibler divergence of the student from the teachers.
        """
        super().__init__(name="distillation")
        self._teachers = list(teachers)
        self._weight = weight
        for teacher in self._teachers:
            teacher.trainable = False

    def call(self, inputs: tuple[Any, Any], training: bool | None = None) -> Any:
        """Take (images, student's probabilities), return the latter."""
        images, answers = inputs
        if training:
            wanted = keras.ops.mean([teacher(images, training=False) for teacher in self._teachers], axis=0)
            divergence = keras.losses.kl_divergence(wanted, keras.ops.maximum(answers, _LEAST_PROBABILITY))
            self.add_loss(self._weight * keras.ops.mean(divergence))
        return answers


def load_teachers(runs: Sequence[Path], labels: tuple[str, ...], spec: InputSpec) -> tuple[keras.Model, ...]:
    """Load the models of finished runs as teachers.

    Raises:
        RunError: A run is unfinished or damaged.
        DataError: A run has other labels or expects another input.
    """
    return tuple(_load_teacher(TrainingRun(path), labels, spec) for path in runs)


def _load_teacher(run: TrainingRun, labels: tuple[str, ...], spec: InputSpec) -> keras.Model:
    teacher = run.read_spec()
    if teacher.heads[0].labels != labels:
        raise DataError(f"The teacher {run.path} tells other classes apart; name a run on the same labels.")
    if teacher.input != spec:
        raise DataError(
            f"The teacher {run.path} takes another image size or normalisation than the student; "
            "train both with the same --image-size."
        )
    return load_model(run.model_path)
