import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from click.testing import CliRunner, Result

from convert.cli import main
from convert.edgetpu.preflight import Preflight, preflight_model
from convert.edgetpu.rules import RULES, Operation, Placement, object_to
from convert.inspection.contents import GraphFacts, ModelContents, OperatorFacts, Quantization, TensorFacts
from convert.inspection.reading import read_contents
from edge_runtime.bundled import find_model
from edge_runtime.errors import FindingsError, ModelError

PER_TENSOR = Quantization(1, 0, 0.5, 0.5, -128, -128)
needs_data = pytest.mark.skipif(
    "EDGE_GARMENT_DATA" not in os.environ, reason="EDGE_GARMENT_DATA does not name the data"
)


def tensor(shape: tuple[int, ...], kind: str = "INT8", data: Any = None, channels: int = 1) -> TensorFacts:
    content = None if data is None else np.asarray(data).view(np.uint8)
    return TensorFacts(0, "t", kind, shape, Quantization(channels, 0, 0.5, 0.5, -128, -128), content)


def numbers(*values: int) -> TensorFacts:
    return tensor((len(values),), "INT32", np.array(values, "<i4"))


def operation(kind: str, *inputs: TensorFacts, output: TensorFacts | None = None, **options: int) -> Operation:
    tensors = (*inputs, output or tensor((1, 8)))
    at = tuple(range(len(inputs)))
    facts = OperatorFacts(0, kind, False, 1, at, (len(inputs),), options)
    return Operation(facts, GraphFacts("", tensors, (), (), (facts,)))


PICTURE = tensor((1, 8, 8, 6))
FLAT = tensor((1, 8))


@pytest.mark.parametrize(
    "accepted",
    [
        operation("CONV_2D", PICTURE, tensor((8, 3, 3, 6), data=np.zeros(432, np.int8)), dilation_w=2, dilation_h=2),
        operation("AVERAGE_POOL_2D", PICTURE),
        operation("CONCATENATION", PICTURE, PICTURE, PICTURE),
        operation("CONCATENATION", PICTURE, tensor((1, 8, 8, 6), data=np.full(384, -128, np.int8))),
        operation("MEAN", PICTURE, numbers(1, 2)),
        operation("MEAN", tensor((1, 8, 8, 8)), numbers(-1)),
        operation("PAD", PICTURE, numbers(0, 0, 1, 1, 1, 1, 0, 0)),
        operation("PACK", FLAT, FLAT, axis=1),
        operation("PACK", FLAT, FLAT, axis=-2),
        operation("SPLIT", numbers(3), PICTURE),
        operation("SQUEEZE", tensor((1, 1, 5, 8)), output=tensor((1, 5, 8))),
        operation("STRIDED_SLICE", PICTURE, numbers(0, 0, 0, 0), numbers(1, 4, 4, 6), numbers(1, 1, 1, 1)),
        operation("PRELU", PICTURE, tensor((1, 1, 6), data=np.zeros(6, np.int8))),
        operation("SOFTMAX", tensor((1, 16_000))),
        operation("FULLY_CONNECTED", FLAT, tensor((8, 8), data=np.zeros(64, np.int8))),
        operation("QUANTIZE", tensor((1, 8), "UINT8")),
    ],
    ids=lambda each: each.facts.kind,
)
def test_what_the_table_allows(accepted: Operation) -> None:
    assert object_to(accepted) is None


