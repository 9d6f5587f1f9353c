"""Feeding photos to Keras, through the same preprocessing as on the device."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import keras
import numpy as np
from numpy.typing import NDArray

from edge_runtime.drawing import GARMENTS, draw_garment
from edge_runtime.pictures import read_picture
from edge_runtime.preprocess import Image, Preprocessor
from edge_runtime.spec import InputSpec
from edge_runtime.training_run import SplitRow
from train.mixing import mix

_DRAWN_SIZE = (320, 240)
FIRST_TRAINING_SEED = 1_000_000
"""Seeds of drawings from here on are for training; the demo and the tests draw from below it."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A garment drawn instead of photographed.

    Attributes:
        label: Class name, one that the renderer knows.
        seed: Seed of the drawing.
    """

    label: str
    seed: int


Item = SplitRow | Drawing
Rows = TypeVar("Rows", Sequence[Item], NDArray[np.uint8], NDArray[np.float32])


@dataclass(frozen=True, slots=True)
class Part:
    """The rows `start / of` to `stop / of` of every batch: what one of several processes has to read."""

    start: int
    stop: int
    of: int

    def __call__(self, batch: Rows) -> Rows:
        """Take the part; the length of the batch is a multiple of `of`."""
        rows = len(batch) // self.of
        return batch[self.start * rows : self.stop * rows] if self.of > 1 else batch


WHOLE = Part(0, 1, 1)


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of (batch, height, width, 3) uint8 RGB images in [0, 255] and (batch, labels) one-hot float32 targets."""

    def __init__(
        self,
        items: Sequence[Item],
        images: Path,
        labels: tuple[str, ...],
        spec: InputSpec,
        batch_size: int,
        part: Part = WHOLE,
    ) -> None:
        super().__init__(workers=1)
        self._items = items
        self._images = images
        self._labels = labels
        self._spec = spec
        self._batch_size = batch_size
        self._part = part

    def __len__(self) -> int:
        """Return the number of batches, the last one possibly smaller."""
        return math.ceil(len(self._items) / self._batch_size)

    def __getitem__(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Read this process's part of one batch."""
        return self._load(self._part(self._choose(index)))

    def _choose(self, index: int) -> Sequence[Item]:
        return self._items[index * self._batch_size : (index + 1) * self._batch_size]

    def _load(self, items: Sequence[Item]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        preprocess = Preprocessor(self._spec)
        pixels = np.stack([preprocess(self._read(item)) for item in items])
        classes = [self._labels.index(item.label) for item in items]
        return pixels, np.eye(len(self._labels), dtype=np.float32)[classes]

    @property
    def targets(self) -> NDArray[np.int64]:
        """The (photos,) true class indices, in order."""
        return np.array([self._labels.index(item.label) for item in self._items])

    def _read(self, item: Item) -> Image:
        if isinstance(item, Drawing):
            return draw_garment(item.label, item.seed, _DRAWN_SIZE)
        return read_picture(self._images / item.image)


class ShuffledBatches(Batches):
    """Training batches: photos and a share of drawings, shuffled anew each epoch, some blended with one another.

    All of it depends on the seed and the epoch only, so a resumed run sees what an unbroken one would have seen.
    """

    def __init__(
        self,
        photos: Sequence[SplitRow],
        *args: Any,
        drawn_share: float,
        mixed_share: float,
        balance: float,
        seed: int,
        epoch: int,
    ) -> None:
        super().__init__(photos, *args)
        self._photos = tuple(photos)
        self._drawn_share = drawn_share
        self._mixed_share = mixed_share
        self._balance = balance
        self._seed = seed
        self._epoch = epoch
        self._shuffle()

    def __getitem__(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Read this process's part of one batch; in the share of batches asked for, images are blended."""
        random = np.random.default_rng((self._seed, self._epoch, index))
        if random.random() >= self._mixed_share:
            return super().__getitem__(index)
        # Images of this part may be blended with images of another, so all are read.
        pixels, targets = mix(*self._load(self._choose(index)), random)
        return self._part(pixels), self._part(targets)

    def on_epoch_end(self) -> None:
        """Draw new garments and a new order for the next epoch."""
        self._epoch += 1
        self._shuffle()

    def _shuffle(self) -> None:
        random = np.random.default_rng((self._seed, self._epoch))
        items: list[Item] = [*balance_classes(self._photos, self._balance, random), *self._draw(random)]
        order = random.permutation(len(items))
        # A small last batch would weigh its photos more than the others; it is left out for this epoch.
        whole = max(len(items) // self._batch_size * self._batch_size, min(len(items), self._batch_size))
        self._items = [items[index] for index in order[:whole]]

    def _draw(self, random: np.random.Generator) -> list[Drawing]:
        labels = [label for label in self._labels if label in GARMENTS]
        count = round(self._drawn_share * len(self._photos)) if labels else 0
        seeds = random.integers(FIRST_TRAINING_SEED, 2**31, count)
        return [Drawing(labels[index % len(labels)], int(seed)) for index, seed in enumerate(seeds)]


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
