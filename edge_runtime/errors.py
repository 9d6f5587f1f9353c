"""Errors a user can act on.

Every error the commands report is a subclass of `EdgeGarmentError`. Its text is one sentence that says what is
wrong and what to do next; its `exit_code` is what the command exits with (listed in docs/exit-codes.md).
"""

from typing import ClassVar


class EdgeGarmentError(Exception):
    """Base of all errors that end a command with a sentence instead of a traceback."""

    exit_code: ClassVar[int] = 1


class SourceError(EdgeGarmentError):
    """A source of frames cannot be found or opened, or has nothing in it."""

    exit_code = 3


class CameraError(SourceError):
    """No camera answers under the number given."""

    exit_code = 4


class StreamError(SourceError):
    """A network stream cannot be reached or does not answer in time."""

    exit_code = 5


class PictureError(EdgeGarmentError):
    """A picture cannot be decoded: not a picture, truncated, or of a kind OpenCV does not know."""

    exit_code = 6


class ModelError(EdgeGarmentError):
    """A model file is missing, damaged, not TFLite, or of another kind than is needed."""

    exit_code = 7


class MetadataError(EdgeGarmentError):
    """A TFLite model carries no metadata, or metadata that contradict its tensors."""

    exit_code = 8


class BackendError(EdgeGarmentError):
    """No TFLite interpreter is installed, or the delegate asked for is not to be had."""

    exit_code = 9


class OutputError(EdgeGarmentError):
    """A result cannot be written: no space, no permission, or a suffix of no known format."""

    exit_code = 10


class ExtraMissingError(EdgeGarmentError):
    """A command needs a package of an extra that is not installed."""

    exit_code = 11


class DataError(EdgeGarmentError):
    """Training or calibration data are missing, unreadable, or contradict each other."""

    exit_code = 12


class RunError(EdgeGarmentError):
    """A training run directory is unfinished, damaged, or belongs to another task."""

    exit_code = 13


class ConversionError(EdgeGarmentError):
    """A Keras model cannot be turned into the `.tflite` file that the contract asks for."""

    exit_code = 14


class FindingsError(EdgeGarmentError):
    """A check of a data set, or of a model for a certain device, has found errors in it."""

    exit_code = 15


class DistributionError(EdgeGarmentError):
    """A training cannot be shared by the devices asked for, or one of its processes ended."""

    exit_code = 16


class ConfigError(EdgeGarmentError):
    """A file of settings cannot be read, or has keys or values that the command does not know."""

    exit_code = 17


class StuckError(EdgeGarmentError):
    """The model does not return from answering a frame."""

    exit_code = 18


class ParityError(EdgeGarmentError):
    """A `.tflite` file answers less like its Keras model than the user asked for."""

    exit_code = 19


class DropError(EdgeGarmentError):
    """Every recipe costs a model more of its score than the user allows."""

    exit_code = 20
