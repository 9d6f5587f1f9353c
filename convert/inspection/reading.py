"""Reads what a TFLite file contains; every offset is checked, and time and memory stay in proportion to the file."""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convert.inspection.contents import EndNames, GraphFacts, ModelContents, OperatorFacts, Quantization, TensorFacts
from convert.inspection.options import read_options
from edge_runtime.errors import ModelError
from edge_runtime.flatbuffer import FlatBufferError, Table, root_table
from edge_runtime.graph_check import read_builtin_code
from edge_runtime.metadata.reading import model_sha256
from edge_runtime.model_file import packed_file_sizes
from edge_runtime.tflite_schema import (
    METADATA_IDENTIFIER,
    METADATA_NAME,
    MODEL_IDENTIFIER,
    Buffer,
    Metadata,
    Model,
    ModelMetadata,
    Operator,
    OperatorCode,
    SignatureDef,
    SubGraph,
    SubGraphMetadata,
    Tensor,
    TensorMap,
    TensorMetadata,
)
from edge_runtime.tflite_schema import Quantization as QuantizationSlot

# A table takes at least about this many bytes of a file: an entry in a list, its own offset, and some fields.
_TABLE_COST: Final = 24
_MAX_RANK: Final = 16
_CUSTOM: Final = "CUSTOM"

# Where a graph's inputs and outputs stand in the metadata and in a signature.
_ENDS: Final[Mapping[SubGraph, tuple[SubGraphMetadata, SignatureDef]]] = {
    SubGraph.INPUTS: (SubGraphMetadata.INPUT_TENSOR_METADATA, SignatureDef.INPUTS),
    SubGraph.OUTPUTS: (SubGraphMetadata.OUTPUT_TENSOR_METADATA, SignatureDef.OUTPUTS),
}
# By the graph's number, inputs or outputs, and a place among them or the number of a tensor.
_Names = Mapping[tuple[int, SubGraph, int], str]


def read_contents(model: bytes) -> ModelContents:
    """Read what a TFLite file contains.

    Args:
        model: All bytes of a `.tflite` file of any maker.

    Raises:
        ModelError: The bytes are no TFLite file, or are damaged.
        MetadataError: The files packed into the model are damaged.
    """
    if model[4:8] != MODEL_IDENTIFIER:
        raise ModelError("This is not a TFLite file; give a .tflite file.")
    try:
        return _Reader(model).contents()
    except FlatBufferError as error:
        raise ModelError(f"The model file is damaged or cut short ({error}); copy or convert it again.") from error


@dataclass(slots=True)
class _Allowance:
    """What may still be read.

    A damaged or hostile file may point to the same bytes over and over, so that reading it all takes far more time
    and memory than its size suggests. An honest one has each thing once.
    """

    left: int

    def take(self, cost: int) -> None:
        self.left -= cost
        if self.left < 0:
            raise FlatBufferError("it lists more than a file of its size can hold")


