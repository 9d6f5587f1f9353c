"""The model's description of itself, read from the standard metadata in its `.tflite` file.

Standard TFLite Metadata are the authority for all they can express: name, version, licence, colour order,
normalisation, labels and score thresholds. The input size is the input tensor's. The packed file `edge_garment.json`
adds the resize rule, a detector's IoU threshold and the provenance; a model without it is stretched to size.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from edge_runtime.errors import MetadataError
from edge_runtime.flatbuffer import FlatBufferError, Table, root_table
from edge_runtime.metadata.checks import check_output_count, check_spec
from edge_runtime.metadata.detector import Suppression, find_outputs, is_detector, read_detection
from edge_runtime.metadata.fields import REMEDY, per_channel, process_unit, read_labels, read_threshold
from edge_runtime.metadata.quantization import check_quantization
from edge_runtime.model_file import Graph, read_graph, read_packed_file
from edge_runtime.spec import HeadSpec, InputSpec, ModelSpec, ResizeRule
from edge_runtime.tflite_schema import (
    EXTRA_FILE,
    EXTRA_FORMAT,
    METADATA_IDENTIFIER,
    AssociatedFileType,
    ColorSpace,
    Content,
    ContentProperties,
    DetectorOutput,
    ImageProperties,
    ModelMetadata,
    NormalizationOptions,
    ProcessUnitOptions,
    SubGraphMetadata,
    TensorMetadata,
)


def model_sha256(model: bytes) -> str:
    """Return the SHA-256 of a model file's bytes as 64 hexadecimal digits."""
    return hashlib.sha256(model).hexdigest()


def read_spec(model: bytes) -> ModelSpec:
    """Read what a model file says about its input, its outputs and itself.

    Args:
        model: All bytes of a `.tflite` file.

    Raises:
        ModelError: The bytes are no TFLite file, are damaged, or hold a model whose input is not one RGB picture, or
            that takes or gives whole numbers without a scale.
        MetadataError: The metadata are missing, damaged, incomplete, or contradict the model's tensors.
    """
    graph = read_graph(model)
    try:
        spec = _model_spec(model, graph, _metadata(graph))
    except FlatBufferError as error:
        raise MetadataError(f"The model's metadata are damaged ({error}); copy it again or {REMEDY}.") from error
    check_spec(spec, graph)
    check_quantization(spec, model)
    return spec


def read_detector_outputs(model: bytes) -> Mapping[DetectorOutput, int]:
    """Return the position of each output of a detector whose spec could be read."""
    return find_outputs(_outputs(_metadata(read_graph(model))))


def _metadata(graph: Graph) -> Table:
    if graph.metadata is None:
        raise MetadataError(
            "The model carries no metadata, so its labels and normalisation are unknown; "
            "make it with edge-convert, which writes them into the file."
        )
    if graph.metadata[4:8] != METADATA_IDENTIFIER:
        raise MetadataError(f"The model's metadata are not TFLite Metadata; {REMEDY}.")
    return root_table(graph.metadata)


def _outputs(described: Table) -> tuple[Table, ...]:
    subgraph = described.table_at(ModelMetadata.SUBGRAPH_METADATA, 0)
    return tuple(subgraph.tables(SubGraphMetadata.OUTPUT_TENSOR_METADATA))


def _model_spec(model: bytes, graph: Graph, described: Table) -> ModelSpec:
    image = described.table_at(ModelMetadata.SUBGRAPH_METADATA, 0).table_at(SubGraphMetadata.INPUT_TENSOR_METADATA, 0)
    outputs = _outputs(described)
    # Before the outputs are read, because each one of a damaged list would unpack a label file.
    check_output_count(len(outputs), graph)
    extra = _extra(model)
    detects = is_detector(outputs)
    return ModelSpec(
        name=described.string(ModelMetadata.NAME) or "",
        version=described.string(ModelMetadata.VERSION) or "",
        input=_input(image, graph.input_shape, extra.resize),
        heads=() if detects else tuple(_head(model, output, index) for index, output in enumerate(outputs)),
        license=described.string(ModelMetadata.LICENSE) or "",
        provenance=extra.provenance,
        detection=read_detection(model, outputs, graph.output_shapes, extra.suppression) if detects else None,
    )


def _input(image: Table, shape: tuple[int, ...], resize: ResizeRule) -> InputSpec:
    if not _is_rgb(image):
        raise MetadataError(f"The model's metadata do not say that its input is an RGB picture; {REMEDY}.")
    normalisation = process_unit(image, ProcessUnitOptions.NORMALIZATION)
    if normalisation is None:
        raise MetadataError(f"The model's metadata lack the input's normalisation; {REMEDY}.")
    return InputSpec(
        height=shape[1],
        width=shape[2],
        mean=per_channel(normalisation.float32s(NormalizationOptions.MEAN)),
        std=per_channel(normalisation.float32s(NormalizationOptions.STD)),
        resize=resize,
    )


def _is_rgb(image: Table) -> bool:
    content = image.table(TensorMetadata.CONTENT)
    kind, properties = content.union(Content.PROPERTIES_TYPE) if content else (0, None)
    if kind != ContentProperties.IMAGE or properties is None:
        return False
    return properties.int8(ImageProperties.COLOR_SPACE) == ColorSpace.RGB


def _head(model: bytes, output: Table, index: int) -> HeadSpec:
    name = output.string(TensorMetadata.NAME) or f"output_{index}"
    labels = read_labels(model, output, name, AssociatedFileType.TENSOR_AXIS_LABELS)
    return HeadSpec(name=name, labels=labels, threshold=read_threshold(output))


@dataclass(frozen=True, slots=True)
class _Extra:
    """What the packed extra file says."""

    resize: ResizeRule = ResizeRule.STRETCH
    provenance: Mapping[str, Any] = field(default_factory=dict)
    suppression: Suppression = field(default_factory=Suppression)


def _extra(model: bytes) -> _Extra:
    content = read_packed_file(model, EXTRA_FILE)
    if content is None:
        return _Extra()
    try:
        values = json.loads(content)
        if values["format"] > EXTRA_FORMAT:
            raise MetadataError("The model was made by a newer edge-garment; upgrade with pip install -U edge-garment.")
        return _Extra(ResizeRule(values["resize"]), dict(values["provenance"]), Suppression.from_dict(values))
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise MetadataError(f"The model's {EXTRA_FILE} is damaged ({error!r}); {REMEDY}.") from error
