"""How a network is fitted: the numbers of a schedule, and when it is over."""

from collections.abc import Sequence
from dataclasses import dataclass

from train.fitting.checkpoint import Epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How any network on a pretrained body is fitted.

    Attributes:
        head_epochs: Epochs with the body frozen.
        epochs: Epochs with the whole network.
        batch_size: Photos per step.
        head_learning_rate: Peak rate while the body is frozen.
        learning_rate: Peak rate for the whole network; one epoch of linear warm-up, then a cosine to zero.
        ema: Momentum of the weights' moving average, which is what is measured and saved; 0 for none.
        frozen_share: Share of the body's layers, from the input on, that never train.
        patience: Epochs of the whole network without a better one before it ends; 0 for no end.
        seed: Of shuffling and all else that is drawn.
    """

    head_epochs: int
    epochs: int
    batch_size: int
    head_learning_rate: float
    learning_rate: float
    ema: float = 0.0
    frozen_share: float = 0.0
    patience: int = 0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Phase:
    """One stretch of training with the same layers and schedule."""

    name: str
    epochs: int
    learning_rate: float
    whole_network: bool


def phases(schedule: Schedule) -> tuple[Phase, Phase]:
    """Return the stretches of a schedule, in order."""
    return (
        Phase("head", schedule.head_epochs, schedule.head_learning_rate, whole_network=False),
        Phase("body", schedule.epochs, schedule.learning_rate, whole_network=True),
    )


def say_left(phase: Phase, done: int, seconds: Sequence[float], max_minutes: float | None) -> str:
    """Return how long the rest of a phase will take at most, as the end of a message.

    Args:
        phase: Of the head nothing is said, as an epoch of the whole network takes several times as long.
        done: Its finished epochs.
        seconds: Wall time of all epochs, oldest first; of a first one alone nothing is said, as it compiles, too.
        max_minutes: Time for all epochs together; None is no bound.
    """
    if not phase.whole_network or done < 2:
        return ""
    minutes = (phase.epochs - done) * seconds[-1] / 60
    if max_minutes is not None:
        minutes = min(minutes, max_minutes - sum(seconds) / 60)
    if minutes < 2:
        return ""
    return f", {minutes:.0f} minutes to go" if minutes < 120 else f", {minutes / 60:.0f} hours to go"


def reason_to_stop(history: Sequence[Epoch], patience: int, max_minutes: float | None) -> str | None:
    """Tell why a run should not begin another epoch, None where it should.

    Args:
        history: Finished epochs, oldest first.
        patience: Epochs of the whole network without a better one before it ends; 0 for no end.
        max_minutes: Time for all epochs together; the next one must fit, by the slowest so far. None: no bound.
    """
    scores = [record.score for record in history if record.phase == "body"]
    if patience and len(scores) - (scores.index(max(scores)) if scores else 0) > patience:
        return f"no better epoch for {patience} epochs"
    seconds = [record.seconds for record in history]
    if max_minutes is not None and seconds and sum(seconds) + max(seconds) > 60 * max_minutes:
        return f"another epoch would not fit into {max_minutes:g} minutes"
    return None
