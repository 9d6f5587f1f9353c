"""Where each field lies in the tables of a TFLite file.

Numbers are slots of the public schemas: `schema.fbs` of LiteRT for the model, `metadata_schema.fbs` of TFLite Support
for the metadata. Only the fields that edge-garment reads or writes are named. A union takes two slots, its type and
its table.
"""

from enum import IntEnum, StrEnum
from typing import Final

MODEL_IDENTIFIER: Final = b"TFL3"
METADATA_IDENTIFIER: Final = b"M001"
# Under this name the model's list of metadata points to the buffer that holds the ModelMetadata table.
METADATA_NAME: Final = "TFLITE_METADATA"
# Oldest parser of TFLite metadata that understands every field written here.
MIN_PARSER_VERSION: Final = "1.0.0"

# Packed beside the label files; holds what the standard has no field for.
EXTRA_FILE: Final = "edge_garment.json"
EXTRA_FORMAT: Final = 1


class DetectorOutput(StrEnum):
    """Names by which readers of the metadata, MediaPipe among them, tell a detector's outputs apart."""

    BOXES = "location"
    LABELS = "category"
    SCORES = "score"
    COUNT = "number of detections"


class Model(IntEnum):
    """Root table of a TFLite file."""

    VERSION = 0
    OPERATOR_CODES = 1
    SUBGRAPHS = 2
    DESCRIPTION = 3
    BUFFERS = 4
    METADATA = 6
    SIGNATURE_DEFS = 7


class OperatorCode(IntEnum):
    """A kind of operation; the code moved to a wider field when 127 was reached, and the greater of the two counts."""

    DEPRECATED_BUILTIN_CODE = 0
    CUSTOM_CODE = 1
    VERSION = 2
    BUILTIN_CODE = 3


class SubGraph(IntEnum):
    """A graph of the model; the first is the one that runs."""

    TENSORS = 0
    INPUTS = 1
    OUTPUTS = 2
    OPERATORS = 3
    NAME = 4


class Tensor(IntEnum):
    """A tensor of a graph."""

    SHAPE = 0
    TYPE = 1
    BUFFER = 2
    NAME = 3
    QUANTIZATION = 4
    IS_VARIABLE = 5
    SHAPE_SIGNATURE = 7


class Quantization(IntEnum):
    """How a tensor's numbers stand for real ones: real = scale * (number - zero point), per tensor or per channel."""

    SCALE = 2
    ZERO_POINT = 3
    DIMENSION = 6


class Operator(IntEnum):
    """An operation of a graph."""

    CODE_INDEX = 0
    INPUTS = 1
    OUTPUTS = 2
    OPTIONS_TYPE = 3
    OPTIONS = 4


class Buffer(IntEnum):
    """Bytes of weights or of metadata; above 2 GB they lie outside the tables, at an offset."""

    DATA = 0
    OFFSET = 1


class Metadata(IntEnum):
    """An entry of the model's list of metadata."""

    NAME = 0
    BUFFER = 1


class SignatureDef(IntEnum):
    """Names for a graph's inputs and outputs, by which engines offer to call it."""

    INPUTS = 0
    OUTPUTS = 1
    SUBGRAPH_INDEX = 4


class TensorMap(IntEnum):
    """An input or output of a signature."""

    NAME = 0
    TENSOR_INDEX = 1


class ModelMetadata(IntEnum):
    """Root table of the metadata."""

    NAME = 0
    DESCRIPTION = 1
    VERSION = 2
    SUBGRAPH_METADATA = 3
    AUTHOR = 4
    LICENSE = 5
    ASSOCIATED_FILES = 6
    MIN_PARSER_VERSION = 7


class SubGraphMetadata(IntEnum):
    """What the inputs and outputs of a graph mean."""

    INPUT_TENSOR_METADATA = 2
    OUTPUT_TENSOR_METADATA = 3


class TensorMetadata(IntEnum):
    """What one input or output means."""

    NAME = 0
    DESCRIPTION = 1
    CONTENT = 3
    PROCESS_UNITS = 4
    STATS = 5
    ASSOCIATED_FILES = 6


class Content(IntEnum):
    """What kind of thing a tensor holds."""

    PROPERTIES_TYPE = 0
    PROPERTIES = 1
    RANGE = 2


class ContentProperties(IntEnum):
    """Types of the union in `Content`."""

    FEATURE = 1
    IMAGE = 2
    BOUNDING_BOX = 3


class ContentRange(IntEnum):
    """Dimensions of a tensor that its content lies in."""

    MIN = 0
    MAX = 1


class BoundingBoxProperties(IntEnum):
    """A tensor that holds boxes."""

    INDEX = 0
    TYPE = 1


class BoundingBoxType(IntEnum):
    """Values of `BoundingBoxProperties.TYPE`."""

    BOUNDARIES = 1


class ImageProperties(IntEnum):
    """A tensor that holds a picture."""

    COLOR_SPACE = 0
    DEFAULT_SIZE = 1


class ColorSpace(IntEnum):
    """Values of `ImageProperties.COLOR_SPACE`."""

    RGB = 1


class ImageSize(IntEnum):
    """Size of a picture in pixels."""

    WIDTH = 0
    HEIGHT = 1


class ProcessUnit(IntEnum):
    """A step before or after the model."""

    OPTIONS_TYPE = 0
    OPTIONS = 1


class ProcessUnitOptions(IntEnum):
    """Types of the union in `ProcessUnit`."""

    NORMALIZATION = 1
    SCORE_THRESHOLDING = 3


class NormalizationOptions(IntEnum):
    """Pixel values are normalised as (x - mean) / std, x in [0, 255]."""

    MEAN = 0
    STD = 1


class ScoreThresholdingOptions(IntEnum):
    """Scores below the threshold are not reported."""

    GLOBAL_SCORE_THRESHOLD = 0


class Stats(IntEnum):
    """Range of a tensor's values."""

    MAX = 0
    MIN = 1


class AssociatedFile(IntEnum):
    """A file packed into the model."""

    NAME = 0
    DESCRIPTION = 1
    TYPE = 2


class AssociatedFileType(IntEnum):
    """Values of `AssociatedFile.TYPE`."""

    DESCRIPTIONS = 1
    TENSOR_AXIS_LABELS = 2
    TENSOR_VALUE_LABELS = 3
