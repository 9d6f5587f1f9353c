import os
import random
import time
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from convert.inspection.contents import EndNames, ModelContents
from convert.inspection.reading import read_contents
from edge_runtime.bundled import find_model
from edge_runtime.errors import EdgeGarmentError, ModelError

needs_data = pytest.mark.skipif(
    "EDGE_GARMENT_DATA" not in os.environ, reason="EDGE_GARMENT_DATA does not name the data"
)


def pack(model: schema.ModelT) -> bytes:
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def convolution(**changes: Any) -> schema.ModelT:
    """Return a model of one convolution with per-channel weights."""
    weights = schema.QuantizationParametersT(scale=[0.5, 0.25], zeroPoint=[0, 0], quantizedDimension=0)
    tensors = [
        schema.TensorT([1, 4, 4, 3], schema.TensorType.INT8, name="image"),
        schema.TensorT([2, 1, 1, 3], schema.TensorType.INT8, buffer=1, name="weights", quantization=weights),
        schema.TensorT([1, 2, 2, 2], schema.TensorType.INT8, name="answer", shapeSignature=[-1, 2, 2, 2]),
    ]
    options = schema.Conv2DOptionsT(strideW=2, strideH=2, fusedActivationFunction=3)
    operator = schema.OperatorT(0, [0, 1, -1], [2], schema.BuiltinOptions.Conv2DOptions, options)
    graph = schema.SubGraphT(tensors, inputs=[0], outputs=[2], operators=[operator], name="main")
    buffers = [schema.BufferT(), schema.BufferT(np.arange(6, dtype=np.uint8))]
    codes = [schema.OperatorCodeT(3, builtinCode=3, version=5)]
    model = schema.ModelT(version=3, operatorCodes=codes, subgraphs=[graph], buffers=buffers, description="by hand")
    for name, value in changes.items():
        setattr(model, name, value)
    return model


def test_tensors_are_read_as_they_were_written() -> None:
    graph = read_contents(pack(convolution())).graphs[0]
    image, weights, answer = graph.tensors
    assert (image.name, image.type, image.shape, image.quantization) == ("image", "INT8", (1, 4, 4, 3), None)
    assert not image.is_constant
    assert weights.data is not None
    assert weights.data.tolist() == list(range(6))
    assert weights.quantization is not None
    assert (weights.quantization.channels, weights.quantization.scale_min, weights.quantization.scale_max) == (
        2,
        0.25,
        0.5,
    )
    assert answer.shape == (-1, 2, 2, 2)


def test_operations_are_read_with_their_options() -> None:
    contents = read_contents(pack(convolution()))
    (operator,) = contents.graphs[0].operators
    assert (operator.kind, operator.version, operator.inputs, operator.outputs) == ("CONV_2D", 5, (0, 1, -1), (2,))
    assert operator.options == {
        "stride_w": 2,
        "stride_h": 2,
        "fused_activation": 3,
        "dilation_w": 1,
        "dilation_h": 1,
    }
    assert (contents.version, contents.description) == (3, "by hand")


def test_a_custom_operation_has_its_own_name() -> None:
    custom = schema.BuiltinOperator.CUSTOM
    code = schema.OperatorCodeT(custom, customCode="edgetpu-custom-op", builtinCode=custom)
    operator = read_contents(pack(convolution(operatorCodes=[code]))).graphs[0].operators[0]
    assert (operator.kind, operator.custom) == ("edgetpu-custom-op", True)


def test_of_several_signatures_the_first_one_names_a_tensor() -> None:
    """One of another graph, or of a tensor that is no output of this one, says nothing here."""
    elsewhere = schema.SignatureDefT([], [schema.TensorMapT("other", 2)], "a", 1)
    first = schema.SignatureDefT([schema.TensorMapT("photo", 0)], [schema.TensorMapT("inner", 77)], "b", 0)
    second = schema.SignatureDefT([schema.TensorMapT("picture", 0)], [schema.TensorMapT("answer", 2)], "c", 0)
    graph = read_contents(pack(convolution(signatureDefs=[elsewhere, first, second]))).graphs[0]
    assert graph.input_names == (EndNames(None, "photo"),)
    assert graph.output_names == (EndNames(None, "answer"),)


