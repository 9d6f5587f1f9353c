"""Writes a model's description into its `.tflite` file, as standard TFLite Metadata.

The metadata block goes into the model itself; the label files and `edge_garment.json` are appended as an uncompressed
zip archive, where TFLite Support, MediaPipe Tasks and `edge_runtime.metadata` look for them.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from convert.metadata_tables import OutputTensor, ValueRange, encode_metadata
from edge_runtime.errors import MetadataError, ModelError
from edge_runtime.metadata import check_spec, read_spec
from edge_runtime.metadata_schema import EXTRA_FILE, EXTRA_FORMAT, METADATA_NAME, MODEL_IDENTIFIER
from edge_runtime.model_file import read_graph
from edge_runtime.spec import HeadSpec, InputSpec, ModelSpec

# The model schema asks for it (force_align), the generated packer forgets it.
_BUFFER_ALIGNMENT: Final = 16

_INTEGER_RANGES: Final = {
    schema.TensorType.UINT8: ValueRange((0.0,), (255.0,)),
    schema.TensorType.INT8: ValueRange((-128.0,), (127.0,)),
}
_SCORE_RANGE: Final = ValueRange((0.0,), (1.0,))


def add_metadata(model: bytes, spec: ModelSpec) -> bytes:
    """Return the model with its description in it, in place of any description it already carried.

    Weights and graph stay as they are. The same arguments always give the same bytes.

    Args:
        model: All bytes of a `.tflite` file, with or without metadata.
        spec: What the model is to say about itself.

    Raises:
        ModelError: The bytes are no TFLite file, are damaged, or hold a model whose input is not one RGB picture.
        MetadataError: The description does not fit the model's tensors or cannot be written, for example because a
            label holds a line break.
    """
    check_spec(spec, read_graph(model))
    _check_text(spec)
    described = _append_files(_rewrite(model, spec), _files(spec))
    # What cannot be read back must be found out here, not on a device.
    read_spec(described)
    return described


def _check_text(spec: ModelSpec) -> None:
    labels = [label for head in spec.heads for label in head.labels]
    for text in (spec.name, spec.version, spec.license, *(head.name for head in spec.heads), *labels):
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise MetadataError(f"The text {text!r} cannot be written as UTF-8; rename it.") from error
    for label in labels:
        if "\n" in label or "\r" in label:
            raise MetadataError(f"The label {label!r} holds a line break, which ends a label; rename it.")


def _rewrite(model: bytes, spec: ModelSpec) -> bytes:
    """Return the model's flatbuffer alone, with the metadata block of `spec` in it."""
    try:
        tree = schema.ModelT.InitFromPackedBuf(model)
        _refuse_external_buffers(tree)
        _replace_block(tree, _metadata_block(tree, spec))
        return _pack(tree)
    except ModelError:
        raise
    # The generated code raises whatever struct, numpy or a None in the wrong place raises.
    except Exception as error:
        raise ModelError(f"The model file is damaged ({error!r}); convert it again.") from error


def _refuse_external_buffers(tree: schema.ModelT) -> None:
    if tree.externalBuffers or any(buffer.offset > 1 for buffer in tree.buffers):
        raise ModelError(
            "The model keeps weights outside its flatbuffer, as those above 2 GB do; convert a smaller one."
        )


def _metadata_block(tree: schema.ModelT, spec: ModelSpec) -> bytes:
    graph = tree.subgraphs[0]
    input_type = graph.tensors[graph.inputs[0]].type
    outputs = [
        OutputTensor(head, _label_file(spec, head), _INTEGER_RANGES.get(graph.tensors[index].type, _SCORE_RANGE))
        for head, index in zip(spec.heads, graph.outputs, strict=True)
    ]
    return encode_metadata(spec, _INTEGER_RANGES.get(input_type) or _normalised_range(spec.input), outputs)


def _normalised_range(spec: InputSpec) -> ValueRange:
    channels = list(zip(spec.mean, spec.std, strict=True))
    return ValueRange(
        low=tuple((0.0 - mean) / std for mean, std in channels),
        high=tuple((255.0 - mean) / std for mean, std in channels),
    )


def _replace_block(tree: schema.ModelT, block: bytes) -> None:
    entries = tree.metadata or []
    stale = [entry.buffer for entry in entries if entry.name == METADATA_NAME.encode()]
    for index in stale:
        tree.buffers[index].data = None
    if not stale:
        tree.buffers.append(schema.BufferT())
    # Other entries and tensors name buffers by number, so the old block's buffer is used again, not removed.
    index = stale[0] if stale else len(tree.buffers) - 1
    tree.buffers[index].data = np.frombuffer(block, dtype=np.uint8)
    kept = [entry for entry in entries if entry.name != METADATA_NAME.encode()]
    tree.metadata = [*kept, schema.MetadataT(METADATA_NAME, index)]


@dataclass(frozen=True, slots=True)
class _AlignedBuffer:
    """A buffer of the model whose bytes start on a 16 byte boundary of the file."""

    buffer: Any

    def Pack(self, builder: flatbuffers.Builder) -> int:  # noqa: N802 - the generated packer calls it
        if self.buffer.data is not None:
            builder.Prep(_BUFFER_ALIGNMENT, len(self.buffer.data))
        return int(self.buffer.Pack(builder))


def _pack(tree: schema.ModelT) -> bytes:
    tree.buffers = [_AlignedBuffer(buffer) for buffer in tree.buffers]
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(tree.Pack(builder), file_identifier=MODEL_IDENTIFIER)
    return bytes(builder.Output())


def _label_file(spec: ModelSpec, head: HeadSpec) -> str:
    return "labels.txt" if len(spec.heads) == 1 else f"labels_{head.name}.txt"


def _files(spec: ModelSpec) -> dict[str, bytes]:
    files = {
        _label_file(spec, head): "".join(f"{label}\n" for label in head.labels).encode("utf-8") for head in spec.heads
    }
    extra = {"format": EXTRA_FORMAT, "resize": spec.input.resize, "provenance": dict(spec.provenance)}
    try:
        files[EXTRA_FILE] = json.dumps(extra, indent=1, sort_keys=True, allow_nan=False).encode("utf-8")
    except (TypeError, ValueError) as error:
        raise MetadataError(f"The model's provenance is not plain JSON ({error}); leave that part out.") from error
    return files


def _append_files(model: bytes, files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    stream.write(model)
    # Mode "w" on a stream that is already written to appends, and counts offsets from the start of the file.
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(_fixed_entry(name), content)
    return stream.getvalue()


def _fixed_entry(name: str) -> zipfile.ZipInfo:
    """Return an entry with the same date and system wherever and whenever it is made."""
    entry = zipfile.ZipInfo(name)
    entry.create_system = 3
    entry.external_attr = 0o644 << 16
    return entry
