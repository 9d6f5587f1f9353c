"""What the operating system forbids is said in a sentence, not in its own words."""

import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime.errors import OutputError, SourceError
from edge_runtime.files import check_fresh, check_writable
from edge_runtime.results import FrameResult, StageTimes
from edge_runtime.sinks import PictureFileSink, open_save_sink
from edge_runtime.sources import DemoSource, Frame, PictureSource, VideoSource, open_source

_NOBODY = 65534
_FRAME = Frame(np.full((48, 64, 3), 90, np.uint8), "camera:0", 0, 0.0, 0.0)
_RESULT = FrameResult("camera:0", 0, 0.0, 64, 48, (), None, StageTimes(0.0, 0.0, 0.0, 0.0), "ab" * 32)


@pytest.fixture
def shut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that may not be entered, beside a file that may not be read; given by a path without the folders above.

    Root may all, so it is nobody while the test goes on.
    """
    monkeypatch.chdir(tmp_path)
    folder, video = Path("shut"), Path("video.mp4")
    folder.mkdir()
    (folder / "a.jpg").write_bytes(cv2.imencode(".jpg", _FRAME.image)[1].tobytes())
    video.write_bytes(b"0")
    video.chmod(0)
    folder.chmod(0)
    tmp_path.chmod(0o755)
    user = os.geteuid()
    if user == 0:
        os.seteuid(_NOBODY)
    yield folder
    os.seteuid(user)
    folder.chmod(0o700)


@pytest.mark.parametrize("name", ["a.jpg", "*.jpg", "gone.mp4"])
def test_a_source_that_may_not_be_looked_at(name: str, shut: Path) -> None:
    with pytest.raises(SourceError, match=r"shut.* cannot be read \(Permission denied\); check .*permissions\.$"):
        open_source(str(shut / name))


@pytest.mark.usefixtures("shut")
def test_a_video_that_may_not_be_read_is_not_called_none() -> None:
    with pytest.raises(SourceError, match=r"^video\.mp4 cannot be read \(Permission denied\)"):
        list(VideoSource("video.mp4"))


@pytest.mark.parametrize("name", ["x.jpg", "x.mp4", "x", "x/y.jpg"])
def test_a_place_that_nothing_can_be_saved_in(name: str, shut: Path) -> None:
    one = PictureSource([Path("b.jpg")])
    with pytest.raises(OutputError, match=r"Permission denied"), open_save_sink(str(shut / name), one) as sink:
        sink.write(_FRAME, _RESULT)


def test_a_folder_that_pictures_cannot_be_saved_in(shut: Path) -> None:
    with (
        pytest.raises(OutputError, match=r"Permission denied"),
        open_save_sink(f"{shut}/", DemoSource()) as sink,
    ):
        sink.write(_FRAME, _RESULT)


def test_a_picture_whose_folder_was_shut_since(shut: Path) -> None:
    with pytest.raises(OutputError, match=r"x\.jpg cannot be written \(Permission denied\)"):
        PictureFileSink(shut / "x.jpg").write(_FRAME, _RESULT)


def test_long_work_is_refused_before_it_begins(shut: Path) -> None:
    with pytest.raises(OutputError, match="Permission denied"):
        check_writable(shut / "below" / "a.tflite")
    with pytest.raises(OutputError, match="Permission denied"):
        check_fresh(shut, "crops")
