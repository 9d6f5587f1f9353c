"""The run directory of a network small enough to convert in a second, trained on drawings for a moment."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_runtime.pictures import read_picture
from edge_runtime.preprocess import Preprocessor, normalize
from edge_runtime.spec import HeadSpec, InputSpec, ModelSpec
from edge_runtime.training_run import Split, SplitRow, TrainingRun

LABELS = ("hat", "pants", "shoes")
SIZE = 32


@pytest.fixture(scope="session")
def small_run(drawn_photos: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    """A finished run over the drawings, every fourth of which is for validation."""
    pytest.importorskip("keras", reason="needs the train extra")
    run = TrainingRun(tmp_path_factory.mktemp("small"))
    rows = [_row(drawn_photos, label, number) for label in LABELS for number in range(16)]
    spec = InputSpec(SIZE, SIZE, (127.5,) * 3, (127.5,) * 3)
    run.write_spec(ModelSpec("small", "1", spec, (HeadSpec("garment", LABELS),)))
    run.write_splits(rows)
    run.write_arguments({"images": str(drawn_photos)})
    preprocess = Preprocessor(spec)
    images = np.stack([normalize(preprocess(read_picture(drawn_photos / row.image)), spec) for row in rows])
    model = build_small_network()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(images, np.array([LABELS.index(row.label) for row in rows]), 16, epochs=12, verbose=0)
    model.save(run.model_path)
    return run


def _row(folder: Path, label: str, number: int) -> SplitRow:
    image = f"{label}/{number}.png"
    split = Split.VALIDATION if number % 4 == 0 else Split.TRAIN
    return SplitRow(image, label, image, split, hashlib.sha256((folder / image).read_bytes()).hexdigest())


def build_small_network() -> Any:
    """Return an inverted residual block between a first convolution and a classifier, as MobileNetV2 has them.

    Its convolutions have more than 1,024 weights, below which TensorFlow leaves them float where it may.
    """
    import keras

    layers = keras.layers
    keras.utils.set_random_seed(1)
    image = keras.Input((SIZE, SIZE, 3))
    first = layers.ReLU(6.0)(_norm(layers.Conv2D(24, 3, 2, "same", use_bias=False)(image)))
    wide = layers.ReLU()(_norm(layers.Conv2D(64, 1, use_bias=False, name="expand")(first), "expand_BN"))
    padded = layers.ZeroPadding2D(((0, 1), (0, 1)))(wide)
    filtered = layers.DepthwiseConv2D(3, 1, "same", use_bias=False, name="depthwise")(padded)
    narrow = layers.Conv2D(24, 1, use_bias=False, name="project")(layers.ReLU()(_norm(filtered)))
    added = layers.Add()([layers.Cropping2D(((0, 1), (0, 1)))(_norm(narrow)), first])
    pooled = layers.GlobalAveragePooling2D()(added)
    return keras.Model(image, layers.Dense(len(LABELS), "softmax")(layers.Dropout(0.1)(pooled)))


def _norm(maps: Any, name: str | None = None) -> Any:
    import keras

    return keras.layers.BatchNormalization(momentum=0.8, name=name)(maps)
