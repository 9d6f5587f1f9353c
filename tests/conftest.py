"""A tiny real model, built without TensorFlow, that tells colours apart."""

import colorsys
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from click.testing import CliRunner

from convert.detection_tail import append_postprocess
from convert.metadata_writer import add_metadata
from edge_runtime.bundled import find_model
from edge_runtime.drawing import GARMENTS, draw_garment
from edge_runtime.recognizer import Recognizer
from edge_runtime.spec import DetectionSpec, HeadSpec, InputSpec, ModelSpec
from edge_runtime.training_run import TrainingRun
from train.cli import main as train_main

TINY_SIZE = 32
_ZERO_POINT = 128
_BUNDLED = find_model(None)


def pytest_configure() -> None:
    """Let signals reach the processes that tests start, where a background job or nohup had them ignored."""
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)


@pytest.fixture(scope="session")
def tiny_spec() -> ModelSpec:
    """Ten garments for ten hues, of a 32 x 32 input normalised to [-1, 1]."""
    return ModelSpec(
        name="tiny",
        version="1",
        input=InputSpec(TINY_SIZE, TINY_SIZE, mean=(127.5, 127.5, 127.5), std=(127.5, 127.5, 127.5)),
        heads=(HeadSpec("garment", GARMENTS),),
    )


@pytest.fixture(scope="session")
def tiny_model_bytes(tiny_spec: ModelSpec) -> bytes:
    return add_metadata(_build(len(GARMENTS)), tiny_spec)


