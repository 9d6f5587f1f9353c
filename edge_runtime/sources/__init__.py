"""Where frames come from: pictures, videos, cameras, network streams, and a drawn demo."""

from edge_runtime.frame import Frame
from edge_runtime.sources.ahead import AheadSource
from edge_runtime.sources.chain import ChainedSource
from edge_runtime.sources.demo import DemoSource
from edge_runtime.sources.endpoint import CameraRequest, Endpoint
from edge_runtime.sources.enough import Enough
from edge_runtime.sources.live import DEFAULT_TIMEOUT_S, LiveSettings, LiveSource
from edge_runtime.sources.opening import open_source, open_sources, stream_endpoint
from edge_runtime.sources.picture import OnBadPicture, PictureSource
from edge_runtime.sources.source import FrameSource
from edge_runtime.sources.video import VideoSource

__all__ = [
    "DEFAULT_TIMEOUT_S",
    "AheadSource",
    "CameraRequest",
    "ChainedSource",
    "DemoSource",
    "Endpoint",
    "Enough",
    "Frame",
    "FrameSource",
    "LiveSettings",
    "LiveSource",
    "OnBadPicture",
    "PictureSource",
    "VideoSource",
    "open_source",
    "open_sources",
    "stream_endpoint",
]
