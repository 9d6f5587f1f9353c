"""What one epoch of a detector came to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DetectorEpoch:
    """What one epoch of a detector came to.

    Attributes:
        phase: `head` or `body`.
        epoch: One-based within the phase.
        loss: Mean training loss.
        learning_rate: At the end of the epoch.
        validation_map: COCO's mean average precision on the validation photos, in [0, 1].
        validation_map50: The same at the IoU threshold 0.5.
        seconds: Wall time.
    """

    phase: str
    epoch: int
    loss: float
    learning_rate: float
    validation_map: float
    validation_map50: float
    seconds: float

    @property
    def score(self) -> float:
        """COCO's mean average precision."""
        return self.validation_map

    @property
    def quality(self) -> str:
        """Both precisions."""
        return f"validation mAP {self.validation_map:.4f}, mAP50 {self.validation_map50:.4f}"
