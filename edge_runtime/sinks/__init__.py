"""Where results go: lines of text, JSON Lines, annotated pictures and videos."""

from edge_runtime.sinks.lines import EventSink, JsonSink, LineSink
from edge_runtime.sinks.pictures import PictureFileSink, PictureFolderSink
from edge_runtime.sinks.save import open_save_sink
from edge_runtime.sinks.sink import Sink
from edge_runtime.sinks.video import VideoSink
from edge_runtime.sinks.worker import SinkThread

__all__ = [
    "EventSink",
    "JsonSink",
    "LineSink",
    "PictureFileSink",
    "PictureFolderSink",
    "Sink",
    "SinkThread",
    "VideoSink",
    "open_save_sink",
]
