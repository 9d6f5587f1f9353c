"""What is particular to fitting a classifier."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from edge_runtime.training_run import SplitRow
from train.classification.dataset import Batches, ShuffledBatches
from train.classification.distillation import DistillationLoss
from train.classification.encoding import Encoding
from train.classification.epoch import EpochRecord
from train.classification.schedule import ClassifierSchedule
from train.evaluation.metrics import measure_accuracy
from train.fitting.distribution import Distribution
from train.fitting.schedule import Phase


class ClassifierTask:
    """Photos with one label each, cross-entropy, and accuracy; a `train.fitting.training.FittingTask`."""

    record = EpochRecord

    def __init__(
        self,
        model: keras.Model,
        training: Sequence[SplitRow],
        validation: Sequence[SplitRow],
        negatives: Sequence[Path],
        encoding: Encoding,
        schedule: ClassifierSchedule,
        distribution: Distribution,
    ) -> None:
        """Set up the data.

        Args:
            model: What is fitted, from `build_training_model`.
            training: Photos to learn from.
            validation: Photos to measure on.
            negatives: Pictures to learn from that show none of the classes.
            encoding: How photos become batches.
            schedule: How to fit.
            distribution: The devices that share each batch.
        """
        self._training = training
        self._negatives = negatives
        self._schedule = schedule
        self._data = (encoding, schedule.batch_size, distribution.part)
        self._validation = Batches(distribution.pad(validation), *self._data)
        self._photos = len(validation)
        self._labels = len(encoding.labels)
        self._taught = model.output_shape[-1] > self._labels
        self._predictor = distribution.gathering(model)

    def batches(self, phase: Phase, epoch: int) -> ShuffledBatches:
        """Return the training data; while the body is frozen no images are blended."""
        schedule = self._schedule if phase.whole_network else replace(self._schedule, mixed_share=0.0)
        return ShuffledBatches(self._training, *self._data, negatives=self._negatives, schedule=schedule, epoch=epoch)

    def losses(self) -> dict[str, Any]:
        """Return smoothed cross-entropy, weighed against what teachers say where there are any."""
        smoothing = self._schedule.label_smoothing
        if self._taught:
            return {"loss": DistillationLoss(smoothing, self._schedule.distillation)}
        return {"loss": keras.losses.CategoricalCrossentropy(label_smoothing=smoothing)}

    def measure(self) -> dict[str, float]:
        """Return both accuracies on the validation photos."""
        # What follows the answers is the teachers'.
        scores = self._predictor.predict(self._validation, verbose=0)[: self._photos, : self._labels]
        accuracy = measure_accuracy(self._validation.targets[: self._photos], np.argmax(scores, axis=1))
        return {"validation_top1": accuracy.top1, "validation_macro": accuracy.macro}