@pytest.mark.parametrize(
    ("refused", "reason"),
    [
        (operation("HARD_SWISH", PICTURE), "not in Coral's table"),
        (operation("CONV_2D", PICTURE, dilation_w=1, dilation_h=2), "dilation"),
        (operation("MAX_POOL_2D", PICTURE, fused_activation=1), "fused activation"),
        (operation("CONCATENATION", PICTURE, PICTURE, fused_activation=3), "fused activation"),
        (operation("CONCATENATION", PICTURE, tensor((1, 8, 8, 6), data=np.zeros(384, np.int8))), "constants"),
        (operation("MEAN", tensor((4, 8, 8, 6)), numbers(0)), "three dimensions"),
        (operation("MEAN", PICTURE, numbers(0)), "batch"),
        (operation("MEAN", PICTURE, numbers(3)), "multiple of 4"),
        (operation("SUM", PICTURE, numbers(-4)), "batch"),
        (operation("PAD", PICTURE, numbers(1, 0, 0, 0, 0, 0, 0, 0)), "batch"),
        (operation("PACK", FLAT, FLAT, axis=0), "batch"),
        (operation("PACK", FLAT, FLAT, axis=-3), "batch"),
        (operation("SPLIT", numbers(-4), PICTURE), "batch"),
        (operation("SQUEEZE", tensor((1, 5, 1, 8)), output=tensor((1, 5, 8))), "behind a larger one"),
        (operation("STRIDED_SLICE", PICTURE, numbers(0), numbers(8), numbers(2)), "strides"),
        (operation("STRIDED_SLICE", PICTURE, new_axis_mask=1), "new axis"),
        (operation("PRELU", PICTURE, tensor((8, 8, 6), data=np.zeros(384, np.int8))), "slopes"),
        (operation("SOFTMAX", tensor((1, 16_001))), "16,000"),
        (operation("SOFTMAX", tensor((1, 4, 8))), "one dimension"),
        (operation("FULLY_CONNECTED", FLAT, weights_format=1), "shuffled"),
        (operation("FULLY_CONNECTED", FLAT, output=tensor((1, 4, 8))), "one dimension"),
        (operation("ADD", tensor((1, 8), "FLOAT32")), "FLOAT32"),
        (operation("ADD", tensor((1, 8), "INT16")), "INT16"),
        (operation("ADD", tensor((-1, 8))), "not fixed"),
        (operation("ADD", tensor((2, 8, 8, 6))), "three dimensions"),
    ],
)
def test_what_the_table_forbids(refused: Operation, reason: str) -> None:
    objection = object_to(refused)
    assert objection is not None
    assert objection.placement is Placement.CPU
    assert reason in objection.reason
    assert objection.remedy


@pytest.mark.parametrize("kind", RULES)
def test_a_damaged_operation_without_tensors_ends_in_no_error(kind: str) -> None:
    facts = OperatorFacts(0, kind, False, 1, (), (), {})
    object_to(Operation(facts, GraphFacts("", (), (), (), (facts,))))


def test_dense_weights_per_channel_are_left_to_the_compiler() -> None:
    weights = tensor((8, 8), data=np.zeros(64, np.int8), channels=8)
    objection = object_to(operation("FULLY_CONNECTED", FLAT, weights))
    assert objection is not None
    assert objection.placement is Placement.UNSURE


def chain(*kinds: str) -> Preflight:
    operators = tuple(OperatorFacts(at, kind, False, 1, (0,), (0,), {}) for at, kind in enumerate(kinds))
    return preflight_graph(GraphFacts("", (FLAT,), (0,), (0,), operators))


def preflight_graph(graph: GraphFacts) -> Preflight:
    return preflight_model(ModelContents(0, "", 3, "", (graph,), {}, {}, {}))


def test_the_first_operation_that_breaks_is_named() -> None:
    found = chain("RELU", "HARD_SWISH", "RELU", "GELU")
    assert found.breaks is not None
    assert (found.breaks.index, found.breaks.kind, found.delegated) == (1, "HARD_SWISH", 1)
    assert "edge-train list" in found.breaks.remedy


