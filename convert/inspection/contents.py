"""What a TFLite file contains, as plain values."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

FLOAT_TYPES: Final = frozenset({"FLOAT16", "FLOAT32", "FLOAT64", "BFLOAT16"})


@dataclass(frozen=True, slots=True)
class Quantization:
    """How a tensor's integers stand for real numbers: real = scale * (integer - zero point).

    Attributes:
        channels: How many scales there are: 1 for the whole tensor, else one per channel.
        axis: The channels' axis; meaningless where `channels` is 1.
        scale_min: Least scale.
        scale_max: Greatest scale.
        zero_point_min: Least zero point.
        zero_point_max: Greatest zero point.
    """

    channels: int
    axis: int
    scale_min: float
    scale_max: float
    zero_point_min: int
    zero_point_max: int


@dataclass(frozen=True, slots=True)
class TensorFacts:
    """A tensor of a graph.

    Attributes:
        index: Its number, by which operators name it.
        name: As the converter called it.
        type: `INT8`, `FLOAT32` ..., as the schema names it.
        shape: Empty for a scalar; -1 where a size is only known when the model runs.
        quantization: None where the numbers are not quantised.
        data: (bytes,) uint8, the content of a constant; None where the tensor is computed.
    """

    index: int
    name: str
    type: str
    shape: tuple[int, ...]
    quantization: Quantization | None
    data: NDArray[np.uint8] | None = field(default=None, compare=False, repr=False)

    @property
    def is_constant(self) -> bool:
        """Whether the file holds the tensor's content."""
        return self.data is not None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values, with the number of bytes in place of a constant's content."""
        return {
            "index": self.index,
            "name": self.name,
            "type": self.type,
            "shape": list(self.shape),
            "quantization": None if self.quantization is None else dataclasses.asdict(self.quantization),
            "constant_bytes": None if self.data is None else len(self.data),
        }


@dataclass(frozen=True, slots=True)
class OperatorFacts:
    """An operation of a graph.

    Attributes:
        index: Its place in the order of execution, from 0.
        kind: `CONV_2D` ..., as the schema names it; of a custom operation its own name.
        custom: Whether it is a custom operation.
        version: Version of the operation.
        inputs: Numbers of its input tensors; -1 where an optional one is left out.
        outputs: Numbers of its output tensors.
        options: Stride, activation and the like, for the kinds that edge-garment knows.
    """

    index: int
    kind: str
    custom: bool
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return dataclasses.asdict(self)


@dataclass(frozen=True, slots=True)
class EndNames:
    """What an input or output of a graph is called, besides its tensor's name.

    Attributes:
        metadata: What it means, in the standard metadata; None where they say nothing.
        signature: How engines call it in the graph's first signature that names it; None where none does.
    """

    metadata: str | None
    signature: str | None


@dataclass(frozen=True, slots=True)
class GraphFacts:
    """A graph of a model; the first one runs.

    Attributes:
        name: Often `main`.
        tensors: By number.
        inputs: Numbers of the tensors that go in.
        outputs: Numbers of the tensors that come out.
        operators: In order of execution.
        input_names: What each input is called; empty where that was not read.
        output_names: Likewise.
    """

    name: str
    tensors: tuple[TensorFacts, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    operators: tuple[OperatorFacts, ...]
    input_names: tuple[EndNames, ...] = ()
    output_names: tuple[EndNames, ...] = ()

    @property
    def float_tensors(self) -> tuple[TensorFacts, ...]:
        """The tensors that hold floating-point numbers."""
        return tuple(tensor for tensor in self.tensors if tensor.type in FLOAT_TYPES)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {
            "name": self.name,
            "inputs": list(self.inputs),
            "outputs": list(self.outputs),
            "input_names": [dataclasses.asdict(names) for names in self.input_names],
            "output_names": [dataclasses.asdict(names) for names in self.output_names],
            "tensors": [tensor.to_dict() for tensor in self.tensors],
            "operators": [operator.to_dict() for operator in self.operators],
        }


@dataclass(frozen=True, slots=True)
class ModelContents:
    """A TFLite file.

    Attributes:
        size: Bytes.
        sha256: Of the whole file.
        version: Of the schema; 3 in every file of today.
        description: What the converter wrote about itself.
        graphs: The first one runs; others belong to control flow.
        metadata: Bytes of each metadata entry, by name.
        packed_files: Unpacked bytes of each packed file, by name.
        texts: `name`, `description`, `version`, `author` and `license` of the standard metadata, where they are given.
    """

    size: int
    sha256: str
    version: int
    description: str
    graphs: tuple[GraphFacts, ...]
    metadata: Mapping[str, int]
    packed_files: Mapping[str, int]
    texts: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {
            "size": self.size,
            "sha256": self.sha256,
            "schema_version": self.version,
            "description": self.description,
            "standard_metadata": dict(self.texts),
            "metadata_bytes": dict(self.metadata),
            "packed_file_bytes": dict(self.packed_files),
            "graphs": [graph.to_dict() for graph in self.graphs],
        }
