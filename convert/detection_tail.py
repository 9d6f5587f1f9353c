"""The end of a detector: from the network's two outputs to boxes, by the op `TFLite_Detection_PostProcess`.

Every TFLite engine that knows detectors has this op, MediaPipe Tasks and LiteRT.js among them. It decodes the encodings
against the anchors (Liu et al., SSD, 2016), keeps each box's best labels, and suppresses what overlaps a better box. It
takes float only, so an int8 network gets a DEQUANTIZE before it.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers
from numpy.typing import NDArray

from convert.model_tree import add_buffer, add_tensor, pack_tree, read_tree
from edge_runtime.errors import ConversionError
from edge_runtime.spec import DetectionSpec

CODING_SCALES: Final = {"y_scale": 10.0, "x_scale": 10.0, "h_scale": 5.0, "w_scale": 5.0}
# Boxes of lower scores are dropped before they are compared with each other, which is what costs time. It lies far
# below any useful reporting threshold, so that average precision keeps the tail of its curve.
LEAST_SCORE: Final = 0.01

_OP: Final = "TFLite_Detection_PostProcess"


def append_postprocess(network: bytes, anchors: NDArray[np.float32], spec: DetectionSpec) -> bytes:
    """Return a detector's network with decoding and suppression behind it.

    The outputs are then, float32: boxes (1, n, 4) as (y_min, x_min, y_max, x_max), shares of the picture that may reach
    beyond [0, 1]; label indices (1, n); scores (1, n), best box first and each box's best label first; and how many
    boxes there are (1,), each with `spec.labels_per_box` rows. n is `spec.rows`.

    Args:
        network: A `.tflite` file with the outputs encodings (1, anchors, 4) and scores (1, anchors, labels).
        anchors: (anchors, 4) float32, rows (y_centre, x_centre, height, width) as shares of the input.
        spec: Labels, IoU threshold and number of boxes.

    Raises:
        ConversionError: The network's outputs are others, or of another number than anchors or labels.
    """
    tree = read_tree(network)
    outputs = [_dequantised(tree, index) for index in _network_outputs(tree)]
    check_shapes([tuple(tree.subgraphs[0].tensors[index].shape) for index in outputs], len(anchors), len(spec.labels))
    _append_op(tree, outputs, anchors, spec)
    return pack_tree(tree)


def postprocess_alone(anchors: NDArray[np.float32], spec: DetectionSpec) -> bytes:
    """Return a `.tflite` file of the op alone, for encodings and scores that another engine has computed.

    Its float32 inputs are encodings (1, anchors, 4) and scores (1, anchors, labels), its outputs as those of
    `append_postprocess`. So every stage that is compared is decoded and suppressed by the same code.
    """
    graph = schema.SubGraphT([], [], [], [], "main")
    tree = schema.ModelT(3, [], [graph], "postprocess", [schema.BufferT()])
    graph.inputs = [
        add_tensor(tree, _tensor("encodings", (1, len(anchors), 4))),
        add_tensor(tree, _tensor("scores", (1, len(anchors), len(spec.labels)))),
    ]
    _append_op(tree, list(graph.inputs), anchors, spec)
    return pack_tree(tree)


def _network_outputs(tree: schema.ModelT) -> list[int]:
    """Return the tensors of the outputs in the order that the Keras model has them."""
    # The graph's own list may be in another order than the model's; the names in the signature number them.
    named = sorted(tree.signatureDefs[0].outputs, key=lambda each: each.name)
    if len(named) != 2:
        raise ConversionError(f"A detector's network has two outputs, encodings and scores, but this has {len(named)}.")
    return [each.tensorIndex for each in named]


def check_shapes(shapes: Sequence[tuple[int, ...]], anchors: int, labels: int) -> None:
    """Check that a detector's network answers for these anchors and labels.

    Args:
        shapes: Of its outputs, for a batch of one.
        anchors: How many there are.
        labels: How many there are.

    Raises:
        ConversionError: It answers for others.
    """
    if list(shapes) != [(1, anchors, 4), (1, anchors, labels)]:
        raise ConversionError(
            f"The network's outputs are of shapes {list(shapes)}, which {anchors} anchors and {labels} labels do not "
            "fit; take model.keras, anchors.npy and model.json from one run."
        )


def _dequantised(tree: schema.ModelT, index: int) -> int:
    """Return the tensor itself where it is float, else that of a DEQUANTIZE behind it."""
    tensor = tree.subgraphs[0].tensors[index]
    if tensor.type == schema.TensorType.FLOAT32:
        return index
    output = add_tensor(tree, _tensor(f"{tensor.name.decode()}/float", tuple(tensor.shape)))
    code = _add_code(
        tree, schema.OperatorCodeT(schema.BuiltinOperator.DEQUANTIZE, None, 2, schema.BuiltinOperator.DEQUANTIZE)
    )
    tree.subgraphs[0].operators.append(schema.OperatorT(code, [index], [output]))
    return output


def _append_op(tree: schema.ModelT, inputs: list[int], anchors: NDArray[np.float32], spec: DetectionSpec) -> None:
    graph = tree.subgraphs[0]
    constant = _tensor("anchors", anchors.shape, add_buffer(tree, anchors.astype("<f4")))
    count = spec.rows
    # TensorFlow's own exporter gives the outputs these names and this order, and readers without metadata rely on both.
    shapes = {_OP: (1, count, 4), f"{_OP}:1": (1, count), f"{_OP}:2": (1, count), f"{_OP}:3": (1,)}
    anchors_index = add_tensor(tree, constant)
    graph.outputs = [add_tensor(tree, _tensor(name, shape)) for name, shape in shapes.items()]
    custom = schema.BuiltinOperator.CUSTOM
    code = _add_code(tree, schema.OperatorCodeT(custom, _OP, 1, custom))
    options = np.frombuffer(_options(spec), np.uint8)
    graph.operators.append(schema.OperatorT(code, [*inputs, anchors_index], graph.outputs, customOptions=options))
    names = ("boxes", "classes", "scores", "count")
    for signature in tree.signatureDefs or []:
        signature.outputs = [schema.TensorMapT(*each) for each in zip(names, graph.outputs, strict=True)]


def _options(spec: DetectionSpec) -> bytes:
    values: dict[str, Any] = {
        "max_detections": spec.max_detections,
        "max_classes_per_detection": spec.labels_per_box,
        # The regular one, label by label, gives other answers on other numbers of threads: see DetectionSpec.
        "use_regular_nms": False,
        "nms_score_threshold": LEAST_SCORE,
        "nms_iou_threshold": spec.iou_threshold,
        "num_classes": len(spec.labels),
        **CODING_SCALES,
    }
    return bytes(flexbuffers.Dumps(values))


def _add_code(tree: schema.ModelT, code: schema.OperatorCodeT) -> int:
    tree.operatorCodes.append(code)
    return len(tree.operatorCodes) - 1


def _tensor(name: str, shape: tuple[int, ...], buffer: int = 0) -> schema.TensorT:
    return schema.TensorT(list(shape), schema.TensorType.FLOAT32, buffer, name)
