"""Recognise garments in pictures and camera frames with a TFLite model.

>>> from edge_runtime import Recognizer
>>> Recognizer.load().classify(frame)
"""

import os
from typing import TYPE_CHECKING, Any

from edge_runtime.errors import EdgeGarmentError
from edge_runtime.results import Classification, Detection, FrameResult, Recognition, StageTimes
from edge_runtime.spec import HeadSpec, InputSpec, ModelSpec, ResizeRule

if TYPE_CHECKING:
    from edge_runtime.recognizer import Recognizer

# OpenCV reads this once, when it is imported: a file of a few kilobytes may claim a picture of gigabytes. The limit
# of 134 million pixels holds photos of every camera that a shop has, and takes 0.4 GB.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(1 << 27))

__all__ = [
    "Classification",
    "Detection",
    "EdgeGarmentError",
    "FrameResult",
    "HeadSpec",
    "InputSpec",
    "ModelSpec",
    "Recognition",
    "Recognizer",
    "ResizeRule",
    "StageTimes",
]


def __getattr__(name: str) -> Any:
    # OpenCV and the interpreter load on first use, so that `edge-run --help` is instant.
    if name == "Recognizer":
        from edge_runtime.recognizer import Recognizer

        return Recognizer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
