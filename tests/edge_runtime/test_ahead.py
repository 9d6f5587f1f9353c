import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from edge_runtime.errors import SourceError
from edge_runtime.sources import AheadSource, Frame, FrameSource


class _Frames(FrameSource):
    def __init__(self, count: int, error: Exception | None = None, read_s: float = 0.0) -> None:
        self.count, self.error, self.read_s = count, error, read_s
        self.fps = 12.0
        self.read = 0
        self.closed = False

    def __exit__(self, *_: object) -> None:
        self.closed = True

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self.count):
            time.sleep(self.read_s)
            self.read += 1
            self.failed = index
            yield Frame(np.zeros((1, 1, 3), np.uint8), "a", index, 0.0, 0.0)
        if self.error:
            raise self.error


def test_every_frame_comes_in_order_and_the_source_is_closed() -> None:
    inner = _Frames(20)
    with AheadSource(inner) as source:
        assert [frame.index for frame in source] == list(range(20))
    assert inner.closed
    assert (source.fps, source.failed) == (12.0, 19)


def test_reading_and_answering_overlap() -> None:
    start_s = time.monotonic()
    with AheadSource(_Frames(10, read_s=0.05)) as source:
        for _ in source:
            time.sleep(0.05)
    assert time.monotonic() - start_s < 0.9


def test_only_a_few_frames_are_read_ahead_and_their_failures_are_not_counted_yet() -> None:
    inner = _Frames(100)
    with AheadSource(inner) as source:
        next(iter(source))
        time.sleep(0.1)
        assert inner.read <= 5
        assert source.failed == 0
    assert inner.closed


def test_an_error_comes_after_the_frames_before_it() -> None:
    with AheadSource(_Frames(2, SourceError("gone"))) as source:
        frames = iter(source)
        assert [next(frames).index, next(frames).index] == [0, 1]
        with pytest.raises(SourceError, match="gone"):
            next(frames)


def test_leaving_early_ends_the_thread() -> None:
    before = threading.active_count()
    with AheadSource(_Frames(100)) as source:
        next(iter(source))
    assert threading.active_count() == before


def test_a_rate_is_held() -> None:
    start_s = time.monotonic()
    with AheadSource(_Frames(6), max_fps=20) as source:
        assert len(list(source)) == 6
    assert time.monotonic() - start_s >= 0.24
