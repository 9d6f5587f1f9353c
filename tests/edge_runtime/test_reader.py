from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_runtime.drawing import draw_garment
from edge_runtime.preprocess import Image, Preprocessor
from edge_runtime.sources import Enough, Frame, LiveSettings, VideoSource, open_source
from edge_runtime.sources.reader import Picture, PictureReader
from edge_runtime.spec import InputSpec

_SIZE = (480, 640)
_SHIRT = draw_garment("shirt", 0, _SIZE)


def _video(path: Path, pictures: Sequence[Image], codec: str = "MJPG") -> Path:
    height, width = pictures[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 10, (width, height))
    for picture in pictures:
        writer.write(picture)
    writer.release()
    return path


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return _video(tmp_path / "shirt.avi", [_SHIRT] * 3)


def _read(path: Path, enough: Enough) -> list[Picture]:
    reader = PictureReader(partial(cv2.VideoCapture, str(path), cv2.CAP_FFMPEG), enough)
    return list(_pictures(reader))


def _pictures(reader: PictureReader) -> Iterator[Picture]:
    while reader.grab():
        if picture := reader.retrieve():
            yield picture


@pytest.mark.parametrize(
    ("enough", "shrunk_by"),
    [(None, 1), ((241, 224), 1), ((240, 224), 2), ((121, 10), 2), ((120, 160), 4), ((96, 96), 4), ((10, 10), 8)],
)
def test_pictures_are_halved_as_often_as_leaves_enough(
    video: Path, enough: tuple[int, int] | None, shrunk_by: int
) -> None:
    pictures = _read(video, Enough(enough))
    assert [picture.shrunk_by for picture in pictures] == [shrunk_by] * 3
    assert {picture.image.shape for picture in pictures} == {(480 // shrunk_by, 640 // shrunk_by, 3)}


def test_a_halved_picture_is_the_mean_of_the_whole_one(video: Path) -> None:
    whole, half = _read(video, Enough())[0].image, _read(video, Enough((240, 240)))[0].image
    means = cv2.resize(whole, (320, 240), interpolation=cv2.INTER_AREA)
    assert np.abs(half.astype(int) - means).mean() < 1
    assert np.abs(whole[:240, :320].astype(int) - half).mean() > 10


def test_what_is_enough_may_change_between_pictures(video: Path) -> None:
    enough = Enough((240, 240))
    reader = PictureReader(partial(cv2.VideoCapture, str(video), cv2.CAP_FFMPEG), enough)
    heights = []
    for size in ((240, 240), (400, 400), None):
        enough.size = size
        assert reader.grab()
        picture = reader.retrieve()
        assert picture
        heights.append(picture.image.shape[0])
    assert heights == [240, 480, 480]


def test_sides_are_never_cut(tmp_path: Path) -> None:
    picture = cv2.resize(_SHIRT, (642, 484))
    (taken,) = _read(_video(tmp_path / "odd.avi", [picture]), Enough((60, 60)))
    assert taken.shrunk_by == 2
    assert taken.image.shape == (242, 321, 3)


def test_other_codecs_come_whole(tmp_path: Path) -> None:
    pictures = _read(_video(tmp_path / "a.mp4", [_SHIRT] * 2, "mp4v"), Enough((60, 60)))
    assert [(picture.shrunk_by, picture.image.shape) for picture in pictures] == [(1, (480, 640, 3))] * 2


def test_videos_of_other_codecs_are_halved_as_the_preprocessor_would(tmp_path: Path) -> None:
    path = _video(tmp_path / "a.mp4", [_SHIRT] * 2, "mp4v")
    (whole, _), (half, _) = VideoSource(path), VideoSource(path, Enough((224, 224)))
    assert (half.shrunk_by, half.size) == (2, _SIZE)
    preprocess = Preprocessor(InputSpec(224, 224, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)))
    np.testing.assert_array_equal(preprocess(half.image), preprocess(whole.image))


def test_a_damaged_picture_of_a_video_is_left_out(tmp_path: Path) -> None:
    path = _video(tmp_path / "a.avi", [_SHIRT] * 3)
    _replace(path, b"\xff\xd8\xff", b"\0\0\0", which=1)
    frames = list(VideoSource(path, Enough((240, 240))))
    assert [frame.index for frame in frames] == [0, 1]


def test_a_picture_that_claims_a_monstrous_size_is_left_out(tmp_path: Path) -> None:
    path = _video(tmp_path / "a.avi", [_SHIRT] * 3)
    start_of_frame = b"\xff\xc0\x00\x11\x08"
    _replace(path, start_of_frame + b"\x01\xe0\x02\x80", start_of_frame + b"\xff\xdc\xff\xdc", which=1)
    assert len(_read(path, Enough((240, 240)))) == 2


def test_interlaced_pictures_are_left_to_opencv(video: Path, tmp_path: Path) -> None:
    # Each picture of theirs holds two JPEGs of half the height; this one has the first of them.
    field = _video(tmp_path / "field.avi", [cv2.resize(_SHIRT, (640, 240))] * 3)
    captures: Iterator[Any] = iter([_Interlaced(field), cv2.VideoCapture(str(video), cv2.CAP_FFMPEG)])
    reader = PictureReader(captures.__next__, Enough((60, 60)))
    assert [picture.image.shape for picture in _pictures(reader)] == [(480, 640, 3)] * 3


class _Interlaced:
    """Promises pictures of twice the height of its JPEGs."""

    def __init__(self, path: Path) -> None:
        self._capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._capture, name)

    def get(self, key: int) -> float:
        return self._capture.get(key) * (2 if key == cv2.CAP_PROP_FRAME_HEIGHT else 1)


def _replace(path: Path, old: bytes, new: bytes, which: int | None = None) -> None:
    """Replace all places of a file that hold some bytes, or one of them by its number."""
    parts = path.read_bytes().split(old)
    assert len(parts) > 1
    joints = [new if which in (None, index) else old for index in range(len(parts) - 1)]
    path.write_bytes(b"".join(part + joint for part, joint in zip(parts, [*joints, b""], strict=True)))


def _jpeg(size: tuple[int, int]) -> bytes:
    return cv2.imencode(".jpg", cv2.resize(_SHIRT, size[::-1]))[1].tobytes()


def test_frames_of_streams_are_halved_and_know_their_size(serve: Callable[..., str]) -> None:
    settings = LiveSettings(enough=Enough((112, 112)))
    with open_source(serve(pictures=[_jpeg(_SIZE)]), live=settings) as source:
        frame = next(iter(source))
    assert (frame.shrunk_by, frame.image.shape, frame.size) == (4, (120, 160, 3), _SIZE)


def test_a_stream_may_change_its_size(serve: Callable[..., str]) -> None:
    settings = LiveSettings(enough=Enough((112, 112)))
    sizes = {_SIZE, (120, 160), (240, 320)}
    with open_source(serve(pictures=[_jpeg(size) for size in sizes]), live=settings) as source:
        frames = list(_until_all(source, sizes))
    assert {frame.size for frame in frames} == sizes
    assert min(min(frame.image.shape[:2]) for frame in frames) >= 112


def _until_all(frames: Iterator[Frame], sizes: set[tuple[int, int]]) -> Iterator[Frame]:
    missing = set(sizes)
    for frame in frames:
        yield frame
        missing.discard(frame.size)
        if not missing:
            return
