"""Telling from a text what kind of source it names."""

import glob
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2

from edge_runtime.addresses import is_address
from edge_runtime.errors import SourceError
from edge_runtime.pictures import PICTURE_SUFFIXES, UNREAD_PICTURE_SUFFIXES, only_pictures, only_unread_pictures
from edge_runtime.sources.chain import ChainedSource
from edge_runtime.sources.endpoint import Endpoint
from edge_runtime.sources.enough import Enough
from edge_runtime.sources.live import LiveSettings, LiveSource
from edge_runtime.sources.picture import OnBadPicture, PictureSource, pictures_in, say_unread
from edge_runtime.sources.source import FrameSource
from edge_runtime.sources.video import VideoSource, takes_path

_SCHEMES = ("http", "https", "rtsp", "rtsps", "tcp")
_MODEL_SUFFIX = ".tflite"


def open_source(
    text: str,
    *,
    live: LiveSettings | None = None,
    on_bad_picture: OnBadPicture | None = None,
    enough: Enough | None = None,
) -> FrameSource:
    """Return the source that a text names: a picture, folder, glob pattern, video or stream address.

    Args:
        text: What the user typed.
        live: How a stream is read.
        on_bad_picture: Told of each unreadable picture of a folder or pattern; None makes it an error.
        enough: How large frames of a video have to be; None for whole ones.

    Raises:
        SourceError: Nothing of that name is there, it may not be looked at, or it is of no known kind.
    """
    if is_address(text):
        return LiveSource([stream_endpoint(text)], live)
    try:
        return _open_path(text, on_bad_picture, enough)
    except OSError as error:
        raise SourceError(f"{text!r} cannot be read ({error.strerror}); check the path and its permissions.") from error


def _open_path(text: str, on_bad_picture: OnBadPicture | None, enough: Enough | None) -> FrameSource:
    path = Path(text)
    if path.is_dir() and text:
        return PictureSource(pictures_in(path), on_bad_picture)
    if path.is_file():
        return _open_file(path, enough)
    if glob.has_magic(text):
        return PictureSource(_matching(text), on_bad_picture)
    raise SourceError(
        f"{text!r} is neither a file, a folder, nor an address; check the spelling, or use --camera N for a camera."
    )


def open_sources(texts: Sequence[str], *, on_bad_picture: OnBadPicture, enough: Enough | None = None) -> FrameSource:
    """Return one source for several texts; all are looked at before the first frame is read.

    Args:
        texts: What the user typed, at least one; none is an address.
        on_bad_picture: Told of each unreadable picture, unless a single picture was asked for.
        enough: How large frames of videos have to be; None for whole ones.

    Raises:
        SourceError: One of them names nothing.
    """
    sources = [open_source(text, on_bad_picture=on_bad_picture, enough=enough) for text in texts]
    if len(sources) == 1:
        return sources[0]
    return ChainedSource([_tolerant(source, on_bad_picture) for source in sources])


def find_unread(texts: Iterable[str]) -> list[Path]:
    """Return the pictures in folders and of patterns that are left out, since they are of a kind that is not read."""
    return only_unread_pictures({path for text in texts for path in _list_named(text)})


def _list_named(text: str) -> Iterable[Path]:
    path = Path(text)
    if path.is_dir():
        return path.iterdir()
    return () if path.is_file() else _match(text)


def _tolerant(source: FrameSource, on_bad_picture: OnBadPicture) -> FrameSource:
    """Let the others go on when a picture that is one of many cannot be read."""
    return PictureSource(source.paths, on_bad_picture) if isinstance(source, PictureSource) else source


def stream_endpoint(address: str) -> Endpoint:
    """Return what an address of a network stream stands for.

    Raises:
        SourceError: It is of a kind that is not known, no UTF-8, or has a password that has to be escaped.
    """
    scheme = address.partition("://")[0]
    if scheme.lower() not in _SCHEMES:
        raise SourceError(f"Addresses of kind {scheme}:// are not known; use one of {', '.join(_SCHEMES)}.")
    return Endpoint.stream(address)


def _open_file(path: Path, enough: Enough | None) -> FrameSource:
    if _is_picture(path):
        return PictureSource([path])
    if path.suffix.lower() in UNREAD_PICTURE_SUFFIXES:
        raise SourceError(f"{path} is a picture of a kind that is not read; save it as JPEG.")
    if path.suffix.lower() == _MODEL_SUFFIX:
        raise SourceError(f"{path} is a model, not a source of frames; name it with --model.")
    return VideoSource(path, enough)


def _is_picture(path: Path) -> bool:
    """Tell pictures from videos: by suffix, and where that says nothing by the first bytes."""
    return path.suffix.lower() in PICTURE_SUFFIXES or (takes_path(path) and cv2.haveImageReader(str(path)))


def _matching(pattern: str) -> list[Path]:
    found = _match(pattern)
    if paths := only_pictures(found):
        return paths
    if unread := only_unread_pictures(found):
        raise SourceError(f"No picture that is read matches {pattern!r}: {say_unread(unread)}")
    raise SourceError(f"No picture matches {pattern!r}; check the pattern.")


def _match(pattern: str) -> set[Path]:
    # Path.glob would need the fixed part of the pattern taken off first.
    return {Path(match) for match in glob.iglob(pattern, recursive=True)}  # noqa: PTH207
