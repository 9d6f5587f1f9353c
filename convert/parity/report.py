"""What a parity report says, as plain values."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convert.detection_evaluation import StagePrecision
from convert.evaluation import StageAccuracy
from edge_runtime.estimates import BootstrapEstimate, Estimate, PairedTest
from edge_runtime.results import Classification, Detection
from edge_runtime.spec import Task
from edge_runtime.training_run import Split

Stages = tuple[StageAccuracy, ...] | tuple[StagePrecision, ...]
"""The Keras model first, the file for the device last."""

FORMAT: Final = 1
"""Of `parity.json`; greater where a reader of the former would misunderstand it."""


@dataclass(frozen=True, slots=True)
class Change:
    """What the way from the Keras model to the file costs, on the same photos.

    Attributes:
        quantity: `top-1` or `mAP`.
        difference: Last stage minus first stage, with its 95 % interval; a detector's may have none.
        flips: Photos that only one of the two answers rightly; None for a detector, whose photos hold many answers.
    """

    quantity: str
    difference: Estimate | BootstrapEstimate
    flips: PairedTest | None


@dataclass(frozen=True, slots=True)
class ScoreDrift:
    """How far a stage's scores are from those of the Keras model, as absolute differences in [0, 1].

    Compared are the scores of the same answer: a classifier's of the label that the Keras model gives, a detector's
    of the boxes that both have.

    Attributes:
        stage: Name of the stage.
        mean: Mean difference; None, as the others, where there is no box that both have.
        percentile_95: 95 % of the answers differ by no more.
        largest: Greatest difference.
    """

    stage: str
    mean: float | None
    percentile_95: float | None
    largest: float | None


@dataclass(frozen=True, slots=True)
class LabelDisagreement:
    """A photo to which the Keras model and the file give different labels.

    Attributes:
        image: Path relative to the folder of photos.
        true: The right label.
        first: The Keras model's answer.
        last: The file's.
    """

    image: str
    true: str
    first: Classification
    last: Classification


@dataclass(frozen=True, slots=True)
class BoxDisagreement:
    """A photo on which the Keras model and the file find different boxes.

    Attributes:
        image: Path relative to the folder of photos.
        agreement: Share of boxes that both have, in [0, 1].
        shared: The Keras model's boxes that the file has too.
        first_only: Those that the file lacks.
        last_only: The file's that the Keras model lacks.
    """

    image: str
    agreement: float
    shared: tuple[Detection, ...]
    first_only: tuple[Detection, ...]
    last_only: tuple[Detection, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """What the stages of one model answered to the same photos.

    Attributes:
        photos: How many there were.
        stages: Accuracy or precision of each stage.
        agreement: Share of answers of the last stage that are those of the first, with its 95 % interval; a detector's
            may have none. None where neither stage of a detector reports a box.
        change: What it costs in accuracy or precision.
        drifts: One entry per stage after the first.
        scores: (answers, 2) float64, the first and the last stage's score of the same answer.
        overlaps: (boxes,) float64, the IoU of each box that both have; empty for a classifier.
        curves: (101,) float64 precision of the last stage at the recalls 0, 0.01 ... 1 by label, boxes with an IoU of
            0.5 or more; empty for a classifier.
        disagreements: The surest ones, or those with the most different boxes, first.
    """

    photos: int
    stages: Stages
    agreement: Estimate | BootstrapEstimate | None
    change: Change
    drifts: tuple[ScoreDrift, ...]
    scores: NDArray[np.float64]
    overlaps: NDArray[np.float64]
    curves: Mapping[str, NDArray[np.float64]]
    disagreements: tuple[LabelDisagreement, ...] | tuple[BoxDisagreement, ...]


class Cause(StrEnum):
    """What makes most of a layer's own noise.

    `CLIPPING` is of values beyond the layer's range, `RANGE` of a range that the values fill in part only,
    `RESOLUTION` of steps that suit the largest channels alone, `WEIGHTS` of rounded weights.
    """

    CLIPPING = "clipping"
    RANGE = "range"
    RESOLUTION = "resolution"
    WEIGHTS = "weights"


@dataclass(frozen=True, slots=True)
class LayerNoise:
    """How exact a layer of the int8 graph is, as signal-to-quantisation-noise ratios (SQNR) in dB.

    Attributes:
        index: Place of its operation in the int8 graph.
        name: Name of its output.
        kind: Operation, for example `CONV_2D`.
        shape: Of its output.
        sqnr: 10 log10(sum x^2 / sum (x - x')^2), x being its float output and x' the int8 graph's: all noise that has
            gathered up to here. None where there is no noise.
        own: What the layer adds by itself: its weights and its output, rounded to their own steps. Median over
            channels, since one large channel would hide what the others lose. None where there is no noise.
        cause: What makes most of `own`.
    """

    index: int
    name: str
    kind: str
    shape: tuple[int, ...]
    sqnr: float | None
    own: float | None
    cause: Cause


@dataclass(frozen=True, slots=True)
class ParityReport:
    """All that a report says.

    Attributes:
        name: The model's.
        task: What it is for.
        sha256: Of the file.
        sizes: Bytes of each stage's file, by name of the stage.
        calibration: What int8 ranges were measured on, as the file's metadata say.
        split: Which photos of the run were asked.
        measurement: What the stages answered.
        layers: In the order of the graph; empty where the float network that was rounded is not to be had.
        layer_photos: On how many photos layers were compared.
        operations: How many of each kind the file has.
        float_tensors: How many of its tensors are float.
        bound: Least agreement asked for, in [0, 1]; None without one.
    """

    name: str
    task: Task
    sha256: str
    sizes: Mapping[str, int]
    calibration: Mapping[str, Any]
    split: Split
    measurement: Measurement
    layers: tuple[LayerNoise, ...]
    layer_photos: int
    operations: Mapping[str, int]
    float_tensors: int
    bound: float | None

    @property
    def holds(self) -> bool:
        """Whether the agreement is known and reaches the bound."""
        agreement = self.measurement.agreement
        return self.bound is None or (agreement is not None and agreement.value >= self.bound)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        measured = self.measurement
        return {
            "format": FORMAT,
            "model": {"name": self.name, "task": self.task.value, "sha256": self.sha256, "sizes": dict(self.sizes)},
            "calibration": dict(self.calibration),
            "photos": measured.photos,
            "split": self.split.value,
            "bound": self.bound,
            "holds": self.holds,
            "stages": [dataclasses.asdict(stage) for stage in measured.stages],
            "agreement": None if measured.agreement is None else dataclasses.asdict(measured.agreement),
            "change": dataclasses.asdict(measured.change),
            "drift": [dataclasses.asdict(drift) for drift in measured.drifts],
            "disagreements": [dataclasses.asdict(each) for each in measured.disagreements],
            "layer_photos": self.layer_photos,
            "layers": [dataclasses.asdict(layer) for layer in self.layers],
            "operations": dict(self.operations),
            "float_tensors": self.float_tensors,
        }
