"""What a network sees in photos, for judging labels by it."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import DataError
from edge_runtime.pictures import read_picture
from edge_runtime.spec import InputSpec
from edge_runtime.training_run import TrainingRun
from train.architectures import ARCHITECTURES, build_classifier
from train.data import Photo
from train.keras_files import load_model
from train.scoring import score_frames

_PRETRAINED = "mobilenet_v2"
_MODEL_SUFFIX = ".keras"


def extract_features(model: str, images: Path, photos: Sequence[Photo]) -> NDArray[np.float32]:
    """Return the (photos, channels) pooled features of a network's body, through the runtime's preprocessing.

    Args:
        model: A run directory, the `.keras` file of a run, `imagenet`, or a weights file of MobileNetV2.
        images: Folder that the photos' paths start from.
        photos: Readable photos.

    Raises:
        DataError: The model cannot be read or is none of `edge-train`.
        RunError: The run is not finished, or its model does not load.
    """
    classifier, spec = _open(model)
    body = keras.Model(classifier.input, classifier.get_layer("pool").output)
    return score_frames(body, spec, (read_picture(images / photo.image) for photo in photos), len(photos))


def _open(model: str) -> tuple[keras.Model, InputSpec]:
    path = Path(model)
    if path.is_dir():
        run = TrainingRun(path)
        return _load(run.model_path), run.read_spec().input
    if path.suffix == _MODEL_SUFFIX:
        classifier = _load(path)
        return classifier, ARCHITECTURES[classifier.name].input_spec(classifier.input_shape[1])
    architecture = ARCHITECTURES[_PRETRAINED]
    # The head is not used, so its labels do not matter.
    classifier = build_classifier(architecture, architecture.size, ("any",), model, dropout=0.0)
    return classifier, architecture.input_spec(architecture.size)


def _load(path: Path) -> keras.Model:
    classifier = load_model(path)
    if classifier.name not in ARCHITECTURES or "pool" not in {layer.name for layer in classifier.layers}:
        raise DataError(f"{path} is no classifier of edge-train; name one of its runs, or imagenet.")
    return classifier
