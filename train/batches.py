"""What all training data have in common."""

import os
from abc import abstractmethod

import keras
import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import EdgeGarmentError

Batch = tuple[NDArray[np.uint8], NDArray[np.float32]]
"""Pixels and targets."""

_READING_THREADS = min(os.cpu_count() or 1, 16)


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
