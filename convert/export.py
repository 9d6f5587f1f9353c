"""Turning a Keras model into TFLite: float, float with small weights, and full int8."""

import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray
from tensorflow.lite.python.convert_phase import ConverterError

from convert.keras_config import find_foreign_layers
from convert.model_tree import pack_tree, read_tree
from edge_runtime.errors import ConversionError, RunError
from edge_runtime.keras_archive import LOADING_ERRORS, explain_failure
from edge_runtime.quiet import quiet_stderr
from edge_runtime.spec import Task

_WHOLE_TYPES = (np.int8, np.uint8, np.int32)
_INPUT: Final = "image"
_SIGNATURE: Final = "serving_default"


def load_keras_model(path: Path) -> keras.Model:
    """Load a trained model.

    Raises:
        RunError: The file is missing, damaged, or has layers that Keras does not know.
    """
    try:
        with quiet_stderr():
            return keras.models.load_model(path, compile=False)
    except LOADING_ERRORS as error:
        foreign = find_foreign_layers(path)
        if foreign:
            raise RunError(
                f"{path} has layers that Keras does not know ({', '.join(foreign)}); train one of the networks that "
                "edge-train list shows."
            ) from error
        reason = explain_failure(path, error)
        raise RunError(f"{path} does not load as a Keras model ({reason}); train it again with edge-train.") from error


def to_float_tflite(model: keras.Model) -> bytes:
    """Convert to float32, batch 1, NHWC."""
    return _convert(model, lambda _converter: None)


def to_float16_tflite(model: keras.Model) -> bytes:
    """Convert to float16 weights, which engines turn back into float32 before they compute."""

    def configure(converter: tf.lite.TFLiteConverter) -> None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]

    return _convert(model, configure)


def to_dynamic_tflite(model: keras.Model) -> bytes:
    """Convert to int8 weights and float32 activations, quantised by each kernel to the range they happen to have."""

    def configure(converter: tf.lite.TFLiteConverter) -> None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]

    return _convert(model, configure)


def to_int8_tflite(model: keras.Model, images: Iterable[NDArray[np.float32]], task: Task) -> bytes:
    """Convert to full int8 with uint8 input, batch 1, NHWC.

    Every tensor inside is int8 with per-channel weights; MediaPipe Tasks and LiteRT.js refuse int8 input and output, so
    one QUANTIZE op at each end turns uint8 into int8 and back. The outputs of a detector's network stay int8, since
    `append_postprocess` puts more behind them.

    Args:
        model: A model on normalised images.
        images: (height, width, 3) float32 normalised images to measure activation ranges on.
        task: What the model is for.

    Raises:
        ConversionError: The converter refuses the model, or leaves a float tensor in it.
    """
    content = _convert(model, lambda converter: _ask_for_int8(converter, images, task))
    floats = _float_tensors(content)
    if floats:
        raise ConversionError(
            f"{len(floats)} tensors stayed float in int8 conversion, the first {floats[0]}; "
            "train an architecture that `edge-train list` shows."
        )
    return content


def _convert(model: keras.Model, configure: Callable[[tf.lite.TFLiteConverter], None]) -> bytes:
    # A graph with a fixed batch leaves none of the shape arithmetic that a Keras model would.
    image = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32, name=_INPUT)
    graph = tf.function(lambda image: model(image, training=False)).get_concrete_function(image)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([graph], model)
    # Its variables become constants here and now. The way round a SavedModel makes the same file, and takes four to
    # seven times as long; it finds no variables in a model of Keras 3 unless Keras itself writes it.
    converter.experimental_lower_to_saved_model = False
    configure(converter)
    try:
        with quiet_stderr(), warnings.catch_warnings():
            # It measures the input's range on the images, as it measures all others.
            warnings.filterwarnings("ignore", message="Statistics for quantized inputs were expected")
            return _sign(converter.convert())
    except (ValueError, RuntimeError, tf.errors.OpError, ConverterError) as error:
        raise ConversionError(f"TensorFlow refuses to convert the model ({error}).") from error


def _sign(content: bytes) -> bytes:
    """Name input and outputs as a SavedModel does, by a signature, which engines offer to call a model by."""
    tree = read_tree(content)
    graph = tree.subgraphs[0]
    named = [schema.TensorMapT(f"output_{place}", index) for place, index in enumerate(graph.outputs)]
    tree.signatureDefs = [schema.SignatureDefT([schema.TensorMapT(_INPUT, graph.inputs[0])], named, _SIGNATURE, 0)]
    return pack_tree(tree)


def _ask_for_int8(converter: tf.lite.TFLiteConverter, images: Iterable[NDArray[np.float32]], task: Task) -> None:
    def representative() -> Iterator[list[NDArray[np.float32]]]:
        for image in images:
            yield [image[np.newaxis]]

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.uint8
    converter.inference_output_type = tf.int8 if task is Task.DETECTION else tf.uint8


def _float_tensors(content: bytes) -> list[str]:
    details = Interpreter(model_content=content).get_tensor_details()
    return [tensor["name"] for tensor in details if tensor["name"] and tensor["dtype"] not in _WHOLE_TYPES]
