"""Feeding photos to Keras, through the same preprocessing as on the device."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.preprocess import Preprocessor
from edge_runtime.training_run import SplitRow
from train.classification.encoding import Encoding
from train.classification.items import Item, make_targets, read_item
from train.classification.mixing import mix
from train.classification.sampling import sample_epoch
from train.classification.schedule import ClassifierSchedule
from train.fitting.batches import WHOLE, Batch, Part, ReadBatches


class Batches(ReadBatches):
    """Batches of (batch, height, width, 3) uint8 RGB images in [0, 255] and (batch, labels) one-hot float32 targets."""

    def __init__(
        self,
        items: Sequence[Item],
        encoding: Encoding,
        batch_size: int,
        part: Part = WHOLE,
    ) -> None:
        super().__init__()
        self._items = items
        self._encoding = encoding
        self._batch_size = batch_size
        self._part = part

    def __len__(self) -> int:
        """Return the number of batches, the last one possibly smaller."""
        return math.ceil(len(self._items) / self._batch_size)

    def read(self, index: int) -> Batch:
        """Read this process's part of one batch."""
        return self._load(self._part(self._choose(index)))

    def _choose(self, index: int) -> Sequence[Item]:
        return self._items[index * self._batch_size : (index + 1) * self._batch_size]

    def _load(self, items: Sequence[Item]) -> Batch:
        preprocess = Preprocessor(self._encoding.input)
        pixels = np.stack([preprocess(read_item(item, self._encoding.images)) for item in items])
        return pixels, make_targets(items, self._encoding.labels)

    @property
    def targets(self) -> NDArray[np.int64]:
        """The (items,) true class indices, in order."""
        classes: NDArray[np.int64] = make_targets(self._items, self._encoding.labels).argmax(axis=1)
        return classes


class ShuffledBatches(Batches):
    """Training batches: photos, drawings and negatives, shuffled anew each epoch, some blended with one another.

    All of it depends on the seed and the epoch only, so a resumed run sees what an unbroken one would have seen.
    """

    def __init__(
        self,
        photos: Sequence[SplitRow],
        *args: Any,
        negatives: Sequence[Path],
        schedule: ClassifierSchedule,
        epoch: int,
    ) -> None:
        super().__init__(photos, *args)
        self._photos = tuple(photos)
        self._negatives = tuple(negatives)
        self._schedule = schedule
        self._epoch = epoch
        self._shuffle()

    def read(self, index: int) -> Batch:
        """Read this process's part of one batch; in the share of batches asked for, images are blended."""
        random = np.random.default_rng((self._schedule.seed, self._epoch, index))
        if random.random() >= self._schedule.mixed_share:
            return super().read(index)
        # Images of this part may be blended with images of another, so all are read.
        pixels, targets = mix(*self._load(self._choose(index)), random)
        return self._part(pixels), self._part(targets)

    def begin_epoch(self, epoch: int) -> None:
        """Draw new garments and a new order."""
        self._epoch = epoch
        self._shuffle()

    def _shuffle(self) -> None:
        random = np.random.default_rng((self._schedule.seed, self._epoch))
        items = sample_epoch(self._photos, self._negatives, self._encoding.labels, self._schedule, random)
        # A small last batch would weigh its photos more than the others; it is left out for this epoch.
        whole = max(len(items) // self._batch_size * self._batch_size, min(len(items), self._batch_size))
        self._items = items[:whole]
