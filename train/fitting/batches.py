"""What all training data have in common."""

import os
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import keras
import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import EdgeGarmentError

Batch = tuple[NDArray[np.uint8], NDArray[np.float32]]
"""Pixels and targets."""

Rows = TypeVar("Rows", Sequence[Any], NDArray[np.uint8], NDArray[np.float32])

_READING_THREADS = min(os.cpu_count() or 1, 16)


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


class ReadBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches that several threads read from files while the network computes; their order is the same for all.

    Attributes:
        failure: Why a photo could not be read, if one could not; Keras tells of that in its backend's words.
    """

    failure: EdgeGarmentError | None = None

    def __init__(self) -> None:
        super().__init__(workers=_READING_THREADS)

    def __getitem__(self, index: int) -> Batch:
        """Prepare one batch.

        Raises:
            EdgeGarmentError: A photo cannot be read.
        """
        try:
            return self.read(index)
        except EdgeGarmentError as error:
            self.failure = error
            raise

    @abstractmethod
    def read(self, index: int) -> Batch:
        """Prepare one batch."""
