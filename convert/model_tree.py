"""A `.tflite` file as a tree of the schema's objects, to change what the converter has no switch for."""

from dataclasses import dataclass
from typing import Any, Final

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from edge_runtime.tflite_schema import MODEL_IDENTIFIER

# The model schema asks for it (force_align), the generated packer forgets it.
_BUFFER_ALIGNMENT: Final = 16


def read_tree(model: bytes) -> schema.ModelT:
    """Return the objects of a `.tflite` file; files packed behind it are left out.

    Raises:
        Exception: Whatever struct or numpy raise on damaged bytes.
    """
    return schema.ModelT.InitFromPackedBuf(model)


def pack_tree(tree: schema.ModelT) -> bytes:
    """Return the bytes of a `.tflite` file; the same tree always gives the same bytes."""
    buffers = tree.buffers
    tree.buffers = [_AlignedBuffer(buffer) for buffer in buffers]
    try:
        builder = _SharingBuilder(1 << 20)
        builder.Finish(tree.Pack(builder), file_identifier=MODEL_IDENTIFIER)
    finally:
        tree.buffers = buffers
    return bytes(builder.Output())


def add_buffer(tree: schema.ModelT, values: NDArray[Any]) -> int:
    """Add constant data to a model and return the number of its buffer."""
    tree.buffers.append(schema.BufferT(np.frombuffer(values.tobytes(), np.uint8)))
    return len(tree.buffers) - 1


def add_tensor(tree: schema.ModelT, tensor: schema.TensorT) -> int:
    """Add a tensor to a model's graph and return its index."""
    tree.subgraphs[0].tensors.append(tensor)
    return len(tree.subgraphs[0].tensors) - 1


class _SharingBuilder(flatbuffers.Builder):  # type: ignore[misc]  # flatbuffers comes without types
    """Writes equal vectors once.

    A tensor quantised per channel carries a 64-bit zero for each channel, as does its bias: a twelfth of a small model.
    """

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._written: dict[tuple[str, bytes], int] = {}

    def CreateNumpyVector(self, x: NDArray[Any]) -> int:  # noqa: N802 - the generated packer calls it
        if x.dtype == np.uint8:  # The model's data, whose alignment its first place would decide.
            return int(super().CreateNumpyVector(x))
        key = (x.dtype.str, x.tobytes())
        if key not in self._written:
            self._written[key] = int(super().CreateNumpyVector(x))
        return self._written[key]


@dataclass(frozen=True, slots=True)
class _AlignedBuffer:
    """A buffer of the model whose bytes start on a 16 byte boundary of the file."""

    buffer: Any

    def Pack(self, builder: flatbuffers.Builder) -> int:  # noqa: N802 - the generated packer calls it
        if self.buffer.data is not None:
            builder.Prep(_BUFFER_ALIGNMENT, len(self.buffer.data))
        return int(self.buffer.Pack(builder))