def table(builder: flatbuffers.Builder, **slots: int) -> int:
    """Write a table whose fields, `_3` the one of slot 3, are offsets."""
    builder.StartObject(8)
    for slot, offset in slots.items():
        builder.PrependUOffsetTRelativeSlot(int(slot[1:]), offset, 0)
    return int(builder.EndObject())


def vector(builder: flatbuffers.Builder, tables: list[int]) -> int:
    builder.StartVector(4, len(tables), 4)
    for offset in reversed(tables):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def described(names: list[str], times: int = 1) -> bytes:
    """Return the convolution with metadata that list its outputs by these names, so many times over."""
    builder = flatbuffers.Builder(0)
    outputs = [table(builder, _0=builder.CreateString(name)) for name in names]
    graph = table(builder, _3=vector(builder, outputs * times))
    builder.Finish(table(builder, _3=vector(builder, [graph])), file_identifier=b"M001")
    model = convolution(metadata=[schema.MetadataT("TFLITE_METADATA", 2)])
    model.buffers.append(schema.BufferT(np.frombuffer(bytes(builder.Output()), np.uint8)))
    return pack(model)


@pytest.mark.parametrize(
    ("names", "meaning"), [(["answer"], "answer"), (["answer", "more"], "answer"), ([], None), ([""], None)]
)
def test_metadata_name_outputs_by_their_places(names: list[str], meaning: str | None) -> None:
    graph = read_contents(described(names)).graphs[0]
    assert (graph.input_names, graph.output_names) == ((EndNames(None, None),), (EndNames(meaning, None),))


def test_damaged_metadata_name_nothing() -> None:
    content = described(["garment"]).replace(b"garment", b"\xff" * 7)
    assert read_contents(content).graphs[0].output_names == (EndNames(None, None),)


def test_one_name_over_and_over_takes_no_time() -> None:
    """Metadata, a signature, and outputs that all are one tensor, of which each has its name."""
    name, times = "x" * 100_000, 4_000
    listed = schema.SignatureDefT([], [schema.TensorMapT(name, 2)], "serve", 0)
    alike = convolution(signatureDefs=[listed])
    alike.subgraphs[0].outputs = [2] * times
    for content in (described([name], times), pack(alike)):
        start = time.process_time()
        with pytest.raises(ModelError, match="more than a file of its size"):
            read_contents(content)
        assert time.process_time() - start < 1


def test_an_unknown_operation_keeps_its_number() -> None:
    code = schema.OperatorCodeT(127, builtinCode=9999)
    assert read_contents(pack(convolution(operatorCodes=[code]))).graphs[0].operators[0].kind == "BUILTIN_9999"


def damaged(change: str) -> bytes:
    model = convolution()
    graph = model.subgraphs[0]
    match change:
        case "operator code":
            graph.operators[0].opcodeIndex = 1
        case "input tensor":
            graph.operators[0].inputs = [0, 3]
        case "graph output":
            graph.outputs = [-1]
        case "buffer":
            graph.tensors[0].buffer = 77
        case "scale":
            graph.tensors[1].quantization.scale = [0.5, float("nan")]
        case "rank":
            graph.tensors[0].shape = [1] * 17
        case "signature":
            model.signatureDefs = [schema.SignatureDefT([schema.TensorMapT(b"\xff", 0)], [], "serve", 0)]
    return pack(model)


@pytest.mark.parametrize(
    "change", ["operator code", "input tensor", "graph output", "buffer", "scale", "rank", "signature"]
)
def test_contradictions_are_errors_of_ours(change: str) -> None:
    with pytest.raises(ModelError, match="damaged"):
        read_contents(damaged(change))


@pytest.mark.parametrize("content", [b"", b"TFL3", b"\0" * 100, b"PK\x03\x04" + b"\0" * 100])
def test_other_files_are_refused(content: bytes) -> None:
    with pytest.raises(ModelError, match="not a TFLite file"):
        read_contents(content)