@pytest.fixture(scope="session")
def tiny_model(tiny_model_bytes: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file: the mean colour of the frame decides, hue by hue in the order of `GARMENTS`."""
    path = tmp_path_factory.mktemp("model") / "tiny.tflite"
    path.write_bytes(tiny_model_bytes)
    return path


@pytest.fixture
def tiny_recognizer(tiny_model_bytes: bytes) -> Recognizer:
    return Recognizer(tiny_model_bytes, threads=1)


@pytest.fixture(scope="session")
def tiny_anchors() -> np.ndarray:
    """One anchor for each of 4 x 4 cells, (16, 4) rows of y_centre, x_centre, height, width."""
    return np.array([((row + 0.5) / 4, (column + 0.5) / 4, 0.25, 0.25) for row in range(4) for column in range(4)])


@pytest.fixture(scope="session")
def tiny_detector_bytes(tiny_spec: ModelSpec, tiny_anchors: np.ndarray) -> bytes:
    """A detector that finds red, green and blue in 4 x 4 cells.

    Its boxes are shifted from their cell by (0.025, -0.025) and exp(0.1) times as high, as shares of the picture.
    """
    return _build_detector(tiny_spec, tiny_anchors, labels_per_box=1)


@pytest.fixture(scope="session")
def two_label_detector_bytes(tiny_spec: ModelSpec, tiny_anchors: np.ndarray) -> bytes:
    """The same with two labels of each box as answers."""
    return _build_detector(tiny_spec, tiny_anchors, labels_per_box=2)


@pytest.fixture(scope="session")
def tiny_detector(tiny_detector_bytes: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "tiny-detector.tflite"
    path.write_bytes(tiny_detector_bytes)
    return path


@pytest.fixture(scope="session")
def bundled_model() -> Path:
    if not _BUNDLED.exists():
        pytest.skip(f"the bundled model {_BUNDLED.name} is not there yet")
    return _BUNDLED


def _build(labels: int) -> bytes:
    """Return a uint8 model of three operations: MEAN over the picture, FULLY_CONNECTED, SOFTMAX."""
    graph = schema.SubGraphT()
    graph.name = b"main"
    graph.inputs, graph.outputs = [0], [5]
    graph.tensors, buffers = [], []
    unit, byte = schema.TensorType.UINT8, np.uint8
    _add(graph, buffers, "image", unit, (1, TINY_SIZE, TINY_SIZE, 3), 1 / 127.5, 127)
    _add(graph, buffers, "axes", schema.TensorType.INT32, (2,), data=np.array([1, 2], np.int32))
    _add(graph, buffers, "mean", unit, (1, 3), 1 / 127.5, 127)
    _add(graph, buffers, "hues", unit, (labels, 3), 1 / 16, _ZERO_POINT, _hue_weights(labels).astype(byte))
    _add(graph, buffers, "logits", unit, (1, labels), 1 / 8, _ZERO_POINT)
    _add(graph, buffers, "scores", unit, (1, labels), 1 / 256, 0)
    graph.operators = [_mean(), _fully_connected(), _softmax()]
    operators = schema.BuiltinOperator
    return _pack(graph, buffers, (operators.MEAN, operators.FULLY_CONNECTED, operators.SOFTMAX))


def _hue_weights(labels: int) -> np.ndarray:
    """Return (labels, 3) quantised weights: the colour of each hue, less its grey."""
    colours = np.array([colorsys.hsv_to_rgb(label / labels, 1.0, 1.0) for label in range(labels)])
    real = (colours - colours.mean(axis=1, keepdims=True)) * 6
    return np.rint(real * 16 + _ZERO_POINT)


def _add(graph, buffers, name, kind, shape, scale=0.0, zero_point=0, data=None):  # noqa: ANN001, ANN202
    buffer = schema.BufferT()
    buffer.data = None if data is None else np.frombuffer(data.tobytes(), np.uint8)
    buffers.append(buffer)
    tensor = schema.TensorT()
    tensor.name, tensor.type, tensor.shape, tensor.buffer = name.encode(), kind, list(shape), len(buffers)
    if scale:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [scale], [zero_point]
    graph.tensors.append(tensor)


def _operator(code, inputs, output, kind, options):  # noqa: ANN001, ANN202
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = code, inputs, [output]
    operator.builtinOptionsType, operator.builtinOptions = kind, options
    return operator


def _mean():  # noqa: ANN202
    return _operator(0, [0, 1], 2, schema.BuiltinOptions.ReducerOptions, schema.ReducerOptionsT())


def _fully_connected():  # noqa: ANN202
    options = schema.FullyConnectedOptionsT()
    return _operator(1, [2, 3, -1], 4, schema.BuiltinOptions.FullyConnectedOptions, options)


def _softmax():  # noqa: ANN202
    options = schema.SoftmaxOptionsT()
    options.beta = 1.0
    return _operator(2, [4], 5, schema.BuiltinOptions.SoftmaxOptions, options)


def _operator_code(builtin: int):  # noqa: ANN202
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = builtin
    code.version = 1
    return code


def _build_detector(tiny_spec: ModelSpec, anchors: np.ndarray, labels_per_box: int) -> bytes:
    labels = ("red", "green", "blue")
    detection = DetectionSpec(labels, 0.5, iou_threshold=0.5, max_detections=8, labels_per_box=labels_per_box)
    spec = replace(tiny_spec, name="tiny-detector", heads=(), detection=detection)
    return add_metadata(append_postprocess(_build_network(), anchors, detection), spec)


def _build_network() -> bytes:
    """Return a detector's network of two operations: each cell's mean red, green and blue are its scores."""
    graph = schema.SubGraphT(inputs=[0], outputs=[2, 4], tensors=[])
    buffers: list[schema.BufferT] = []
    unit = schema.TensorType.UINT8
    _add(graph, buffers, "image", unit, (1, TINY_SIZE, TINY_SIZE, 3), 1 / 127.5, 127)
    _add(graph, buffers, "means", unit, (1, 4, 4, 3), 1 / 127.5, 127)
    encodings = np.tile(np.array([1, -1, 0.5, 0], np.float32), (1, 16, 1))
    _add(graph, buffers, "encodings", schema.TensorType.FLOAT32, encodings.shape, data=encodings)
    _add(graph, buffers, "shape", schema.TensorType.INT32, (3,), data=np.array([1, 16, 3], np.int32))
    # Reshaping copies the bytes as they are, so the brightest possible cell scores 255 / 256.
    _add(graph, buffers, "scores", unit, (1, 16, 3), 1 / 256, 0)
    kinds = schema.BuiltinOptions
    pool = schema.Pool2DOptionsT(strideW=8, strideH=8, filterWidth=8, filterHeight=8)
    graph.operators = [
        _operator(0, [0], 1, kinds.Pool2DOptions, pool),
        _operator(1, [1, 3], 4, kinds.ReshapeOptions, schema.ReshapeOptionsT()),
    ]
    outputs = [schema.TensorMapT("output_0", 2), schema.TensorMapT("output_1", 4)]
    operators = schema.BuiltinOperator
    return _pack(
        graph, buffers, (operators.AVERAGE_POOL_2D, operators.RESHAPE), schema.SignatureDefT([], outputs, "serve")
    )


def _pack(graph, buffers, codes, *signatures) -> bytes:  # noqa: ANN001, ANN002
    model = schema.ModelT()
    model.version, model.description = 3, b"tiny"
    model.operatorCodes = [_operator_code(code) for code in codes]
    model.subgraphs, model.signatureDefs = [graph], list(signatures)
    # By convention buffer 0 is empty.
    model.buffers = [schema.BufferT(), *buffers]
    builder = flatbuffers.Builder(4096)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


@pytest.fixture(scope="session")
def drawn_photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of drawings, a folder per class."""
    folder = tmp_path_factory.mktemp("photos")
    for label in ("hat", "pants", "shoes"):
        (folder / label).mkdir()
        for seed in range(16):
            cv2.imwrite(str(folder / label / f"{seed}.png"), draw_garment(label, seed, (64, 48)))
    return folder


@pytest.fixture(scope="session")
def small_body() -> Callable[[int, str | None], Any]:
    """What builds a body that trains in seconds, given its input size."""
    return _build_small_body


@pytest.fixture(scope="session")
def small_body_in() -> Callable[[str], AbstractContextManager[str]]:
    """What puts the small body in the place of the architecture of a name, for as long as it is entered."""
    return _small_body_in


@pytest.fixture
def small_mobilenet() -> Iterator[str]:
    """Put the small body in MobileNetV2's place for one test, and yield the architecture's name."""
    with _small_body_in("mobilenet_v2") as name:
        yield name


@contextmanager
def _small_body_in(name: str) -> Iterator[str]:
    from train.networks import architectures

    with pytest.MonkeyPatch.context() as patch:
        small = replace(architectures.ARCHITECTURES[name], build_body=_build_small_body)
        patch.setitem(architectures.ARCHITECTURES, name, small)  # type: ignore[misc]
        yield name


def _build_small_body(size: int, weights: str | None) -> Any:
    """Build five convolutions of stride 2."""
    import keras

    images = keras.Input((size, size, 3))
    maps = images
    for index, filters in enumerate((8, 12, 16, 24, 32)):
        maps = keras.layers.Conv2D(filters, 3, 2, padding="same", use_bias=False, name=f"block_{index}")(maps)
        maps = keras.layers.BatchNormalization(name=f"block_{index}_BN")(maps)
        maps = keras.layers.ReLU(6.0, name=f"block_{index}_relu")(maps)
    return keras.Model(images, maps)


@pytest.fixture(scope="session")
def trained_run(drawn_photos: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    """A finished run of a small network on drawings, made by the command a user types."""
    pytest.importorskip("keras", reason="needs the train extra")
    path = tmp_path_factory.mktemp("runs") / "run"
    arguments = f"classify {drawn_photos} -o {path} --weights none --image-size 32 --batch-size 8 --head-epochs 1"
    with _small_body_in("mobilenet_v2") as body:
        result = CliRunner().invoke(
            train_main,
            [*arguments.split(), "--architecture", body, "--epochs", "1", "--validation-share", "0.25"],
            catch_exceptions=False,
        )
    assert result.exit_code == 0, result.output
    return TrainingRun(path)
