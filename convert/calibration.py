"""What an int8 model's ranges are measured on, from the choice of photos to normalised images."""

import hashlib
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from calibration_data import CalibrationSample, Source, check_variety, draw_calibration_images
from convert.evaluation import iterate_frames
from edge_runtime.preprocess import Image, Preprocessor, normalize
from edge_runtime.spec import InputSpec, ModelSpec

_NAMES: Final = {Source.RUN: "training photos", Source.FOLDER: "photos of a folder"}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Images to measure int8 ranges on.

    Attributes:
        images: Each (height, width, 3) float32, normalised.
        facts: What the file says about them.
        manifest: JSON list of the photos, to lie beside the file; empty where they are none.
    """

    images: list[NDArray[np.float32]]
    facts: dict[str, Any]
    manifest: str = ""


def calibrate_on_drawings(spec: ModelSpec, count: int) -> Calibration:
    """Draw garments to calibrate on, for want of photos, and say so."""
    log.info("calibrating on %d DRAWN garments, not photos", count)
    images = prepare_images(draw_calibration_images(count), spec.input)
    return Calibration(images, {"source": "drawn", "images": count})


def calibrate_on_photos(spec: ModelSpec, sample: CalibrationSample) -> Calibration:
    """Read the photos of a sample.

    Args:
        spec: What the model says about itself.
        sample: The photos.

    Raises:
        DataError: All are of one class.
        PictureError: One cannot be read.
    """
    check_variety(sample, spec.labels)
    log.info("calibrating on %d %s", len(sample.photos), _NAMES[sample.source])
    manifest = json.dumps(sample.to_manifest(), indent=1) + "\n"
    digest = hashlib.sha256(manifest.encode()).hexdigest()
    facts = {"source": sample.source.value, "images": len(sample.photos), "manifest_sha256": digest}
    return Calibration(load_sample(sample, spec.input), facts, manifest)


def load_sample(sample: CalibrationSample, spec: InputSpec) -> list[NDArray[np.float32]]:
    """Return a sample's photos as normalised images to measure ranges on."""
    return prepare_images(iterate_frames(sample.photos, sample.folder, "calibrating"), spec)


def normalise_frames(frames: Iterable[Image], spec: InputSpec) -> list[NDArray[np.float32]]:
    """Return (height, width, 3) uint8 BGR frames of any size as the float network takes them."""
    preprocess = Preprocessor(spec)
    return [normalize(preprocess(frame), spec) for frame in frames]


def prepare_images(frames: Iterable[Image], spec: InputSpec) -> list[NDArray[np.float32]]:
    """Return frames as `normalise_frames` does, the first one with a black and a white pixel in a corner.

    The range of an int8 model's input is then that of pixels, whatever the light in the photos, so that engines which
    know nothing of normalisation may put pixels in as they are.
    """
    images = normalise_frames(frames, spec)
    for image in images[:1]:
        image[0, :2] = normalize(np.array([[0] * 3, [255] * 3], np.uint8), spec)
    return images
