"""Frames from picture files."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from edge_runtime.errors import PictureError, SourceError
from edge_runtime.frame import Frame
from edge_runtime.pictures import PICTURE_SUFFIXES, only_pictures, only_unread_pictures, pictures_under, read_picture
from edge_runtime.sources.source import FrameSource

OnBadPicture = Callable[[PictureError], None]


class PictureSource(FrameSource):
    """Picture files, one frame each."""

    alone = True
    # As a video, pictures are shown for one second each.
    fps = 1.0

    def __init__(self, paths: Sequence[Path], on_bad_picture: OnBadPicture | None = None) -> None:
        """Take the pictures in the order given.

        Args:
            paths: Picture files; none is opened yet.
            on_bad_picture: Told of each picture that cannot be read, before the rest go on; None makes it an error.
        """
        self.paths = tuple(paths)
        self._on_bad_picture = on_bad_picture

    def __iter__(self) -> Iterator[Frame]:
        for index, path in enumerate(self.paths):
            try:
                yield _read_frame(path, index)
            except PictureError as error:
                if self._on_bad_picture is None:
                    raise
                self.failed += 1
                self._on_bad_picture(error)


def pictures_in(folder: Path) -> list[Path]:
    """Return the pictures of a folder by name, without those in folders below and without hidden ones.

    Raises:
        SourceError: The folder cannot be read or holds no picture.
    """
    try:
        inside = list(folder.iterdir())
        paths = only_pictures(inside)
    except OSError as error:
        raise SourceError(f"{folder} cannot be read ({error.strerror}); check its permissions.") from error
    if paths:
        return paths
    if unread := only_unread_pictures(inside):
        raise SourceError(f"{folder} holds no picture that is read: {say_unread(unread)}")
    if below := {path.parent for path in pictures_under(folder)}:
        raise SourceError(f"{folder} itself holds no picture, but folders below do; name them, {min(below)} first.")
    raise SourceError(f"{folder} holds no picture; the kinds known are {', '.join(sorted(PICTURE_SUFFIXES))}.")


def say_unread(paths: Sequence[Path]) -> str:
    """Return the sentence about pictures, at least one, that are of kinds which are not read."""
    if len(paths) == 1:
        return f"{paths[0]} is of a kind that is not read and left out; save it as JPEG."
    return (
        f"{len(paths)} pictures, the first {paths[0]}, are of a kind that is not read and left out; save them as JPEG."
    )


def _read_frame(path: Path, index: int) -> Frame:
    start = time.perf_counter()
    image = read_picture(path)
    read_ms = (time.perf_counter() - start) * 1e3
    return Frame(image, str(path), index, time.time(), read_ms, index / PictureSource.fps, alone=True)
