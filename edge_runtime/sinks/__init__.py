"""Where results go: lines of text, JSON Lines, annotated pictures and videos."""

from edge_runtime.sinks.lines import JsonSink, LineSink
from edge_runtime.sinks.pictures import PictureFileSink, PictureFolderSink
from edge_runtime.sinks.save import open_save_sink
from edge_runtime.sinks.sink import Sink
from edge_runtime.sinks.video import VideoSink

__all__ = ["JsonSink", "LineSink", "PictureFileSink", "PictureFolderSink", "Sink", "VideoSink", "open_save_sink"]
