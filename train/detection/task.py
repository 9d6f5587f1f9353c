"""What is particular to fitting a detector."""

import math
from dataclasses import replace
from typing import Any

import keras

from edge_runtime.coco import LOWEST_SCORE, measure_coco
from edge_runtime.spec import DetectionSpec, InputSpec
from edge_runtime.training_run import Split
from train.detection.anchors import Anchors
from train.detection.augmentation import augment, retouch
from train.detection.data import DetectionData
from train.detection.dataset import Augment, DetectionBatches, SampleReader
from train.detection.epoch import DetectorEpoch
from train.detection.losses import SCORE_LOSSES, DetectionLoss
from train.detection.matching import Matcher
from train.detection.measuring import detect_photos, to_truth
from train.detection.sample import Sample
from train.fitting.schedule import Phase, Schedule

_WHOLE_SHARE = 0.25


class DetectorTask:
    """Photos with boxes, box and score losses, and COCO's average precision; a `train.fitting.training.FittingTask`."""

    record = DetectorEpoch

    def __init__(
        self,
        detector: keras.Model,
        data: DetectionData,
        anchors: Anchors,
        spec: InputSpec,
        detection: DetectionSpec,
        loss: str,
        schedule: Schedule,
    ) -> None:
        """Set up the data.

        Args:
            detector: What is measured, from `build_detector`.
            data: Photos and boxes.
            anchors: (anchors, 4) float32 that the detector was built for.
            spec: The input contract.
            detection: Labels, and which boxes are answers; the threshold is not that of measuring.
            loss: Key of `SCORE_LOSSES`.
            schedule: How to fit.
        """
        self._detector = detector
        self._anchors = anchors
        self._spec = spec
        self._detection = replace(detection, threshold=LOWEST_SCORE)
        self._loss = loss
        self._schedule = schedule
        self._read = SampleReader(data.images, data.labels)
        self._training, self._validation = data.of(Split.TRAIN), data.of(Split.VALIDATION)
        self._truth = to_truth(self._validation)

    def batches(self, phase: Phase, epoch: int) -> DetectionBatches:
        """Return the training data, the same in every phase."""
        return self._make_batches(epoch)

    def _make_batches(self, epoch: int) -> DetectionBatches:
        matcher, schedule = Matcher(self._anchors), self._schedule
        return DetectionBatches(
            self._training,
            self._read,
            self._choose_augmentation,
            matcher,
            self._spec,
            schedule.batch_size,
            schedule.seed,
            epoch,
        )

    def _choose_augmentation(self, epoch: int) -> Augment:
        """Let the last epochs see photos as they are.

        Mosaics and parts have other sizes and edges of boxes than photos have. Source: Ge et al., "YOLOX", 2021,
        section 2.2.
        """
        schedule = self._schedule
        if epoch < schedule.head_epochs + schedule.epochs - math.ceil(_WHOLE_SHARE * schedule.epochs):
            return augment
        return lambda sample, _others, random: retouch(sample, random)

    def show_samples(self, count: int) -> list[Sample]:
        """Return augmented training samples, as many as there are at most."""
        batches = self._make_batches(0)
        return [batches.make_sample(index) for index in range(min(count, len(self._training)))]

    def losses(self) -> dict[str, Any]:
        """Return the loss of encodings and logits."""
        return {"loss": DetectionLoss(SCORE_LOSSES[self._loss])}

    def measure(self) -> dict[str, float]:
        """Return COCO's average precisions on the validation photos."""
        found = detect_photos(self._detector, self._validation, self._read, self._anchors, self._spec, self._detection)
        scores = measure_coco(self._truth, found, self._detection.labels)
        return {"validation_map": scores.map, "validation_map50": scores.map50}
