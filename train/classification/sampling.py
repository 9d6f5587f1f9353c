"""Which items one epoch shows."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edge_runtime.drawing import GARMENTS
from edge_runtime.training_run import SplitRow
from train.classification.items import Drawing, Item, Negative
from train.classification.schedule import ClassifierSchedule

FIRST_TRAINING_SEED = 1_000_000
"""Seeds of drawings from here on are for training; the demo and the tests draw from below it."""


def sample_epoch(
    photos: Sequence[SplitRow],
    negatives: Sequence[Path],
    labels: tuple[str, ...],
    schedule: ClassifierSchedule,
    random: np.random.Generator,
) -> list[Item]:
    """Choose what one epoch shows, in the order it shows it.

    Args:
        photos: All training photos.
        negatives: Pictures that show none of the classes; drawn scenes without a garment are added in equal number.
        labels: Class names.
        schedule: Shares and balance.
        random: Source of every choice.
    """
    items: list[Item] = [
        *balance_classes(photos, schedule.balance, random),
        *_draw(round(schedule.drawn_share * len(photos)), labels, random),
        *_take_negatives(round(schedule.negative_share * len(photos)), negatives, random),
    ]
    return [items[index] for index in random.permutation(len(items))]


def balance_classes(photos: Sequence[SplitRow], balance: float, random: np.random.Generator) -> list[SplitRow]:
    """Choose one epoch's photos so that rare classes are seen more often and common ones less.

    A class of n photos is seen in proportion to n^(1 - balance): whole rounds of its photos, and a random part of them
    for the rest.

    Args:
        photos: All training photos.
        balance: From 0 (every photo once) to 1 (every class equally often).
        random: Source of the random part.

    Returns:
        About as many photos as came in.
    """
    by_label: dict[str, list[SplitRow]] = {}
    for photo in photos:
        by_label.setdefault(photo.label, []).append(photo)
    shares = {label: len(members) ** (1 - balance) for label, members in by_label.items()}
    factor = len(photos) / sum(shares.values())
    chosen: list[SplitRow] = []
    for label, members in by_label.items():
        rounds, rest = divmod(round(factor * shares[label]), len(members))
        chosen += members * rounds + [members[index] for index in random.permutation(len(members))[:rest]]
    return chosen


def _draw(count: int, labels: tuple[str, ...], random: np.random.Generator) -> list[Drawing]:
    known = [label for label in labels if label in GARMENTS]
    if not known:
        return []
    return [Drawing(known[index % len(known)], seed) for index, seed in enumerate(_seeds(count, random))]


def _take_negatives(count: int, pictures: Sequence[Path], random: np.random.Generator) -> list[Negative]:
    drawn = count if not pictures else count // 2
    chosen = [pictures[index] for index in random.integers(len(pictures), size=count - drawn)] if pictures else []
    return [*map(Negative, chosen), *map(Negative, _seeds(drawn, random))]


def _seeds(count: int, random: np.random.Generator) -> list[int]:
    seeds: list[int] = random.integers(FIRST_TRAINING_SEED, 2**31, count).tolist()
    return seeds
