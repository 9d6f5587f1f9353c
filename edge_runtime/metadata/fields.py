"""Fields of TFLite Metadata that several kinds of models have."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from edge_runtime.errors import MetadataError
from edge_runtime.flatbuffer import Table
from edge_runtime.model_file import read_packed_file
from edge_runtime.tflite_schema import (
    AssociatedFile,
    AssociatedFileType,
    ProcessUnit,
    ProcessUnitOptions,
    ScoreThresholdingOptions,
    TensorMetadata,
)

REMEDY: Final = "make the model again with edge-convert"


def per_channel(values: tuple[float, ...]) -> tuple[float, float, float]:
    """Return a number per colour channel, from three of them or one for all.

    Raises:
        MetadataError: There are others.
    """
    match values:
        case (single,):
            return (as_written(single),) * 3
        case (red, green, blue):
            return as_written(red), as_written(green), as_written(blue)
    raise MetadataError(f"The model's normalisation has {len(values)} values, not one or one per channel; {REMEDY}.")


def as_written(value: float) -> float:
    """Return the shortest decimal of a number stored in 32 bits: 123.675 as it was given, not 123.6750030517578."""
    return float(str(np.float32(value)))


def read_threshold(output: Table) -> float:
    """Return the score in [0, 1] below which an output's answers are not reported, 0 where none is stated."""
    options = process_unit(output, ProcessUnitOptions.SCORE_THRESHOLDING)
    return as_written(options.float32(ScoreThresholdingOptions.GLOBAL_SCORE_THRESHOLD)) if options else 0.0


def process_unit(tensor: Table, kind: ProcessUnitOptions) -> Table | None:
    """Return the options of a tensor's first process unit of a kind."""
    for unit in tensor.tables(TensorMetadata.PROCESS_UNITS):
        unit_kind, options = unit.union(ProcessUnit.OPTIONS_TYPE)
        if unit_kind == kind:
            return options
    return None


def read_labels(model: bytes, output: Table, name: str, kind: AssociatedFileType) -> tuple[str, ...]:
    """Return an output's labels from their packed file.

    Args:
        model: All bytes of the `.tflite` file.
        output: The output's description.
        name: Its name, for the error.
        kind: What the labels are of.

    Raises:
        MetadataError: There is no such file, or it is no UTF-8.
    """
    file = next(_label_files(output, kind), None)
    content = None if file is None else read_packed_file(model, file)
    if content is None:
        raise MetadataError(f"The model carries no labels for its output {name!r}; {REMEDY}.")
    try:
        lines = content.decode("utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise MetadataError(f"The labels of the model's output {name!r} are not UTF-8; {REMEDY}.") from error
    return tuple(line.removesuffix("\r") for line in lines)


def _label_files(output: Table, kind: AssociatedFileType) -> Iterator[str]:
    """Yield names of label files; where there are several, for several languages, the first is the default."""
    for file in output.tables(TensorMetadata.ASSOCIATED_FILES):
        if file.int8(AssociatedFile.TYPE) == kind:
            yield file.string(AssociatedFile.NAME) or ""
