"""A `.tflite` file as a container: the shapes in its graph, its metadata block and the files packed behind it."""

import io
import os
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_runtime.bundled import BUNDLED
from edge_runtime.errors import MetadataError, ModelError
from edge_runtime.flatbuffer import FlatBufferError, Table, root_table
from edge_runtime.tflite_schema import (
    METADATA_NAME,
    MODEL_IDENTIFIER,
    Buffer,
    Metadata,
    Model,
    SubGraph,
    Tensor,
)

_MAX_PACKED_BYTES: Final = 1 << 20
# Offsets of a flatbuffer have 31 bits.
_MAX_MODEL_BYTES: Final = 1 << 31

# What the zipfile module raises on archives that are damaged or use what it does not support.
_ZIP_ERRORS: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    OverflowError,
    IndexError,
)


@dataclass(frozen=True, slots=True)
class Graph:
    """The parts of a TFLite file that say what goes in and comes out.

    Attributes:
        input_shape: (1, height, width, 3), for the model's only input.
        output_shapes: One shape per output tensor, in order.
        metadata: The standard metadata block, None when the model has none.
    """

    input_shape: tuple[int, ...]
    output_shapes: tuple[tuple[int, ...], ...]
    metadata: bytes | None


def read_model(path: str | os.PathLike[str]) -> bytes:
    """Return all bytes of a model file.

    Raises:
        ModelError: The file cannot be read or is larger than a TFLite file can be.
    """
    file = Path(path)
    try:
        if file.stat().st_size > _MAX_MODEL_BYTES:
            raise ModelError(f"{file} is larger than the 2 GiB that a TFLite file can have; give another file.")
        return file.read_bytes()
    except OSError as error:
        # A word alone is a bundled model's name, misspelt.
        known = "" if file.name in BUNDLED or file.suffix else f", or name a bundled one: {', '.join(BUNDLED)}"
        raise ModelError(f"The model {file} cannot be read ({error.strerror}); check the path{known}.") from error


def read_graph(model: bytes) -> Graph:
    """Read shapes and metadata block of a TFLite file.

    Raises:
        ModelError: The bytes are no TFLite file, are damaged, or hold a model whose input is not one RGB picture.
    """
    if model[4:8] != MODEL_IDENTIFIER:
        raise ModelError("The model is not a TFLite file; give the .tflite file that edge-convert wrote.")
    try:
        root = root_table(model)
        graph = root.table_at(Model.SUBGRAPHS, 0)
        inputs = _shapes(graph, SubGraph.INPUTS)
        outputs = _shapes(graph, SubGraph.OUTPUTS)
        metadata = _metadata_block(root)
    except FlatBufferError as error:
        raise ModelError(f"The model file is damaged or cut short ({error}); copy or convert it again.") from error
    return Graph(_picture_shape(inputs), outputs, metadata)


def packed_file_sizes(model: bytes) -> dict[str, int]:
    """Return the unpacked size in bytes of each file packed into a TFLite file, as its directory states it.

    Raises:
        MetadataError: The directory of packed files is damaged.
    """
    if not zipfile.is_zipfile(io.BytesIO(model)):
        return {}
    try:
        with zipfile.ZipFile(io.BytesIO(model)) as archive:
            return {entry.filename: entry.file_size for entry in archive.infolist()}
    except _ZIP_ERRORS as error:
        raise _damaged_archive(error) from error


def read_packed_file(model: bytes, name: str) -> bytes | None:
    """Return a file packed into a TFLite file, None when none has that name.

    Raises:
        MetadataError: The packed files are missing, damaged, or unpack to more than 1 MiB.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(model)) as archive:
            if name not in archive.namelist():
                return None
            content = _read_member(archive, name)
    except _ZIP_ERRORS as error:
        raise _damaged_archive(error) from error
    if len(content) > _MAX_PACKED_BYTES:
        raise MetadataError(f"The model's packed file {name!r} is larger than 1 MiB; pack a shorter one.")
    return content


def _damaged_archive(error: Exception) -> MetadataError:
    return MetadataError(
        f"The files packed into the model are damaged or cut short ({error}); copy or convert the model again."
    )


def _read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    # The other methods may ask for gigabytes of working memory in a few bytes of header.
    if archive.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise zipfile.BadZipFile(f"{name!r} is neither stored nor deflated")
    with archive.open(name) as member:
        return member.read(_MAX_PACKED_BYTES + 1)


def _shapes(graph: Table, slot: SubGraph) -> tuple[tuple[int, ...], ...]:
    return tuple(graph.table_at(SubGraph.TENSORS, index).int32s(Tensor.SHAPE) for index in graph.int32s(slot))


def _picture_shape(inputs: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
    match inputs:
        case ((1, height, width, 3),) if height > 0 and width > 0:
            return inputs[0]
    shapes = ", ".join(map(str, inputs[:4])) or "none"
    raise ModelError(
        f"The model's input must be one picture of shape (1, height, width, 3) but is {shapes}; "
        "give an image classifier made by edge-convert."
    )


def _metadata_block(root: Table) -> bytes | None:
    for entry in root.tables(Model.METADATA):
        if entry.string(Metadata.NAME) == METADATA_NAME:
            return root.table_at(Model.BUFFERS, entry.uint32(Metadata.BUFFER)).blob(Buffer.DATA)
    return None
