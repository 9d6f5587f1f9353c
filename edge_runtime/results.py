"""What a model says about a frame, as plain values.

Boxes are (x_min, y_min, x_max, y_max) in pixels of the frame as it is looked at: turned and cut to a region where that
was asked for. Scores are probabilities in [0, 1], times are milliseconds.
"""

from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from edge_runtime.boxes import Box


@dataclass(frozen=True, slots=True)
class Classification:
    """One label and its score in [0, 1]."""

    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Detection:
    """One garment found in a frame.

    Attributes:
        label: Class name.
        score: Probability in [0, 1].
        box: (x_min, y_min, x_max, y_max) in pixels of the frame as it is looked at.
        classifications: What a classifier says about the box, best first, empty when no score reaches its threshold;
            None when no classifier was asked.
    """

    label: str
    score: float
    box: Box
    classifications: tuple[Classification, ...] | None = None

    def enlarged(self, times: int) -> "Detection":
        """Return the detection in a picture so many times as high and as wide."""
        x_min, y_min, x_max, y_max = self.box
        return replace(self, box=(x_min * times, y_min * times, x_max * times, y_max * times))

    def to_dict(self) -> dict[str, Any]:
        """Return the detection as JSON-ready values; `classifications` is present where a classifier was asked."""
        values = {"label": self.label, "score": self.score, "box": self.box}
        if self.classifications is not None:
            values["classifications"] = [asdict(each) for each in self.classifications]
        return values


@dataclass(frozen=True, slots=True)
class StageTimes:
    """Wall time spent on one frame, by stage, in milliseconds.

    Attributes:
        capture: Reading and decoding. For a live source, the wait for the next frame.
        preprocess: Resize, colour order and the copy into the input tensor.
        inference: The interpreter's `invoke`.
        postprocess: Reading the output tensors and ranking.
    """

    capture: float
    preprocess: float
    inference: float
    postprocess: float

    @property
    def answer(self) -> float:
        """All stages but capture, which for a camera is mostly waiting."""
        return self.preprocess + self.inference + self.postprocess


@dataclass(frozen=True, slots=True)
class Recognition:
    """A model's answer for one frame, without knowledge of where the frame came from.

    Attributes:
        classifications: Best first; empty when no score reaches the threshold.
        detections: Best first; None when the model is no detector.
        preprocess_ms: Milliseconds spent on preprocessing.
        inference_ms: Milliseconds spent in the interpreter.
        postprocess_ms: Milliseconds spent on the outputs.
    """

    classifications: tuple[Classification, ...]
    detections: tuple[Detection, ...] | None
    preprocess_ms: float
    inference_ms: float
    postprocess_ms: float


@dataclass(frozen=True, slots=True)
class FrameResult:
    """A model's answer for one frame of one source.

    Attributes:
        source: File path, stream address, `camera:N` or `demo:GARMENT:SEED`.
        frame: Zero-based index of the frame within the run.
        timestamp: Unix time in seconds at which the frame was captured or read.
        video_s: Seconds from the start of the video that the frame is of; None of a picture and of a live source.
        width: Frame width in pixels.
        height: Frame height in pixels.
        classifications: Best first; empty when no score reaches the threshold.
        detections: Best first; None when the model is no detector.
        times: Milliseconds by stage.
        model_sha256: Hash of the model file that answered, 64 hexadecimal digits.
        classifier_sha256: Hash of the classifier's file that looked at the boxes again; None when there was none.
    """

    source: str
    frame: int
    timestamp: float
    video_s: float | None = field(default=None, kw_only=True)
    width: int
    height: int
    classifications: tuple[Classification, ...]
    detections: tuple[Detection, ...] | None
    times: StageTimes
    model_sha256: str
    classifier_sha256: str | None = None

    @property
    def answers(self) -> tuple[Classification, ...] | tuple[Detection, ...]:
        """What the model is there to say: a detector's boxes, else labels; best first."""
        return self.classifications if self.detections is None else self.detections

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON-ready values, without the keys that have nothing to say."""
        # `asdict` would copy every box before it is replaced.
        result = {each.name: getattr(self, each.name) for each in fields(self)}
        result["classifications"] = [asdict(each) for each in self.classifications]
        if self.detections is None:
            del result["detections"]
        else:
            result["detections"] = [detection.to_dict() for detection in self.detections]
        if self.classifier_sha256 is None:
            del result["classifier_sha256"]
        if self.video_s is None:
            del result["video_s"]
        else:
            result["video_s"] = round(self.video_s, 3)
        result["times_ms"] = {stage: round(ms, 3) for stage, ms in asdict(result.pop("times")).items()}
        return result
