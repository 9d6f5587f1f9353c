"""What one epoch of a classifier came to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """What one epoch of a classifier came to.

    Attributes:
        phase: `head` or `body`.
        epoch: One-based within the phase.
        loss: Mean training loss.
        learning_rate: At the end of the epoch.
        validation_top1: Share of validation photos answered rightly, in [0, 1].
        validation_macro: Mean over classes of that share, in [0, 1].
        seconds: Wall time.
    """

    phase: str
    epoch: int
    loss: float
    learning_rate: float
    validation_top1: float
    validation_macro: float
    seconds: float

    @property
    def score(self) -> float:
        """Each class counts the same."""
        return self.validation_macro

    @property
    def quality(self) -> str:
        """Both accuracies."""
        return f"validation top-1 {100 * self.validation_top1:.2f} %, macro {100 * self.validation_macro:.2f} %"
