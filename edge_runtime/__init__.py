"""Recognise garments in pictures and camera frames with a TFLite model.

>>> from edge_runtime import Recognizer
>>> Recognizer.load().classify(frame)
"""

from typing import TYPE_CHECKING, Any

from edge_runtime.errors import EdgeGarmentError
from edge_runtime.results import Classification, Detection, FrameResult, Recognition, StageTimes
from edge_runtime.spec import HeadSpec, InputSpec, ModelSpec, ResizeRule

if TYPE_CHECKING:
    from edge_runtime.recognizer import Recognizer

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
