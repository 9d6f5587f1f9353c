"""What a network sees in photos, for judging labels by it."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import DataError
from edge_runtime.keras_archive import MODEL_SUFFIX
from edge_runtime.pictures import read_picture
from edge_runtime.spec import InputSpec
from edge_runtime.training_run import TrainingRun
from train.data.photos import Photo
from train.evaluation.scoring import score_frames
from train.networks.architectures import ARCHITECTURES, Architecture, build_classifier
from train.networks.keras_files import load_model
from train.networks.tflite_weights import find_architecture, read_own_spec
from train.networks.weights import are_of_tflite

_PRETRAINED = "mobilenet_v2"


def extract_features(model: str, images: Path, photos: Sequence[Photo]) -> NDArray[np.float32]:
    """Return the (photos, channels) pooled features of a network's body, through the runtime's preprocessing.

    Args:
        model: A run directory, the `.keras` or a `.tflite` file of one, `imagenet`, or a weights file of MobileNetV2.
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
    if path.suffix == MODEL_SUFFIX:
        classifier = _load(path)
        return classifier, ARCHITECTURES[classifier.name].input_spec(classifier.input_shape[1])
    architecture, spec = _choose_body(path)
    # The head is not used, so its labels do not matter.
    return build_classifier(architecture, spec.height, ("any",), model, dropout=0.0), spec


def _choose_body(path: Path) -> tuple[Architecture, InputSpec]:
    """Return what weights are of; where they do not tell, the usual body."""
    own = read_own_spec(path.read_bytes()) if are_of_tflite(str(path)) and path.is_file() else None
    name = find_architecture(own) if own else None
    if own and name:
        return ARCHITECTURES[name], own.input
    architecture = ARCHITECTURES[_PRETRAINED]
    return architecture, architecture.input_spec(architecture.size)


def _load(path: Path) -> keras.Model:
    classifier = load_model(path)
    if classifier.name not in ARCHITECTURES or "pool" not in {layer.name for layer in classifier.layers}:
        raise DataError(f"{path} is no classifier of edge-train; name one of its runs, or imagenet.")
    return classifier
