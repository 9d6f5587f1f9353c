"""Telling from a path what `--save` should write."""

import os
from pathlib import Path

from edge_runtime.errors import OutputError
from edge_runtime.files import explaining
from edge_runtime.pictures import PICTURE_SUFFIXES
from edge_runtime.sinks.pictures import PictureFileSink, PictureFolderSink
from edge_runtime.sinks.sink import Sink
from edge_runtime.sinks.video import VIDEO_CODECS, VideoSink
from edge_runtime.sources import FrameSource, PictureSource


def open_save_sink(target: str, source: FrameSource, max_frames: int | None = None) -> Sink:
    """Return the sink for a path: a picture or a video by its suffix, else a folder of pictures.

    Args:
        target: What the user typed.
        source: Where the frames will come from.
        max_frames: How many of them at most.

    Raises:
        OutputError: The suffix is of no known format, or names one picture where there will be several; the path of a
            video is no UTF-8; or it lies in a folder that may not be entered.
    """
    path = Path(target)
    suffix = path.suffix.lower()
    with explaining(path):
        is_folder = path.is_dir() or target.endswith((os.sep, os.altsep or os.sep)) or not suffix
    if is_folder:
        return PictureFolderSink(path)
    if suffix in VIDEO_CODECS:
        return VideoSink(path, source)
    if suffix not in PICTURE_SUFFIXES:
        known = ", ".join([*sorted(PICTURE_SUFFIXES), *VIDEO_CODECS])
        raise OutputError(f"{target} has a suffix of no known format; use a folder, or one of {known}.")
    if max_frames != 1 and not _is_one_picture(source):
        raise OutputError(f"{target} can hold one picture only; give --save a folder or a video instead.")
    return PictureFileSink(path)


def _is_one_picture(source: FrameSource) -> bool:
    return isinstance(source, PictureSource) and len(source.paths) == 1
