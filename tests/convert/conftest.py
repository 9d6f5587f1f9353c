"""Runs and what became of them in conversion; the detector's weights are set by hand, so its answers are known."""

import hashlib
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from convert.cli import main
from convert.metadata_writer import add_metadata
from convert.model_tree import pack_tree, read_tree
from edge_runtime.metadata.reading import read_spec
from edge_runtime.spec import DetectionSpec, InputSpec, ModelSpec
from edge_runtime.tflite_schema import DetectorOutput
from edge_runtime.training_run import BoxRow, Split, SplitRow, TrainingRun

LABELS = ("red", "green", "blue")
SIZE = 32
# Cells of the two levels, and what each level's encodings (ty, tx, th, tw) are, whatever the picture shows.
LEVELS = ((4, (1.0, -1.0, 0.5, 0.0)), (2, (0.0, 0.0, -1.0, 2.0)))


@pytest.fixture(scope="session")
def swapped_detector_bytes(tiny_detector_bytes: bytes) -> bytes:
    """The tiny detector with its outputs in another order, as other makers have them."""
    tree = read_tree(tiny_detector_bytes)
    (graph,) = tree.subgraphs
    places = (2, 0, 3, 1)
    graph.outputs = [graph.outputs[place] for place in places]
    order = [tuple(DetectorOutput)[place] for place in places]
    return add_metadata(pack_tree(tree), read_spec(tiny_detector_bytes), order)


@pytest.fixture(scope="session")
def converted(trained_run: TrainingRun, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A classifier's finished file, its report beside it, and what the command printed."""
    path = tmp_path_factory.mktemp("converted") / "model.tflite"
    return path, _convert(trained_run, path, "--calibration-images", "20")


@pytest.fixture(scope="session")
def converted_detector(detector_run: TrainingRun, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Likewise a detector's."""
    path = tmp_path_factory.mktemp("converted") / "squares.tflite"
    return path, _convert(detector_run, path)


def _convert(run: TrainingRun, path: Path, *options: str) -> str:
    result = CliRunner().invoke(main, [str(run.path), "-o", str(path), *options])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="session")
def detector_run(tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    """A finished run over pictures of one coloured square each, whose boxes the network finds exactly."""
    pytest.importorskip("keras", reason="needs the train extra")
    folder = tmp_path_factory.mktemp("detector")
    run = TrainingRun(folder / "run")
    run.path.mkdir()
    _build_network().save(run.model_path)
    spec = InputSpec(SIZE, SIZE, (127.5,) * 3, (127.5,) * 3)
    run.write_spec(ModelSpec("squares", "1", spec, (), detection=DetectionSpec(LABELS, 0.5, 0.5, 10)))
    run.write_anchors(_anchors())
    run.write_arguments({"images": str(folder)})
    photos = [_draw(folder, index) for index in range(24)]
    run.write_splits(row for row, _ in photos)
    run.write_boxes(box for _, box in photos)
    return run


def _build_network():  # noqa: ANN202
    """Return a network that scores a cell of pure colour 0.88 and white, black and grey ones almost 0."""
    import keras

    image = keras.Input((SIZE, SIZE, 3))
    encodings, logits = [], []
    for cells, encoding in LEVELS:
        means = keras.layers.AveragePooling2D(SIZE // cells)(image)
        boxes, classes = keras.layers.Conv2D(4, 1), keras.layers.Conv2D(3, 1)
        encodings.append(keras.layers.Reshape((cells**2, 4))(boxes(means)))
        logits.append(keras.layers.Reshape((cells**2, 3))(classes(means)))
        boxes.set_weights([np.zeros((1, 1, 3, 4)), np.array(encoding)])
        classes.set_weights([4 * (2 * np.eye(3) - 1)[None, None], np.full(3, -10.0)])
    scores = keras.layers.Activation("sigmoid")(keras.layers.Concatenate(axis=1)(logits))
    return keras.Model(image, [keras.layers.Concatenate(axis=1)(encodings), scores])


def _anchors() -> np.ndarray:
    rows = [
        ((row + 0.5) / cells, (column + 0.5) / cells, 1 / cells, 1 / cells)
        for cells, _ in LEVELS
        for row in range(cells)
        for column in range(cells)
    ]
    return np.array(rows, np.float32)


def _draw(folder: Path, index: int) -> tuple[SplitRow, BoxRow]:
    """Save a black picture with one cell of a pure colour, and give its row and the box that the network answers."""
    # No picture comes twice, so none is on both sides of the split.
    label, row, column = index % 3, (index // 3 + index // 12) % 4, index % 4
    image = np.zeros((128, 256, 3), np.uint8)
    image[32 * row : 32 * row + 32, 64 * column : 64 * column + 64, 2 - label] = 255
    path = folder / f"{index}.png"
    cv2.imwrite(str(path), image)
    split = Split.VALIDATION if index % 3 == index // 8 else Split.TRAIN
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return SplitRow(path.name, LABELS[label], path.name, split, digest), _box(path.name, label, row, column)


def _box(image: str, label: int, row: int, column: int) -> BoxRow:
    """Return the finer level's encoding of a cell, worked out by hand and clipped to the picture."""
    y, x = (row + 0.5 + 0.1) * 32, (column + 0.5 - 0.1) * 64
    half = 16 * math.exp(0.1)
    return BoxRow(image, LABELS[label], max(x - 32, 0), max(y - half, 0), min(x + 32, 256), min(y + half, 128))
