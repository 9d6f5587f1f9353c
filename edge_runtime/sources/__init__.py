"""Where frames come from: pictures, videos, cameras, network streams, and a drawn demo."""

from edge_runtime.sources.chain import ChainedSource
from edge_runtime.sources.demo import DemoSource
from edge_runtime.sources.frame import Frame, FrameSource
from edge_runtime.sources.live import DEFAULT_TIMEOUT_S, Endpoint, LiveSource
from edge_runtime.sources.opening import is_address, open_source, open_sources
from edge_runtime.sources.picture import OnBadPicture, PictureSource
from edge_runtime.sources.video import VideoSource

__all__ = [
    "DEFAULT_TIMEOUT_S",
    "ChainedSource",
    "DemoSource",
    "Endpoint",
    "Frame",
    "FrameSource",
    "LiveSource",
    "OnBadPicture",
    "PictureSource",
    "VideoSource",
    "is_address",
    "open_source",
    "open_sources",
]
