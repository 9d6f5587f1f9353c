"""What a network is fine-tuned on."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from calibration_data import choose_photos
from convert.evaluation import iterate_frames
from edge_runtime.preprocess import Preprocessor
from edge_runtime.spec import InputSpec, ModelSpec, Task
from edge_runtime.training_run import SplitRow

# They are kept in memory: at 224 x 224 pixels, 0.6 GB.
_MOST_PHOTOS: Final = 4000

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lessons:
    """What a network is fine-tuned on. Labels are not needed: it learns to answer as it did before.

    Attributes:
        photos: (photos, height, width, 3) uint8 RGB, of the input's size.
        spec: How they are normalised.
        task: What the network is for.
        epochs: How often each photo is shown.
    """

    photos: NDArray[np.uint8]
    spec: InputSpec
    task: Task
    epochs: int


def read_lessons(rows: Iterable[SplitRow], images: Path, spec: ModelSpec, epochs: int) -> Lessons:
    """Read the photos to fine-tune on: a run's training photos, or equal shares of each class of very many.

    Args:
        rows: The run's split file.
        images: Folder of the run's photos.
        spec: What the model says about itself.
        epochs: How often to show each.

    Raises:
        DataError: There is no training photo.
        PictureError: One cannot be read.
    """
    chosen = choose_photos(rows, images, _MOST_PHOTOS, seed=0).photos
    log.info("training on %d photos for %d epochs", len(chosen), epochs)
    preprocess = Preprocessor(spec.input)
    photos = np.stack([preprocess(frame) for frame in iterate_frames(chosen, images, "reading")])
    return Lessons(photos, spec.input, spec.task, epochs)
