import io
import json
import os
import random
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import flatbuffers
import pytest
from ai_edge_litert import schema_py_generated as schema

from convert.metadata_writer import add_metadata
from edge_runtime import tflite_schema as slots
from edge_runtime.errors import EdgeGarmentError, MetadataError, ModelError
from edge_runtime.flatbuffer import Table, root_table
from edge_runtime.metadata.checks import check_spec
from edge_runtime.metadata.reading import model_sha256, read_spec
from edge_runtime.model_file import read_graph
from edge_runtime.spec import HeadSpec, InputSpec, ModelSpec, ResizeRule

HEIGHT, WIDTH = 4, 6
SPEC = ModelSpec(
    name="tiny",
    version="1.2.3",
    input=InputSpec(HEIGHT, WIDTH, mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375)),
    heads=(HeadSpec("garment", ("dress", "hat", "größe 40"), threshold=0.35),),
    license="Apache-2.0",
    provenance={"command": "edge-train", "data": {"sha256": "00"}, "accuracy": 0.9},
)


# Steps in which the 256 values of a pixel, normalised as SPEC says, fill uint8.
PIXELS = (0.0187, 114)
SCORES = (1 / 256, 0)


def bare_model(
    input_shape: tuple[int, ...] = (1, HEIGHT, WIDTH, 3),
    output_shape: tuple[int, ...] = (1, 3),
    kind: int = schema.TensorType.UINT8,
    pixels: tuple[float, int] | None = PIXELS,
    scores: tuple[float, int] | None = SCORES,
) -> bytes:
    """Return a graph without operators; only its tensors are read here."""
    tensors = [bare_tensor(input_shape, kind, pixels), bare_tensor(output_shape, kind, scores)]
    graph = schema.SubGraphT(tensors=tensors, inputs=[0], outputs=[1])
    model = schema.ModelT(version=3, subgraphs=[graph], buffers=[schema.BufferT()])
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def bare_tensor(shape: tuple[int, ...], kind: int, steps: tuple[float, int] | None) -> schema.TensorT:
    parameters = schema.QuantizationParametersT(scale=[steps[0]], zeroPoint=[steps[1]]) if steps else None
    return schema.TensorT(list(shape), kind, quantization=parameters)


@pytest.fixture(scope="module")
def model() -> bytes:
    return add_metadata(bare_model(), SPEC)


