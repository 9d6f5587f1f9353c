import io
import json
import os
import random
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from convert.metadata_writer import add_metadata
from edge_runtime.errors import EdgeGarmentError, MetadataError, ModelError
from edge_runtime.metadata.reading import model_sha256, read_spec
from edge_runtime.spec import HeadSpec, InputSpec, ModelSpec

SPEC = ModelSpec(
    name="tiny",
    version="1.0",
    input=InputSpec(4, 6, mean=(127.5,) * 3, std=(127.5,) * 3),
    heads=(HeadSpec("garment", ("dress", "hat", "größe 40"), threshold=0.25),),
    license="CC0",
    provenance={"b": 1, "a": [2.5, None]},
)
TWO_HEADS = replace(SPEC, heads=(*SPEC.heads, HeadSpec("colour", ("red", "green", "blue"))))


def channel_operator(code: int, output: int) -> schema.OperatorT:
    options = schema.BuiltinOptions.ReducerOptions
    return schema.OperatorT(code, [0, 1], [output], options, schema.ReducerOptionsT())


def quantised(shape: list[int], dtype: int) -> schema.TensorT:
    parameters = schema.QuantizationParametersT(scale=[1 / 255], zeroPoint=[0])
    return schema.TensorT(shape, dtype, quantization=parameters)


def pack(model: schema.ModelT) -> bytes:
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def tiny_tree(outputs: int = 1, dtype: int = schema.TensorType.UINT8) -> schema.ModelT:
    """Return a model whose outputs are the mean and the maximum of each channel of a 4 x 6 picture."""
    codes = (schema.BuiltinOperator.MEAN, schema.BuiltinOperator.REDUCE_MAX)
    axes = schema.TensorT([2], schema.TensorType.INT32, buffer=1)
    graph = schema.SubGraphT(
        tensors=[quantised([1, 4, 6, 3], dtype), axes, *(quantised([1, 3], dtype) for _ in range(outputs))],
        inputs=[0],
        outputs=list(range(2, 2 + outputs)),
        operators=[channel_operator(index, 2 + index) for index in range(outputs)],
    )
    return schema.ModelT(
        version=3,
        operatorCodes=[schema.OperatorCodeT(code, builtinCode=code, version=2) for code in codes],
        subgraphs=[graph],
        buffers=[schema.BufferT(), schema.BufferT(np.array([1, 2], "<i4").view(np.uint8))],
    )


@pytest.fixture(scope="module")
def model() -> bytes:
    return pack(tiny_tree())


@pytest.fixture(scope="module")
def two_headed() -> bytes:
    return pack(tiny_tree(outputs=2))


def answers(model: bytes) -> list[npt.NDArray[Any]]:
    interpreter = Interpreter(model_content=model)
    interpreter.allocate_tensors()
    entry = interpreter.get_input_details()[0]
    picture = np.random.default_rng(3).integers(0, 256, entry["shape"], dtype=entry["dtype"])
    interpreter.set_tensor(entry["index"], picture)
    interpreter.invoke()
    return [interpreter.get_tensor(output["index"]) for output in interpreter.get_output_details()]


def packed_names(model: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(model)) as archive:
        return archive.namelist()


def metadata_names(model: bytes) -> list[bytes]:
    return [entry.name for entry in schema.ModelT.InitFromPackedBuf(model).metadata]


def test_one_head(model: bytes) -> None:
    described = add_metadata(model, SPEC)
    assert read_spec(described) == SPEC
    assert packed_names(described) == ["labels.txt", "edge_garment.json"]


def test_several_heads(two_headed: bytes) -> None:
    described = add_metadata(two_headed, TWO_HEADS)
    assert read_spec(described) == TWO_HEADS
    assert packed_names(described) == ["labels_garment.txt", "labels_colour.txt", "edge_garment.json"]


@pytest.mark.parametrize("dtype", [schema.TensorType.FLOAT32, schema.TensorType.INT8])
def test_other_tensor_types(dtype: int) -> None:
    assert read_spec(add_metadata(pack(tiny_tree(dtype=dtype)), SPEC)) == SPEC


def test_the_model_answers_as_before(two_headed: bytes) -> None:
    before, after = answers(two_headed), answers(add_metadata(two_headed, TWO_HEADS))
    assert len(before) == len(after) == 2
    assert all(np.array_equal(old, new) for old, new in zip(before, after, strict=True))
    assert before[1].max() > before[0].max() > 0


def test_weights_lie_on_16_byte_boundaries(model: bytes) -> None:
    described = add_metadata(model, SPEC)
    buffers = [buffer.data for buffer in schema.ModelT.InitFromPackedBuf(described).buffers if buffer.data is not None]
    assert len(buffers) == 2
    assert all(described.index(data.tobytes()) % 16 == 0 for data in buffers)


