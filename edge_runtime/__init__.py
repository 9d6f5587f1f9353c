"""Recognise garments in pictures and camera frames with a TFLite model.

>>> from edge_runtime import Recognizer, read_picture
>>> Recognizer.load().classify(read_picture("photo.jpg"))
"""

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any, Final

from edge_runtime.errors import (
    BackendError,
    EdgeGarmentError,
    MetadataError,
    ModelError,
    OutputError,
    PictureError,
    SourceError,
)
from edge_runtime.results import Classification, Detection, FrameResult, Recognition, StageTimes
from edge_runtime.spec import DetectionSpec, HeadSpec, InputSpec, ModelSpec, ResizeRule, Task

if TYPE_CHECKING:
    from edge_runtime.backend import DelegateName
    from edge_runtime.pictures import decode_picture, read_picture
    from edge_runtime.recognizer import Recognizer

MOST_PIXELS: Final = 1 << 27
"""Of a picture, where the user sets no other limit: a file of a few kilobytes may claim one of gigabytes.

134 million hold photos of every camera that a shop has, and take 0.4 GB.
"""

_LIMIT = "OPENCV_IO_MAX_IMAGE_PIXELS"

OPENCV_KNOWS_MOST_PIXELS: Final = _LIMIT in os.environ or ("cv2" not in sys.modules and os.name != "nt")
"""OpenCV reads its limit once, when it is imported; on Windows it may not see what Python adds to the environment."""

os.environ.setdefault(_LIMIT, str(MOST_PIXELS))

__all__ = [
    "BackendError",
    "Classification",
    "DelegateName",
    "Detection",
    "DetectionSpec",
    "EdgeGarmentError",
    "FrameResult",
    "HeadSpec",
    "InputSpec",
    "MetadataError",
    "ModelError",
    "ModelSpec",
    "OutputError",
    "PictureError",
    "Recognition",
    "Recognizer",
    "ResizeRule",
    "SourceError",
    "StageTimes",
    "Task",
    "decode_picture",
    "read_picture",
]

if not TYPE_CHECKING:
    # Checkers would take any name for one that this serves.
    _LATE = {
        "DelegateName": "edge_runtime.backend",
        "Recognizer": "edge_runtime.recognizer",
        "decode_picture": "edge_runtime.pictures",
        "read_picture": "edge_runtime.pictures",
    }

    def __getattr__(name: str) -> Any:
        # OpenCV and the interpreter load on first use, so that `edge-run --help` is instant.
        if name in _LATE:
            return getattr(importlib.import_module(_LATE[name]), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        # Completion and `help` go by it.
        return sorted({*globals(), *__all__})