def test_a_list_that_names_one_table_over_and_over_takes_no_time() -> None:
    """A hundred thousand tensors, all of them the same table with a long name: 400 kB that would become gigabytes."""
    builder = flatbuffers.Builder(0)
    name = builder.CreateString("x" * 100_000)
    builder.StartObject(8)
    builder.PrependUOffsetTRelativeSlot(3, name, 0)
    tensor = builder.EndObject()
    count = 100_000
    builder.StartVector(4, count, 4)
    for _ in range(count):
        builder.PrependUOffsetTRelative(tensor)
    tensors = builder.EndVector()
    builder.StartObject(5)
    builder.PrependUOffsetTRelativeSlot(0, tensors, 0)
    graph = builder.EndObject()
    builder.StartObject(0)
    buffer = builder.EndObject()
    vectors = []
    for table in (graph, buffer):
        builder.StartVector(4, 1, 4)
        builder.PrependUOffsetTRelative(table)
        vectors.append(builder.EndVector())
    builder.StartObject(7)
    builder.PrependUOffsetTRelativeSlot(2, vectors[0], 0)
    builder.PrependUOffsetTRelativeSlot(4, vectors[1], 0)
    builder.Finish(builder.EndObject(), file_identifier=b"TFL3")
    start = time.process_time()
    with pytest.raises(ModelError, match="more than a file of its size"):
        read_contents(bytes(builder.Output()))
    assert time.process_time() - start < 5


@pytest.mark.parametrize("model", ["tiny_model_bytes", "tiny_detector_bytes"])
def test_any_byte_may_be_wrong(model: str, request: pytest.FixtureRequest) -> None:
    whole: bytes = request.getfixturevalue(model)
    generator = random.Random(5)
    for _ in range(300):
        content = bytearray(whole)
        content[generator.randrange(len(content))] = generator.randrange(256)
        try:
            read_contents(bytes(content))
        except EdgeGarmentError:
            continue


def published(name: str) -> ModelContents:
    return read_contents(Path(os.environ["EDGE_GARMENT_DATA"], "weights", name).read_bytes())


@needs_data
def test_a_published_model() -> None:
    contents = published("tf2_mobilenet_v2_1.0_224_ptq.tflite")
    graph = contents.graphs[0]
    assert (len(graph.tensors), len(graph.operators)) == (177, 68)
    assert contents.texts["name"] == "ImageClassifier"
    assert contents.packed_files == {"imagenet_labels.txt": 21686}
    kernels = [graph.tensors[each.inputs[1]] for each in graph.operators if "CONV_2D" in each.kind]
    assert len(kernels) == 53
    assert all(kernel.quantization and kernel.quantization.channels > 1 for kernel in kernels)


@needs_data
def test_a_model_compiled_for_the_edge_tpu() -> None:
    contents = published("mobilenet_v1_0.25_128_quant_edgetpu.tflite")
    (operator,) = contents.graphs[0].operators
    assert (operator.kind, operator.custom) == ("edgetpu-custom-op", True)


@pytest.mark.parametrize("name", ["garment_classifier", "garment_detector"])
def test_every_name_of_a_signature_agrees_with_the_generated_reader(name: str) -> None:
    content = find_model(name).read_bytes()
    ours, theirs = read_contents(content).graphs[0], schema.ModelT.InitFromPackedBuf(content)
    (signature,) = theirs.signatureDefs
    for ends, tensors, names in (
        (signature.inputs, ours.inputs, ours.input_names),
        (signature.outputs, ours.outputs, ours.output_names),
    ):
        named = {each.tensorIndex: each.name.decode() for each in ends}
        assert [each.signature for each in names] == [named[tensor] for tensor in tensors]


@needs_data
def test_every_tensor_agrees_with_the_generated_reader() -> None:
    content = Path(os.environ["EDGE_GARMENT_DATA"], "weights", "mobilenet_v1_0.25_128_quant.tflite").read_bytes()
    ours, theirs = read_contents(content).graphs[0], schema.ModelT.InitFromPackedBuf(content).subgraphs[0]
    assert [tensor.name.encode() for tensor in ours.tensors] == [tensor.name for tensor in theirs.tensors]
    assert [tensor.shape for tensor in ours.tensors] == [tuple(tensor.shape) for tensor in theirs.tensors]
    assert [each.inputs for each in ours.operators] == [tuple(each.inputs) for each in theirs.operators]
    scales = [tensor.quantization.scale_max for tensor in ours.tensors if tensor.quantization]
    assert scales == [max(each.quantization.scale) for each in theirs.tensors if each.quantization.scale is not None]
