"""What a classifier's schedule has beside that of every network."""

from dataclasses import dataclass

from train.fitting.schedule import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifierSchedule(Schedule):
    """How a classifier is fitted.

    Attributes:
        label_smoothing: Share of each target spread over all classes, in [0, 1).
        drawn_share: Drawings per photo added to each epoch.
        negative_share: Pictures without any class per photo added to each epoch, to be answered with no certainty.
        mixed_share: Share of batches whose images are blended by mixup or cutmix, in [0, 1].
        balance: From 0 (classes as frequent as in the photos) to 1 (all equally frequent).
        distillation: Weight of the teachers' answers beside the labels, in [0, 1].
    """

    label_smoothing: float = 0.0
    drawn_share: float = 0.0
    negative_share: float = 0.0
    mixed_share: float = 0.0
    balance: float = 0.0
    distillation: float = 0.0
