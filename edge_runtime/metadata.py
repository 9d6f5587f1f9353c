"""The model's description of itself, read from the standard metadata in its `.tflite` file.

Standard TFLite Metadata are the authority for all they can express: name, version, licence, colour order,
normalisation, labels and score thresholds. The input size is the input tensor's. The packed file `edge_garment.json`
adds the resize rule and the provenance; a model without it is stretched to size.
"""

import hashlib
import json
import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from edge_runtime.errors import MetadataError
from edge_runtime.flatbuffer import FlatBufferError, Table, root_table
from edge_runtime.metadata_schema import (
    EXTRA_FILE,
    EXTRA_FORMAT,
    METADATA_IDENTIFIER,
    AssociatedFile,
    AssociatedFileType,
    ColorSpace,
    Content,
    ContentProperties,
    ImageProperties,
    ModelMetadata,
    NormalizationOptions,
    ProcessUnit,
    ProcessUnitOptions,
    ScoreThresholdingOptions,
    SubGraphMetadata,
    TensorMetadata,
)
from edge_runtime.model_file import Graph, read_graph, read_packed_file
from edge_runtime.spec import HeadSpec, InputSpec, ModelSpec, ResizeRule

_REMEDY: Final = "make the model again with edge-convert"


def model_sha256(model: bytes) -> str:
    """Return the SHA-256 of a model file's bytes as 64 hexadecimal digits."""
    return hashlib.sha256(model).hexdigest()


def read_spec(model: bytes) -> ModelSpec:
    """Read what a model file says about its input, its outputs and itself.

    Args:
        model: All bytes of a `.tflite` file.

    Raises:
        ModelError: The bytes are no TFLite file, are damaged, or hold a model whose input is not one RGB picture.
        MetadataError: The metadata are missing, damaged, incomplete, or contradict the model's tensors.
    """
    graph = read_graph(model)
    if graph.metadata is None:
        raise MetadataError(
            "The model carries no metadata, so its labels and normalisation are unknown; "
            "make it with edge-convert, which writes them into the file."
        )
    if graph.metadata[4:8] != METADATA_IDENTIFIER:
        raise MetadataError(f"The model's metadata are not TFLite Metadata; {_REMEDY}.")
    try:
        spec = _model_spec(model, graph, root_table(graph.metadata))
    except FlatBufferError as error:
        raise MetadataError(f"The model's metadata are damaged ({error}); copy it again or {_REMEDY}.") from error
    check_spec(spec, graph)
    return spec


def check_spec(spec: ModelSpec, graph: Graph) -> None:
    """Check that a description fits the tensors it describes.

    Raises:
        MetadataError: The input size, the number of heads, a label count, the normalisation or a threshold does not.
    """
    height, width = graph.input_shape[1:3]
    if (spec.input.height, spec.input.width) != (height, width):
        stated = f"{spec.input.height} x {spec.input.width}"
        raise MetadataError(f"The model's input is {height} x {width} but is described as {stated}; {_REMEDY}.")
    _check_head_count(len(spec.heads), graph)
    _check_head_names([head.name for head in spec.heads])
    _check_normalisation(spec.input)
    for head, shape in zip(spec.heads, graph.output_shapes, strict=True):
        _check_head(head, shape)


def _check_head_count(described: int, graph: Graph) -> None:
    outputs = len(graph.output_shapes)
    if described != outputs:
        raise MetadataError(f"The model has {outputs} outputs but {described} are described; {_REMEDY}.")


def _check_head_names(names: list[str]) -> None:
    if not all(names) or len(set(names)) != len(names):
        raise MetadataError(f"The model's outputs need a name each, none used twice, but are {names}; {_REMEDY}.")


def _check_normalisation(input_spec: InputSpec) -> None:
    finite = all(math.isfinite(value) for value in (*input_spec.mean, *input_spec.std))
    if not finite or min(input_spec.std) <= 0:
        raise MetadataError(
            f"The model's normalisation is unusable (mean {input_spec.mean}, std {input_spec.std}): means must be "
            f"finite and deviations positive; {_REMEDY}."
        )


def _check_head(head: HeadSpec, shape: tuple[int, ...]) -> None:
    size = shape[-1] if shape else 0
    if len(head.labels) != size:
        raise MetadataError(
            f"The model's output {head.name!r} has {size} values but {len(head.labels)} labels; {_REMEDY}."
        )
    if not 0.0 <= head.threshold <= 1.0:
        raise MetadataError(
            f"The score threshold of output {head.name!r} is {head.threshold}, not a number from 0 to 1; {_REMEDY}."
        )