class _Reader:
    def __init__(self, model: bytes) -> None:
        self._model = model
        self._root = root_table(model)
        # Shapes and names that several tensors share are legal, hence twice the size.
        self._allowance = _Allowance(2 * len(model))
        self._kinds = [self._operator_kind(code) for code in self._tables(self._root, Model.OPERATOR_CODES)]
        self._metadata = {
            self._text(entry, Metadata.NAME): self._buffer(entry.uint32(Metadata.BUFFER))
            for entry in self._tables(self._root, Model.METADATA)
        }
        self._described = _standard_metadata(self._metadata.get(METADATA_NAME))
        self._meanings = self._read_meanings()
        self._signed = self._read_signatures()

    def contents(self) -> ModelContents:
        graphs = enumerate(self._tables(self._root, Model.SUBGRAPHS))
        return ModelContents(
            size=len(self._model),
            sha256=model_sha256(self._model),
            version=self._root.uint32(Model.VERSION),
            description=self._text(self._root, Model.DESCRIPTION),
            graphs=tuple(self._graph(number, graph) for number, graph in graphs),
            metadata={name: len(content) for name, content in self._metadata.items()},
            packed_files=packed_file_sizes(self._model),
            texts=_standard_texts(self._described),
        )

    def _read_meanings(self) -> _Names:
        """Return what the metadata call inputs and outputs, by their places; metadata that are damaged say nothing."""
        if self._described is None:
            return {}
        names = {}
        try:
            for number, graph in enumerate(self._tables(self._described, ModelMetadata.SUBGRAPH_METADATA)):
                for ends, (slot, _) in _ENDS.items():
                    for place, tensor in enumerate(self._tables(graph, slot)):
                        names[number, ends, place] = self._text(tensor, TensorMetadata.NAME)
        except FlatBufferError:
            return {}
        return names

    def _read_signatures(self) -> _Names:
        """Return what signatures call inputs and outputs, by their tensors."""
        names: dict[tuple[int, SubGraph, int], str] = {}
        for signature in self._tables(self._root, Model.SIGNATURE_DEFS):
            number = signature.uint32(SignatureDef.SUBGRAPH_INDEX)
            for ends, (_, slot) in _ENDS.items():
                for each in self._tables(signature, slot):
                    name = self._text(each, TensorMap.NAME)
                    names.setdefault((number, ends, each.uint32(TensorMap.TENSOR_INDEX)), name)
        return names

    def _graph(self, number: int, graph: Table) -> GraphFacts:
        tensors = tuple(self._tensor(index, each) for index, each in enumerate(self._tables(graph, SubGraph.TENSORS)))
        operators = self._tables(graph, SubGraph.OPERATORS)
        inputs = self._indices(graph, SubGraph.INPUTS, len(tensors))
        outputs = self._indices(graph, SubGraph.OUTPUTS, len(tensors))
        return GraphFacts(
            name=self._text(graph, SubGraph.NAME),
            tensors=tensors,
            inputs=inputs,
            outputs=outputs,
            operators=tuple(self._operator(index, each, len(tensors)) for index, each in enumerate(operators)),
            input_names=self._names(number, SubGraph.INPUTS, inputs),
            output_names=self._names(number, SubGraph.OUTPUTS, outputs),
        )

    def _names(self, graph: int, ends: SubGraph, tensors: tuple[int, ...]) -> tuple[EndNames, ...]:
        meanings = [self._meanings.get((graph, ends, place)) or None for place in range(len(tensors))]
        signed = [self._signed.get((graph, ends, tensor)) or None for tensor in tensors]
        # Each is said anew, however often the same tensor is listed.
        self._allowance.take(sum(len(name) for name in signed if name))
        return tuple(EndNames(*names) for names in zip(meanings, signed, strict=True))

    def _tensor(self, index: int, tensor: Table) -> TensorFacts:
        code = tensor.int8(Tensor.TYPE)
        # The signature has -1 where the shape has a stand-in for a size that is not fixed.
        shape = self._numbers(tensor, Tensor.SHAPE_SIGNATURE) or self._numbers(tensor, Tensor.SHAPE)
        if len(shape) > _MAX_RANK:
            raise FlatBufferError(f"a tensor has {len(shape)} dimensions")
        data = self._buffer(tensor.uint32(Tensor.BUFFER))
        return TensorFacts(
            index=index,
            name=self._text(tensor, Tensor.NAME),
            type=_schema_names("TensorType").get(code, f"TYPE_{code}"),
            shape=shape,
            quantization=self._quantization(tensor.table(Tensor.QUANTIZATION)),
            data=data if len(data) else None,
        )

    def _quantization(self, table: Table | None) -> Quantization | None:
        if table is None:
            return None
        scales = self._array(table, QuantizationSlot.SCALE, "<f4")
        if not len(scales):
            return None
        if not np.isfinite(scales).all():
            raise FlatBufferError("a quantisation scale is not a finite number")
        zero_points = self._array(table, QuantizationSlot.ZERO_POINT, "<i8")
        if not len(zero_points):
            zero_points = np.zeros(1, np.int64)
        return Quantization(
            channels=len(scales),
            axis=table.int32(QuantizationSlot.DIMENSION),
            scale_min=float(scales.min()),
            scale_max=float(scales.max()),
            zero_point_min=int(zero_points.min()),
            zero_point_max=int(zero_points.max()),
        )

    def _operator_kind(self, code: Table) -> tuple[str, bool, int]:
        """Return the name, whether it is a custom operation, and the version."""
        number = read_builtin_code(code)
        name = _schema_names("BuiltinOperator").get(number, f"BUILTIN_{number}")
        # Absent, the version is 1.
        version = code.int32(OperatorCode.VERSION) if code.has(OperatorCode.VERSION) else 1
        if name == _CUSTOM:
            return self._text(code, OperatorCode.CUSTOM_CODE) or _CUSTOM, True, version
        return name, False, version

    def _operator(self, index: int, operator: Table, tensors: int) -> OperatorFacts:
        code = operator.uint32(Operator.CODE_INDEX)
        if code >= len(self._kinds):
            raise FlatBufferError(f"an operation is of kind {code} of {len(self._kinds)}")
        kind, custom, version = self._kinds[code]
        return OperatorFacts(
            index=index,
            kind=kind,
            custom=custom,
            version=version,
            inputs=self._indices(operator, Operator.INPUTS, tensors, optional=True),
            outputs=self._indices(operator, Operator.OUTPUTS, tensors),
            options={} if custom else read_options(kind, operator.table(Operator.OPTIONS)),
        )

    def _indices(self, table: Table, slot: int, tensors: int, *, optional: bool = False) -> tuple[int, ...]:
        indices = self._numbers(table, slot)
        for index in indices:
            if not (0 <= index < tensors or (optional and index == -1)):
                raise FlatBufferError(f"tensor {index} of {tensors} is named")
        return indices

    def _tables(self, table: Table, slot: int) -> Iterator[Table]:
        for index in range(table.count(slot)):
            self._allowance.take(_TABLE_COST)
            yield table.table_at(slot, index)

    def _numbers(self, table: Table, slot: int) -> tuple[int, ...]:
        return tuple(self._array(table, slot, "<i4").tolist())

    def _array(self, table: Table, slot: int, dtype: str) -> NDArray[Any]:
        numbers = table.array(slot, dtype)
        self._allowance.take(numbers.nbytes)
        return numbers

    def _text(self, table: Table, slot: int) -> str:
        text = table.string(slot) or ""
        self._allowance.take(len(text))
        return text

    def _buffer(self, index: int) -> NDArray[np.uint8]:
        return self._root.table_at(Model.BUFFERS, index).array(Buffer.DATA, "u1")


def _standard_metadata(block: NDArray[np.uint8] | None) -> Table | None:
    """Return the table in the metadata block; it is only described here, so one that is damaged is none."""
    content = b"" if block is None else block.tobytes()
    if content[4:8] != METADATA_IDENTIFIER:
        return None
    try:
        return root_table(content)
    except FlatBufferError:
        return None


def _standard_texts(described: Table | None) -> dict[str, str]:
    """Return the texts of the metadata; damaged ones have none."""
    if described is None:
        return {}
    fields = ("NAME", "DESCRIPTION", "VERSION", "AUTHOR", "LICENSE")
    try:
        texts = {field.lower(): described.string(ModelMetadata[field]) for field in fields}
    except FlatBufferError:
        return {}
    return {name: text for name, text in texts.items() if text}


@functools.cache
def _schema_names(enumeration: str) -> dict[int, str]:
    """Return the names that the public schema gives to an enumeration's numbers."""
    from ai_edge_litert import schema_py_generated as schema

    members = vars(getattr(schema, enumeration)).items()
    return {number: name for name, number in members if name.isupper() and isinstance(number, int)}
