"""Where in a video its frames are, also where they do not follow each other evenly."""

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime.sources import VideoSource

_HEIGHT, _WIDTH = 48, 64


def _element(number: str, *parts: bytes | int | str) -> bytes:
    """Return an element of Matroska (RFC 8794): its number, the length of its content, and that."""
    content = b"".join(map(_encoded, parts))
    return bytes.fromhex(number) + (1 << 56 | len(content)).to_bytes(8) + content


def _encoded(part: bytes | int | str) -> bytes:
    if isinstance(part, int):
        return part.to_bytes(4)
    return part.encode() if isinstance(part, str) else part


def _matroska(path: Path, positions_ms: list[int]) -> Path:
    """Write a video whose frames are at the given positions; OpenCV writes none with gaps."""
    head = _element("1a45dfa3", _element("4282", "matroska"), _element("4287", 2), _element("4285", 2))
    size = _element("e0", _element("b0", _WIDTH), _element("ba", _HEIGHT))
    track = _element("ae", _element("d7", 1), _element("73c5", 1), _element("83", 1), _element("86", "V_MJPEG"), size)
    clusters = b"".join(
        _element("1f43b675", _element("e7", position_ms), _element("a3", struct.pack(">BhB", 0x81, 0, 0x80) + _jpeg(i)))
        for i, position_ms in enumerate(positions_ms)
    )
    info = _element("1549a966", _element("2ad7b1", 1_000_000))
    path.write_bytes(head + _element("18538067", info, _element("1654ae6b", track), clusters))
    return path


def _jpeg(level: int) -> bytes:
    return cv2.imencode(".jpg", np.full((_HEIGHT, _WIDTH, 3), level, np.uint8))[1].tobytes()


def test_frames_with_gaps_between_them_are_where_the_video_says(tmp_path: Path) -> None:
    frames = list(VideoSource(_matroska(tmp_path / "phone.mkv", [0, 40, 1080, 1100, 4000])))
    assert [frame.clock_s for frame in frames] == pytest.approx([0.0, 0.04, 1.08, 1.1, 4.0])
    assert [frame.video_s for frame in frames] == [frame.clock_s for frame in frames]


def test_positions_that_go_back_are_not_believed(tmp_path: Path) -> None:
    source = VideoSource(_matroska(tmp_path / "odd.mkv", [0, 500, 100, 140, 2000]))
    positions_s = [frame.clock_s for frame in source]
    assert source.fps
    step_s = 1 / source.fps
    assert positions_s == pytest.approx([0.0, 0.5, 0.5 + step_s, 0.54 + step_s, 2.4 + step_s])


def test_a_damaged_position_spoils_no_later_one(tmp_path: Path) -> None:
    source = VideoSource(_matroska(tmp_path / "odd.mkv", [0, 40, 10_000_000, 120, 160]))
    positions_s = [frame.clock_s for frame in source]
    assert source.fps
    step_s = 1 / source.fps
    assert positions_s == pytest.approx([0.0, 0.04, 0.04 + step_s, 0.04 + 2 * step_s, 0.08 + 2 * step_s])


def test_a_raw_stream_has_the_positions_of_its_rate(tmp_path: Path) -> None:
    path = tmp_path / "raw.mjpeg"
    path.write_bytes(b"".join(map(_jpeg, range(4))))
    source = VideoSource(path)
    positions_s = [frame.clock_s for frame in source]
    assert source.fps
    assert positions_s == pytest.approx([index / source.fps for index in range(4)])