def test_a_float_input_is_turned_into_bytes_before_the_edge_tpu() -> None:
    tensors = (tensor((1, 8), "FLOAT32"), FLAT, tensor((1, 8), "FLOAT32"))
    quantize = OperatorFacts(0, "QUANTIZE", False, 1, (0,), (1,), {})
    operators = (quantize, OperatorFacts(1, "RELU", False, 1, (1,), (1,), {}))
    tail = OperatorFacts(2, "DEQUANTIZE", False, 1, (1,), (2,), {})
    found = preflight_graph(GraphFacts("", tensors, (0,), (2,), (*operators, tail)))
    assert (found.breaks, found.delegated) == (None, 1)
    late = preflight_graph(GraphFacts("", tensors, (0,), (1,), (operators[1], replace(quantize, index=1))))
    assert late.breaks is not None
    assert late.breaks.kind == "QUANTIZE"


def test_weights_are_counted_once_and_without_a_detectors_anchors() -> None:
    weights, anchors = np.zeros(64, np.int8), np.zeros(16, np.float32)
    shared = [tensor((8, 8), data=weights) for _ in range(2)]
    tensors = (FLAT, *shared, tensor((4, 4), "FLOAT32", anchors), tensor((9,), data=np.zeros(9, np.int8)))
    kinds = (("FULLY_CONNECTED", (0, 1, -1)), ("FULLY_CONNECTED", (0, 2)), ("TFLite_Detection_PostProcess", (0, 3)))
    operators = tuple(OperatorFacts(at, kind, False, 1, inputs, (0,), {}) for at, (kind, inputs) in enumerate(kinds))
    assert preflight_graph(GraphFacts("", tensors, (0,), (0,), operators)).parameter_bytes == 64


def test_a_detectors_tail_breaks_nothing() -> None:
    found = chain("RELU", "DEQUANTIZE", "TFLite_Detection_PostProcess")
    assert found.breaks is None
    assert found.delegated == 1
    middle = chain("RELU", "DEQUANTIZE", "RELU")
    assert middle.breaks is not None
    assert middle.breaks.kind == "DEQUANTIZE"


def preflight(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["preflight", *arguments])


@pytest.mark.parametrize(
    ("name", "delegated", "unsure"),
    [("garment_classifier", "63 of 63", "FULLY_CONNECTED"), ("garment_detector", "143 of 146", "RESIZE_NEAREST")],
)
def test_the_bundled_models(name: str, delegated: str, unsure: str) -> None:
    result = preflight(str(find_model(name)))
    assert result.exit_code == 0, result.output
    assert f"{delegated} operations can run on the Edge TPU" in result.stdout
    assert f"Unsure about {unsure}" in result.stdout


def test_a_break_ends_with_its_own_code(tiny_model_bytes: bytes, tmp_path: Path) -> None:
    tree = schema.ModelT.InitFromPackedBuf(tiny_model_bytes)
    tree.operatorCodes[0] = schema.OperatorCodeT(schema.BuiltinOperator.EXP, builtinCode=schema.BuiltinOperator.EXP)
    builder = flatbuffers.Builder(0)
    builder.Finish(tree.Pack(builder), file_identifier=b"TFL3")
    file = tmp_path / "exp.tflite"
    file.write_bytes(bytes(builder.Output()))
    result = preflight(str(file), "--json")
    assert result.exit_code == FindingsError.exit_code
    assert "Operation 0, EXP, breaks delegation" in result.stderr
    assert json.loads(result.stdout)["breaks"]["kind"] == "EXP"


@needs_data
def test_coral_own_models_pass_and_the_compiled_one_is_told() -> None:
    weights = Path(os.environ["EDGE_GARMENT_DATA"], "weights")
    for name in ("tf2_mobilenet_v2_1.0_224_ptq.tflite", "mobilenet_v1_0.25_128_quant.tflite"):
        found = preflight_model(read_contents((weights / name).read_bytes()))
        assert {verdict.placement for verdict in found.verdicts} == {Placement.EDGE_TPU}
    result = preflight(str(weights / "mobilenet_v1_0.25_128_quant_edgetpu.tflite"))
    assert result.exit_code == ModelError.exit_code
    assert "compiled for the Edge TPU already" in result.stderr
