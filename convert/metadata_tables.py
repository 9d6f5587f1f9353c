"""The standard metadata block of a model, as FlatBuffers bytes of the public `metadata_schema.fbs`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import flatbuffers
import numpy as np

from edge_runtime.spec import InputSpec, ModelSpec
from edge_runtime.tflite_schema import (
    EXTRA_FILE,
    METADATA_IDENTIFIER,
    MIN_PARSER_VERSION,
    AssociatedFile,
    AssociatedFileType,
    BoundingBoxProperties,
    BoundingBoxType,
    ColorSpace,
    Content,
    ContentProperties,
    ContentRange,
    ImageProperties,
    ImageSize,
    ModelMetadata,
    NormalizationOptions,
    ProcessUnit,
    ProcessUnitOptions,
    ScoreThresholdingOptions,
    Stats,
    SubGraphMetadata,
    TensorMetadata,
)


@dataclass(frozen=True, slots=True)
class ValueRange:
    """Least and greatest values of a tensor as the application sees them, one for all channels or one per channel."""

    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class OutputTensor:
    """What the metadata say about one output.

    Attributes:
        name: Name by which readers know it.
        description: A sentence for people.
        content: What kind of thing it holds.
        values: Range of its values; None where they have none.
        listed: Whether its second dimension counts detections.
        label_file: Name of the packed file with the labels; None where it has none.
        label_kind: Whether labels are of places along the last axis or of values.
        threshold: Scores in [0, 1] below it are not reported.
    """

    name: str
    description: str
    content: ContentProperties = ContentProperties.FEATURE
    values: ValueRange | None = None
    listed: bool = False
    label_file: str | None = None
    label_kind: AssociatedFileType = AssociatedFileType.TENSOR_AXIS_LABELS
    threshold: float = 0.0


def encode_metadata(spec: ModelSpec, input_values: ValueRange, outputs: Sequence[OutputTensor]) -> bytes:
    """Return the `ModelMetadata` block; the same arguments give the same bytes.

    Args:
        spec: What the model says about itself.
        input_values: Range of the input tensor's values.
        outputs: One entry per output tensor, in order.
    """
    builder = flatbuffers.Builder(1024)
    subgraph = _table(
        builder,
        {
            SubGraphMetadata.INPUT_TENSOR_METADATA: _tables(builder, [_input(builder, spec.input, input_values)]),
            SubGraphMetadata.OUTPUT_TENSOR_METADATA: _tables(builder, [_output(builder, each) for each in outputs]),
        },
    )
    extra = _file(builder, EXTRA_FILE, "Resize rule and provenance.", AssociatedFileType.DESCRIPTIONS)
    root = _table(
        builder,
        {
            ModelMetadata.NAME: builder.CreateString(spec.name),
            ModelMetadata.VERSION: builder.CreateString(spec.version),
            ModelMetadata.SUBGRAPH_METADATA: _tables(builder, [subgraph]),
            ModelMetadata.LICENSE: builder.CreateString(spec.license),
            ModelMetadata.ASSOCIATED_FILES: _tables(builder, [extra]),
            ModelMetadata.MIN_PARSER_VERSION: builder.CreateString(MIN_PARSER_VERSION),
        },
    )
    builder.Finish(root, file_identifier=METADATA_IDENTIFIER)
    return bytes(builder.Output())


def _input(builder: flatbuffers.Builder, spec: InputSpec, values: ValueRange) -> int:
    text = f"RGB picture, brought to {spec.width} x {spec.height} pixels by the rule '{spec.resize}'."
    normalisation = _table(
        builder,
        {
            NormalizationOptions.MEAN: _floats(builder, spec.mean),
            NormalizationOptions.STD: _floats(builder, spec.std),
        },
    )
    unit = _process_unit(builder, ProcessUnitOptions.NORMALIZATION, normalisation)
    return _table(
        builder,
        {
            TensorMetadata.NAME: builder.CreateString("image"),
            TensorMetadata.DESCRIPTION: builder.CreateString(text),
            TensorMetadata.CONTENT: _image_content(builder, spec),
            TensorMetadata.PROCESS_UNITS: _tables(builder, [unit]),
            TensorMetadata.STATS: _stats(builder, values),
        },
    )


def _image_content(builder: flatbuffers.Builder, spec: InputSpec) -> int:
    builder.StartObject(len(ImageSize))
    builder.PrependUint32Slot(ImageSize.WIDTH, spec.width, 0)
    builder.PrependUint32Slot(ImageSize.HEIGHT, spec.height, 0)
    size: dict[int, int] = {ImageProperties.DEFAULT_SIZE: builder.EndObject()}
    image = _coded_table(builder, size, ImageProperties.COLOR_SPACE, ColorSpace.RGB)
    return _coded_table(builder, {Content.PROPERTIES: image}, Content.PROPERTIES_TYPE, ContentProperties.IMAGE)


def _output(builder: flatbuffers.Builder, output: OutputTensor) -> int:
    fields: dict[int, int] = {
        TensorMetadata.NAME: builder.CreateString(output.name),
        TensorMetadata.DESCRIPTION: builder.CreateString(output.description),
        TensorMetadata.CONTENT: _output_content(builder, output),
    }
    if output.values is not None:
        fields[TensorMetadata.STATS] = _stats(builder, output.values)
    if output.label_file is not None:
        labels = _file(builder, output.label_file, "One label a line.", output.label_kind)
        fields[TensorMetadata.ASSOCIATED_FILES] = _tables(builder, [labels])
    if output.threshold > 0:
        fields[TensorMetadata.PROCESS_UNITS] = _tables(builder, [_thresholding(builder, output.threshold)])
    return _table(builder, fields)


def _output_content(builder: flatbuffers.Builder, output: OutputTensor) -> int:
    boxed = output.content == ContentProperties.BOUNDING_BOX
    fields: dict[int, int] = {Content.PROPERTIES: _boxes(builder) if boxed else _table(builder, {})}
    if output.listed:
        fields[Content.RANGE] = _detection_range(builder)
    return _coded_table(builder, fields, Content.PROPERTIES_TYPE, output.content)


def _boxes(builder: flatbuffers.Builder) -> int:
    # Where left, top, right and bottom stand in (y_min, x_min, y_max, x_max).
    index: dict[int, int] = {BoundingBoxProperties.INDEX: int(builder.CreateNumpyVector(np.array([1, 0, 3, 2], "<u4")))}
    return _coded_table(builder, index, BoundingBoxProperties.TYPE, BoundingBoxType.BOUNDARIES)


def _detection_range(builder: flatbuffers.Builder) -> int:
    """Write that the content lies in the second dimension, which the metadata count from 1."""
    builder.StartObject(len(ContentRange))
    builder.PrependInt32Slot(ContentRange.MIN, 2, 0)
    builder.PrependInt32Slot(ContentRange.MAX, 2, 0)
    return int(builder.EndObject())


def _thresholding(builder: flatbuffers.Builder, threshold: float) -> int:
    builder.StartObject(len(ScoreThresholdingOptions))
    builder.PrependFloat32Slot(ScoreThresholdingOptions.GLOBAL_SCORE_THRESHOLD, threshold, 0.0)
    return _process_unit(builder, ProcessUnitOptions.SCORE_THRESHOLDING, builder.EndObject())


def _process_unit(builder: flatbuffers.Builder, kind: ProcessUnitOptions, options: int) -> int:
    return _coded_table(builder, {ProcessUnit.OPTIONS: options}, ProcessUnit.OPTIONS_TYPE, kind)


def _stats(builder: flatbuffers.Builder, values: ValueRange) -> int:
    return _table(builder, {Stats.MAX: _floats(builder, values.high), Stats.MIN: _floats(builder, values.low)})


def _file(builder: flatbuffers.Builder, name: str, description: str, kind: AssociatedFileType) -> int:
    texts: dict[int, int] = {
        AssociatedFile.NAME: builder.CreateString(name),
        AssociatedFile.DESCRIPTION: builder.CreateString(description),
    }
    return _coded_table(builder, texts, AssociatedFile.TYPE, kind)


def _floats(builder: flatbuffers.Builder, values: tuple[float, ...]) -> int:
    return int(builder.CreateNumpyVector(np.array(values, dtype="<f4")))


def _tables(builder: flatbuffers.Builder, tables: Sequence[int]) -> int:
    builder.StartVector(4, len(tables), 4)
    for table in reversed(tables):
        builder.PrependUOffsetTRelative(table)
    return int(builder.EndVector())


def _table(builder: flatbuffers.Builder, references: Mapping[int, int]) -> int:
    builder.StartObject(max(references, default=-1) + 1)
    _add_references(builder, references)
    return int(builder.EndObject())


def _coded_table(builder: flatbuffers.Builder, references: Mapping[int, int], code_slot: int, code: int) -> int:
    """Write a table with one enumeration value, such as the type of a union, beside its references."""
    builder.StartObject(max(code_slot, *references) + 1)
    _add_references(builder, references)
    builder.PrependUint8Slot(code_slot, code, 0)
    return int(builder.EndObject())


def _add_references(builder: flatbuffers.Builder, references: Mapping[int, int]) -> None:
    for slot, offset in references.items():
        builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
