"""Feeding photos with boxes to Keras, through the same preprocessing as on the device."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_runtime.preprocess import Image, Preprocessor
from edge_runtime.spec import InputSpec
from train.data.boxes import BoxedPhoto, read_boxed_photo
from train.detection.coding import Boxes
from train.detection.matching import Matcher
from train.detection.sample import Sample
from train.fitting.batches import Batch, ReadBatches

Augment = Callable[[Sample, Callable[[], Sample], np.random.Generator], Sample]
"""Takes a sample, a source of further ones to mix in, and the random numbers that everything follows from."""

AugmentOf = Callable[[int], Augment]
"""Tells how to augment in an epoch, which counts over all phases."""


@dataclass(frozen=True, slots=True)
class SampleReader:
    """Reads photos with their boxes.

    Attributes:
        images: Folder that the photos' paths start from.
        labels: Class names in the order of the output.
    """

    images: Path
    labels: tuple[str, ...]

    def __call__(self, photo: BoxedPhoto) -> Sample:
        """Decode a photo.

        Raises:
            DataError: It cannot be read, or has changed.
        """
        boxes = [(box.x_min, box.y_min, box.x_max, box.y_max) for box in photo.boxes]
        return Sample(
            read_boxed_photo(self.images, photo),
            np.array(boxes, np.float32).reshape(-1, 4),
            np.array([self.labels.index(box.label) for box in photo.boxes], np.int64),
        )


def fit_to_input(sample: Sample, spec: InputSpec) -> tuple[Image, Boxes]:
    """Return a sample's (height, width, 3) uint8 RGB input, and its boxes as shares of it."""
    pixels = Preprocessor(spec)(sample.image)
    size = np.array([sample.width, sample.height] * 2, np.float32)
    return pixels, np.asarray(sample.boxes[:, [1, 0, 3, 2]] / size[[1, 0, 3, 2]], np.float32)


class DetectionBatches(ReadBatches):
    """Training batches of (batch, height, width, 3) uint8 RGB images and their (batch, anchors, 6) `Targets.join`.

    Which photos, in which order and how augmented depends on seed and epoch only, so a resumed run sees what an
    unbroken one would have seen.
    """

    def __init__(
        self,
        photos: Sequence[BoxedPhoto],
        read: SampleReader,
        augment_of: AugmentOf,
        matcher: Matcher,
        spec: InputSpec,
        batch_size: int,
        seed: int,
        epoch: int,
    ) -> None:
        super().__init__()
        self._photos = photos
        self._read = read
        self._augment_of = augment_of
        self._matcher = matcher
        self._spec = spec
        self._batch_size = min(batch_size, len(photos))
        self._seed = seed
        self._epoch = epoch
        self._shuffle()

    def __len__(self) -> int:
        """Return the number of whole batches; photos beyond them wait for another epoch."""
        return len(self._photos) // self._batch_size

    def read(self, index: int) -> Batch:
        """Prepare one batch."""
        chosen = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        fitted = [
            (*fit_to_input(sample, self._spec), sample.labels)
            for sample in (self.make_sample(int(photo)) for photo in chosen)
        ]
        targets = [self._matcher(boxes, labels).join() for _, boxes, labels in fitted]
        return np.stack([image for image, _, _ in fitted]), np.stack(targets)

    def make_sample(self, photo: int) -> Sample:
        """Return a photo, by its number, augmented as in this epoch."""
        random = np.random.default_rng((self._seed, self._epoch, photo))

        def draw_other() -> Sample:
            return self._read(self._photos[int(random.integers(len(self._photos)))])

        return self._augment_of(self._epoch)(self._read(self._photos[photo]), draw_other, random)

    def begin_epoch(self, epoch: int) -> None:
        """Draw a new order and, with it, other augmentation."""
        self._epoch = epoch
        self._shuffle()

    def _shuffle(self) -> None:
        self._order = np.random.default_rng((self._seed, self._epoch)).permutation(len(self._photos))