def test_writing_twice_changes_nothing(model: bytes) -> None:
    described = add_metadata(model, SPEC)
    assert add_metadata(described, SPEC) == described


def test_an_older_description_leaves_no_trace(model: bytes) -> None:
    old = replace(SPEC, heads=(HeadSpec("garment", ("coat" * 999, "sock", "sash")),), license="all rights reserved")
    described = add_metadata(add_metadata(model, old), SPEC)
    assert described == add_metadata(model, SPEC)
    assert b"sock" not in described


def test_other_metadata_of_the_model_stay(model: bytes) -> None:
    tree = schema.ModelT.InitFromPackedBuf(model)
    tree.buffers.append(schema.BufferT(np.frombuffer(b"2.0.0", np.uint8)))
    tree.metadata = [schema.MetadataT("min_runtime_version", 2)]
    described = add_metadata(pack(tree), SPEC)
    assert metadata_names(described) == [b"min_runtime_version", b"TFLITE_METADATA"]
    assert add_metadata(described, SPEC) == described
    assert b"2.0.0" in described


def test_bytes_do_not_depend_on_the_process(model: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(model)
    code = (
        "import json, pathlib, sys\n"
        "from convert.metadata_writer import add_metadata\n"
        "from edge_runtime.metadata.reading import model_sha256\n"
        "from edge_runtime.spec import ModelSpec\n"
        "model = pathlib.Path(sys.argv[1]).read_bytes()\n"
        "print(model_sha256(add_metadata(model, ModelSpec.from_dict(json.loads(sys.argv[2])))))\n"
    )
    other_order = replace(SPEC, provenance={"a": [2.5, None], "b": 1})
    command = [sys.executable, "-c", code, str(tmp_path / "model.tflite"), json.dumps(other_order.to_dict())]
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "5",
        "TZ": "Asia/Tokyo",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    output = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    assert output.strip() == model_sha256(add_metadata(model, SPEC))


@pytest.mark.parametrize(
    ("heads", "message"),
    [
        (TWO_HEADS.heads, "1 outputs but 2"),
        ((HeadSpec("garment", ("dress", "hat")),), "3 values but 2 labels"),
        ((HeadSpec("garment", ("dress", "hat", "a\nb")),), "line break"),
        ((HeadSpec("garment", ("dress", "hat", "b\r")),), "line break"),
        ((HeadSpec("garment", ("dress", "hat", "\udcff")),), "UTF-8"),
        ((HeadSpec("garment", ("dress", "hat", "x" * (1 << 20))),), "1 MiB"),
        ((HeadSpec("garment", ("dress", "hat", "shirt"), threshold=1.5),), "threshold"),
    ],
)
def test_heads_that_cannot_be_written(model: bytes, heads: tuple[HeadSpec, ...], message: str) -> None:
    with pytest.raises(MetadataError, match=message):
        add_metadata(model, replace(SPEC, heads=heads))


def test_heads_need_different_names(two_headed: bytes) -> None:
    with pytest.raises(MetadataError, match="used twice"):
        add_metadata(two_headed, replace(SPEC, heads=SPEC.heads * 2))


@pytest.mark.parametrize("value", [{1, 2}, float("nan"), b"bytes"])
def test_provenance_must_be_json(model: bytes, value: object) -> None:
    with pytest.raises(MetadataError, match="plain JSON"):
        add_metadata(model, replace(SPEC, provenance={"value": value}))


def test_weights_outside_the_flatbuffer_are_refused(model: bytes) -> None:
    tree = schema.ModelT.InitFromPackedBuf(model)
    tree.buffers[1].offset = 4096
    with pytest.raises(ModelError, match="outside its flatbuffer"):
        add_metadata(pack(tree), SPEC)


def test_damaged_models_are_errors_of_ours(model: bytes) -> None:
    described = add_metadata(model, SPEC)
    generator = random.Random(11)
    for _ in range(300):
        damaged = bytearray(described)
        damaged[generator.randrange(len(damaged))] = generator.randrange(256)
        try:
            add_metadata(bytes(damaged)[: generator.choice([None, generator.randrange(len(damaged))])], SPEC)
        except EdgeGarmentError:
            continue


def test_a_published_model() -> None:
    folder = os.environ.get("EDGE_GARMENT_DATA")
    if not folder:
        pytest.skip("EDGE_GARMENT_DATA does not name a folder with weights/mobilenet_v1_0.25_128_quant.tflite")
    model = Path(folder, "weights", "mobilenet_v1_0.25_128_quant.tflite").read_bytes()
    spec = replace(read_spec(model), name="published", version="3")
    described = add_metadata(model, spec)
    assert read_spec(described) == spec
    assert metadata_names(described).count(b"TFLITE_METADATA") == 1
    assert described.count(b"PK\x05\x06") == 1
    assert np.array_equal(answers(model)[0], answers(described)[0])