def with_files(model: bytes, files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return the model with other files packed behind it."""
    stream = io.BytesIO()
    stream.write(model[: model.index(b"PK\x03\x04")])
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def files_of(model: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(model)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def with_extra(model: bytes, extra: object) -> bytes:
    content = extra if isinstance(extra, bytes) else json.dumps(extra).encode()
    return with_files(model, {**files_of(model), slots.EXTRA_FILE: content})


def tensor_metadata(model: bytes, slot: slots.SubGraphMetadata) -> Table:
    block = read_graph(model).metadata
    assert block is not None
    return root_table(block).table_at(slots.ModelMetadata.SUBGRAPH_METADATA, 0).table_at(slot, 0)


def input_metadata(model: bytes) -> Table:
    return tensor_metadata(model, slots.SubGraphMetadata.INPUT_TENSOR_METADATA)


def output_metadata(model: bytes) -> Table:
    return tensor_metadata(model, slots.SubGraphMetadata.OUTPUT_TENSOR_METADATA)


def set_field(model: bytes, table: Table | None, slot: int, value: bytes) -> bytes:
    """Return the model with a scalar of a table of its metadata overwritten."""
    assert table is not None
    field = table._field(slot)
    assert field is not None
    start = model.index(table.data) + field
    return model[:start] + value + model[start + len(value) :]


def with_threshold(model: bytes, threshold: float) -> bytes:
    unit = output_metadata(model).table_at(slots.TensorMetadata.PROCESS_UNITS, 0)
    slot = slots.ScoreThresholdingOptions.GLOBAL_SCORE_THRESHOLD
    return set_field(model, unit.table(slots.ProcessUnit.OPTIONS), slot, struct.pack("<f", threshold))


def test_everything_is_read_back_as_it_was_given(model: bytes) -> None:
    assert read_spec(model) == SPEC


def test_sha256_is_that_of_the_whole_file() -> None:
    assert model_sha256(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_model_of_another_maker_is_stretched(model: bytes) -> None:
    foreign = with_files(model, {"labels.txt": b"dress\r\nhat\r\n\xc3\xb6"})
    spec = read_spec(foreign)
    assert spec.input.resize is ResizeRule.STRETCH
    assert spec.provenance == {}
    assert spec.heads[0].labels == ("dress", "hat", "ö")


def test_one_mean_is_for_all_channels(model: bytes) -> None:
    unit = input_metadata(model).table_at(slots.TensorMetadata.PROCESS_UNITS, 0)
    options = unit.table(slots.ProcessUnit.OPTIONS)
    assert options is not None
    shared = model
    for slot in slots.NormalizationOptions:
        field = options._field(slot)
        assert field is not None
        vector = field + struct.unpack_from("<I", options.data, field)[0]
        start = model.index(options.data) + vector
        shared = shared[:start] + struct.pack("<If", 1, 100.0) + shared[start + 8 :]
    assert read_spec(shared).input.mean == (100.0, 100.0, 100.0)
    assert read_spec(shared).input.std == (100.0, 100.0, 100.0)


@pytest.mark.parametrize("data", [b"", b"TFL3", b"\x89PNG\r\n\x1a\n" + bytes(100), bytes(100)])
def test_other_files_are_no_models(data: bytes) -> None:
    with pytest.raises(ModelError, match="not a TFLite file"):
        read_spec(data)


def test_a_truncated_model_is_damaged(model: bytes) -> None:
    with pytest.raises(ModelError, match="damaged or cut short"):
        read_spec(model[:100])


@pytest.mark.parametrize("shape", [(1, 28, 28, 1), (2, 4, 6, 3), (1, 3, 4, 6), (1, 0, 0, 3), (72,), ()])
def test_the_input_must_be_one_picture(shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match="one picture"):
        read_spec(bare_model(shape))


def test_a_model_without_metadata_says_how_to_add_them() -> None:
    with pytest.raises(MetadataError, match=r"no metadata.*edge-convert"):
        read_spec(bare_model())


def test_metadata_of_another_schema(model: bytes) -> None:
    with pytest.raises(MetadataError, match="not TFLite Metadata"):
        read_spec(model.replace(b"M001", b"M002"))


def test_a_grayscale_input_is_refused(model: bytes) -> None:
    content = input_metadata(model).table(slots.TensorMetadata.CONTENT)
    assert content is not None
    grayscale = set_field(model, content.table(slots.Content.PROPERTIES), slots.ImageProperties.COLOR_SPACE, bytes([2]))
    with pytest.raises(MetadataError, match="RGB"):
        read_spec(grayscale)
    with pytest.raises(MetadataError, match="RGB"):
        read_spec(set_field(model, content, slots.Content.PROPERTIES_TYPE, bytes([1])))


def test_missing_normalisation_is_refused(model: bytes) -> None:
    unit = input_metadata(model).table_at(slots.TensorMetadata.PROCESS_UNITS, 0)
    with pytest.raises(MetadataError, match="normalisation"):
        read_spec(set_field(model, unit, slots.ProcessUnit.OPTIONS_TYPE, bytes([2])))


@pytest.mark.parametrize("threshold", [-0.1, 1.5, float("nan"), float("inf")])
def test_a_threshold_outside_0_and_1_is_refused(model: bytes, threshold: float) -> None:
    with pytest.raises(MetadataError, match="threshold"):
        read_spec(with_threshold(model, threshold))


def test_a_threshold_is_optional(model: bytes) -> None:
    unit = output_metadata(model).table_at(slots.TensorMetadata.PROCESS_UNITS, 0)
    other_unit = set_field(model, unit, slots.ProcessUnit.OPTIONS_TYPE, bytes([2]))
    assert read_spec(other_unit).heads[0].threshold == 0.0


@pytest.mark.parametrize("labels", [b"dress\nhat\n", b"dress\nhat\nshirt\nskirt\n", b""])
def test_labels_must_be_as_many_as_scores(model: bytes, labels: bytes) -> None:
    with pytest.raises(MetadataError, match="3 values but"):
        read_spec(with_files(model, {"labels.txt": labels}))


@pytest.mark.parametrize("shape", [(3,), (1, 1, 1, 3), (1, 2, 2, 3), (2, 3)])
def test_an_output_must_be_one_score_for_each_label(shape: tuple[int, ...]) -> None:
    with pytest.raises(MetadataError, match=r"is of shape .* where \(1, 3\) is wanted"):
        check_spec(SPEC, read_graph(bare_model(output_shape=shape)))


def test_missing_labels_are_refused(model: bytes) -> None:
    file = output_metadata(model).table_at(slots.TensorMetadata.ASSOCIATED_FILES, 0)
    with pytest.raises(MetadataError, match="no labels"):
        read_spec(set_field(model, file, slots.AssociatedFile.TYPE, bytes([1])))
    with pytest.raises(MetadataError, match="no labels"):
        read_spec(with_files(model, {"other.txt": b"dress"}))


def test_labels_must_be_utf8(model: bytes) -> None:
    with pytest.raises(MetadataError, match="UTF-8"):
        read_spec(with_files(model, {"labels.txt": b"\xff\n\xff\n\xff\n"}))


@pytest.mark.parametrize("name", ["labels.txt", slots.EXTRA_FILE])
def test_a_zip_bomb_is_refused(model: bytes, name: str) -> None:
    bomb = with_files(model, {**files_of(model), name: bytes(8 << 20)})
    assert len(bomb) < 32_000
    with pytest.raises(MetadataError, match="1 MiB"):
        read_spec(bomb)


def test_packed_files_cut_off_or_of_an_odd_kind(model: bytes) -> None:
    with pytest.raises(MetadataError, match="packed into the model"):
        read_spec(model[: model.index(b"PK\x03\x04")])
    with pytest.raises(MetadataError, match="neither stored nor deflated"):
        read_spec(with_files(model, files_of(model), zipfile.ZIP_LZMA))


def test_a_newer_extra_file_asks_for_an_upgrade(model: bytes) -> None:
    newer = with_extra(model, {"format": slots.EXTRA_FORMAT + 1, "resize": "fold", "provenance": {}})
    with pytest.raises(MetadataError, match="upgrade"):
        read_spec(newer)


@pytest.mark.parametrize(
    "extra",
    [
        b"{",
        b"\xff",
        b"[" * 100_000,
        [],
        {"format": 1},
        {"format": "1", "resize": "stretch", "provenance": {}},
        {"format": 1, "resize": "fold", "provenance": {}},
        {"format": 1, "resize": "stretch", "provenance": 5},
    ],
)
def test_a_damaged_extra_file_is_refused(model: bytes, extra: object) -> None:
    with pytest.raises(MetadataError, match=r"edge_garment\.json"):
        read_spec(with_extra(model, extra))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"input": replace(SPEC.input, height=5)}, "4 x 6 but is described as 5 x 6"),
        ({"input": replace(SPEC.input, std=(1.0, 0.0, 1.0))}, "normalisation"),
        ({"input": replace(SPEC.input, mean=(float("nan"), 0.0, 0.0))}, "normalisation"),
        ({"heads": ()}, "1 outputs but 0"),
        ({"heads": SPEC.heads * 2}, "1 outputs but 2"),
        ({"heads": (replace(SPEC.heads[0], name=""),)}, "a name each"),
    ],
)
def test_a_description_must_fit_the_tensors(model: bytes, change: dict[str, Any], message: str) -> None:
    with pytest.raises(MetadataError, match=message):
        check_spec(replace(SPEC, **change), read_graph(model))


@pytest.mark.parametrize(
    ("kind", "name", "zero_point"),
    [
        (schema.TensorType.UINT8, "uint8", 114),
        (schema.TensorType.INT8, "int8", -14),
        (schema.TensorType.INT16, "int16", 0),
        (schema.TensorType.INT32, "int32", 0),
    ],
)
def test_whole_numbers_need_a_scale(kind: int, name: str, zero_point: int) -> None:
    with pytest.raises(ModelError, match=f"input is {name} without a scale"):
        add_metadata(bare_model(kind=kind, pixels=None), SPEC)
    with pytest.raises(ModelError, match=f"output 'garment' is {name} without a scale"):
        add_metadata(bare_model(kind=kind, pixels=(0.0187, zero_point), scores=None), SPEC)


@pytest.mark.parametrize("scale", [0.0, -0.1, float("nan")])
def test_a_scale_must_be_one_to_compute_with(scale: float) -> None:
    with pytest.raises(ModelError, match="without a scale"):
        add_metadata(bare_model(pixels=(scale, 0)), SPEC)


def test_raw_pixels_need_no_scale() -> None:
    """A network that turns uint8 into floats itself takes pixels as they are."""
    raw = replace(SPEC, input=replace(SPEC.input, mean=(0.0,) * 3, std=(1.0,) * 3))
    assert read_spec(add_metadata(bare_model(pixels=None), raw)).input == raw.input
    with pytest.raises(ModelError, match="int8 without a scale"):
        add_metadata(bare_model(kind=schema.TensorType.INT8, pixels=None), raw)


def test_floats_need_no_scale() -> None:
    floats = add_metadata(bare_model(kind=schema.TensorType.FLOAT32, pixels=None, scores=None), SPEC)
    assert read_spec(floats) == SPEC


@pytest.mark.parametrize(
    ("mean", "std", "left"),
    [((0.0,) * 3, (1.0,) * 3, 4), ((0.0,) * 3, (255.0,) * 3, 54), ((127.5,) * 3, (127.5, 500.0, 127.5), 29)],
)
def test_a_normalisation_must_leave_pixels_apart(mean: Any, std: Any, left: int) -> None:
    """All values of a pixel above the first few would be one to such a model."""
    spec = replace(SPEC, input=replace(SPEC.input, mean=mean, std=std))
    with pytest.raises(MetadataError, match=f"256 values of a pixel {left} are left"):
        add_metadata(bare_model(), spec)


def test_a_file_cut_short_anywhere_is_an_error_of_ours(model: bytes) -> None:
    for length in range(0, len(model) - 1, 3):
        with pytest.raises(EdgeGarmentError):
            read_spec(model[:length])


def test_any_byte_may_be_wrong(model: bytes) -> None:
    generator = random.Random(7)
    for _ in range(600):
        damaged = bytearray(model)
        damaged[generator.randrange(len(damaged))] = generator.randrange(256)
        try:
            read_spec(bytes(damaged))
        except EdgeGarmentError:
            continue


def test_a_published_model() -> None:
    folder = os.environ.get("EDGE_GARMENT_DATA")
    if not folder:
        pytest.skip("EDGE_GARMENT_DATA does not name a folder with weights/mobilenet_v1_0.25_128_quant.tflite")
    spec = read_spec(Path(folder, "weights", "mobilenet_v1_0.25_128_quant.tflite").read_bytes())
    assert spec.input == InputSpec(128, 128, mean=(127.5,) * 3, std=(127.5,) * 3)
    assert spec.heads[0].name == "probability"
    assert spec.heads[0].labels[:2] == ("background", "tench, Tinca tinca")
    assert len(spec.heads[0].labels) == 1001