def _model_spec(model: bytes, graph: Graph, described: Table) -> ModelSpec:
    subgraph = described.table_at(ModelMetadata.SUBGRAPH_METADATA, 0)
    # Before the outputs are read, because each one of a damaged list would unpack a label file.
    _check_head_count(subgraph.count(SubGraphMetadata.OUTPUT_TENSOR_METADATA), graph)
    outputs = subgraph.tables(SubGraphMetadata.OUTPUT_TENSOR_METADATA)
    image = subgraph.table_at(SubGraphMetadata.INPUT_TENSOR_METADATA, 0)
    resize, provenance = _extra(model)
    return ModelSpec(
        name=described.string(ModelMetadata.NAME) or "",
        version=described.string(ModelMetadata.VERSION) or "",
        input=_input(image, graph.input_shape, resize),
        heads=tuple(_head(model, output, index) for index, output in enumerate(outputs)),
        license=described.string(ModelMetadata.LICENSE) or "",
        provenance=provenance,
    )


def _input(image: Table, shape: tuple[int, ...], resize: ResizeRule) -> InputSpec:
    if not _is_rgb(image):
        raise MetadataError(f"The model's metadata do not say that its input is an RGB picture; {_REMEDY}.")
    normalisation = _process_unit(image, ProcessUnitOptions.NORMALIZATION)
    if normalisation is None:
        raise MetadataError(f"The model's metadata lack the input's normalisation; {_REMEDY}.")
    return InputSpec(
        height=shape[1],
        width=shape[2],
        mean=_per_channel(normalisation.float32s(NormalizationOptions.MEAN)),
        std=_per_channel(normalisation.float32s(NormalizationOptions.STD)),
        resize=resize,
    )


def _is_rgb(image: Table) -> bool:
    content = image.table(TensorMetadata.CONTENT)
    kind, properties = content.union(Content.PROPERTIES_TYPE) if content else (0, None)
    if kind != ContentProperties.IMAGE or properties is None:
        return False
    return properties.int8(ImageProperties.COLOR_SPACE) == ColorSpace.RGB


def _per_channel(values: tuple[float, ...]) -> tuple[float, float, float]:
    match values:
        case (single,):
            return (_as_written(single),) * 3
        case (red, green, blue):
            return _as_written(red), _as_written(green), _as_written(blue)
    raise MetadataError(f"The model's normalisation has {len(values)} values, not one or one per channel; {_REMEDY}.")


def _as_written(value: float) -> float:
    # A mean given as 123.675 is stored in 32 bits; its shortest decimal is the number that was given.
    return float(str(np.float32(value)))


def _process_unit(tensor: Table, kind: ProcessUnitOptions) -> Table | None:
    for unit in tensor.tables(TensorMetadata.PROCESS_UNITS):
        unit_kind, options = unit.union(ProcessUnit.OPTIONS_TYPE)
        if unit_kind == kind:
            return options
    return None


def _head(model: bytes, output: Table, index: int) -> HeadSpec:
    name = output.string(TensorMetadata.NAME) or f"output_{index}"
    options = _process_unit(output, ProcessUnitOptions.SCORE_THRESHOLDING)
    threshold = options.float32(ScoreThresholdingOptions.GLOBAL_SCORE_THRESHOLD) if options else 0.0
    return HeadSpec(name=name, labels=_labels(model, output, name), threshold=_as_written(threshold))


def _labels(model: bytes, output: Table, head: str) -> tuple[str, ...]:
    file = next(_label_files(output), None)
    content = None if file is None else read_packed_file(model, file)
    if content is None:
        raise MetadataError(f"The model carries no labels for its output {head!r}; {_REMEDY}.")
    try:
        lines = content.decode("utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise MetadataError(f"The labels of the model's output {head!r} are not UTF-8; {_REMEDY}.") from error
    return tuple(line.removesuffix("\r") for line in lines)


def _label_files(output: Table) -> Iterator[str]:
    """Yield names of label files; where there are several, for several languages, the first is the default."""
    for file in output.tables(TensorMetadata.ASSOCIATED_FILES):
        if file.int8(AssociatedFile.TYPE) == AssociatedFileType.TENSOR_AXIS_LABELS:
            yield file.string(AssociatedFile.NAME) or ""


def _extra(model: bytes) -> tuple[ResizeRule, dict[str, Any]]:
    content = read_packed_file(model, EXTRA_FILE)
    if content is None:
        return ResizeRule.STRETCH, {}
    try:
        values = json.loads(content)
        if values["format"] > EXTRA_FORMAT:
            raise MetadataError("The model was made by a newer edge-garment; upgrade with pip install -U edge-garment.")
        return ResizeRule(values["resize"]), dict(values["provenance"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise MetadataError(f"The model's {EXTRA_FILE} is damaged ({error!r}); {_REMEDY}.") from error
