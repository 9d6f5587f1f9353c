"""Writes a model's description into its `.tflite` file, as standard TFLite Metadata.

The metadata block goes into the model itself; the label files and `edge_garment.json` are appended as an uncompressed
zip archive, where TFLite Support, MediaPipe Tasks and `edge_runtime.metadata.reading` look for them.
"""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from convert.metadata_tables import OutputTensor, ValueRange, encode_metadata
from convert.model_tree import pack_tree, read_tree
from edge_runtime.errors import MetadataError, ModelError
from edge_runtime.metadata.checks import check_spec
from edge_runtime.metadata.reading import read_spec
from edge_runtime.model_file import read_graph
from edge_runtime.spec import DetectionSpec, HeadSpec, InputSpec, ModelSpec
from edge_runtime.tflite_schema import (
    EXTRA_FILE,
    EXTRA_FORMAT,
    METADATA_NAME,
    AssociatedFileType,
    ContentProperties,
    DetectorOutput,
)

_INTEGER_RANGES: Final = {
    schema.TensorType.UINT8: ValueRange((0.0,), (255.0,)),
    schema.TensorType.INT8: ValueRange((-128.0,), (127.0,)),
}
_LABEL_FILE: Final = "labels.txt"
_SCORE_RANGE: Final = ValueRange((0.0,), (1.0,))


def add_metadata(
    model: bytes, spec: ModelSpec, detector_outputs: Sequence[DetectorOutput] = tuple(DetectorOutput)
) -> bytes:
    """Return the model with its description in it, in place of any description it already carried.

    Weights and graph stay as they are. The same arguments always give the same bytes.

    Args:
        model: All bytes of a `.tflite` file, with or without metadata.
        spec: What the model is to say about itself.
        detector_outputs: The order of a detector's outputs; that of `append_postprocess` where it is left away.

    Raises:
        ModelError: The bytes are no TFLite file, are damaged, or hold a model whose input is not one RGB picture.
        MetadataError: The description does not fit the model's tensors or cannot be written, for example because a
            label holds a line break.
    """
    check_spec(spec, read_graph(model))
    _check_text(spec)
    described = _append_files(_rewrite(model, spec, detector_outputs), _files(spec))
    # What cannot be read back must be found out here, not on a device.
    read_spec(described)
    return described


def _check_text(spec: ModelSpec) -> None:
    labels = [label for labels in _label_lists(spec).values() for label in labels]
    for text in (spec.name, spec.version, spec.license, *(head.name for head in spec.heads), *labels):
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise MetadataError(f"The text {text!r} cannot be written as UTF-8; rename it.") from error
    for label in labels:
        if "\n" in label or "\r" in label:
            raise MetadataError(f"The label {label!r} holds a line break, which ends a label; rename it.")


def _rewrite(model: bytes, spec: ModelSpec, detector_outputs: Sequence[DetectorOutput]) -> bytes:
    """Return the model's flatbuffer alone, with the metadata block of `spec` in it."""
    try:
        tree = read_tree(model)
        _refuse_external_buffers(tree)
        _replace_block(tree, _metadata_block(tree, spec, detector_outputs))
        return pack_tree(tree)
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


def _metadata_block(tree: schema.ModelT, spec: ModelSpec, detector_outputs: Sequence[DetectorOutput]) -> bytes:
    graph = tree.subgraphs[0]
    input_type = graph.tensors[graph.inputs[0]].type
    outputs = (
        _head_outputs(spec, [graph.tensors[index].type for index in graph.outputs])
        if spec.detection is None
        else _detector_outputs(spec.detection, detector_outputs)
    )
    return encode_metadata(spec, _INTEGER_RANGES.get(input_type) or _normalised_range(spec.input), outputs)


def _head_outputs(spec: ModelSpec, types: Sequence[int]) -> list[OutputTensor]:
    return [
        OutputTensor(
            head.name,
            f"Score in [0, 1] of each of {len(head.labels)} labels.",
            values=_INTEGER_RANGES.get(kind, _SCORE_RANGE),
            label_file=_head_file(spec, head),
            threshold=head.threshold,
        )
        for head, kind in zip(spec.heads, types, strict=True)
    ]


def _detector_outputs(detection: DetectionSpec, order: Sequence[DetectorOutput]) -> list[OutputTensor]:
    """Describe the outputs by the names that MediaPipe goes by."""
    boxes = "Edges of the boxes as shares of the picture: top, left, bottom, right."
    labels = f"Which of {len(detection.labels)} labels each box has."
    described = [
        OutputTensor(DetectorOutput.BOXES, boxes, ContentProperties.BOUNDING_BOX, listed=True),
        OutputTensor(
            DetectorOutput.LABELS,
            labels,
            listed=True,
            label_file=_LABEL_FILE,
            label_kind=AssociatedFileType.TENSOR_VALUE_LABELS,
        ),
        OutputTensor(DetectorOutput.SCORES, "Score in [0, 1] of each box.", listed=True, threshold=detection.threshold),
        OutputTensor(DetectorOutput.COUNT, "How many boxes there are; their rows, one or more each, come first."),
    ]
    return sorted(described, key=lambda output: order.index(DetectorOutput(output.name)))


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


def _head_file(spec: ModelSpec, head: HeadSpec) -> str:
    return _LABEL_FILE if len(spec.heads) == 1 else f"labels_{head.name}.txt"


def _label_lists(spec: ModelSpec) -> dict[str, tuple[str, ...]]:
    """Return the labels by the name of the packed file that holds them."""
    if spec.detection is not None:
        return {_LABEL_FILE: spec.detection.labels}
    return {_head_file(spec, head): head.labels for head in spec.heads}


def _files(spec: ModelSpec) -> dict[str, bytes]:
    files = {
        name: "".join(f"{label}\n" for label in labels).encode("utf-8") for name, labels in _label_lists(spec).items()
    }
    extra = {"format": EXTRA_FORMAT, "resize": spec.input.resize, "provenance": dict(spec.provenance)}
    if spec.detection is not None:
        extra["iou_threshold"] = spec.detection.iou_threshold
        extra["labels_per_box"] = spec.detection.labels_per_box
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
