from collections.abc import Iterator

import numpy as np
import pytest

from edge_runtime.drawing import GARMENTS
from edge_runtime.errors import SourceError
from edge_runtime.loop import LoopOptions, RunCounts, run
from edge_runtime.recognizer import Recognizer
from edge_runtime.results import FrameResult
from edge_runtime.sinks import Sink
from edge_runtime.sources import Frame, FrameSource

_RED, _CYAN = (0, 0, 255), (255, 255, 0)


class _Frames(FrameSource):
    """Frames of one colour each, then an error if there is one."""

    def __init__(self, colours: list[tuple[int, int, int]], error: Exception | None = None) -> None:
        self.colours, self.error = colours, error
        self.taken = 0
        self.closed = False
        self.failed, self.dropped = 2, 3

    def __exit__(self, *_: object) -> None:
        self.closed = True

    def __iter__(self) -> Iterator[Frame]:
        for index, colour in enumerate(self.colours):
            self.taken += 1
            yield Frame(np.full((20, 30, 3), colour, np.uint8), "here", index + 100, 1000.0 + index, 5.0)
        if self.error:
            raise self.error


class _Kept(Sink):
    def __init__(self) -> None:
        self.results: list[FrameResult] = []

    def write(self, frame: Frame, result: FrameResult) -> None:
        assert frame.timestamp == result.timestamp
        self.results.append(result)


def test_every_frame_is_answered_and_given_to_every_sink(tiny_recognizer: Recognizer) -> None:
    first, second = _Kept(), _Kept()
    counts = run(_Frames([_RED, _CYAN]), tiny_recognizer, [first, second])
    assert counts == RunCounts(answered=2, failed=2, dropped=3)
    assert [result.classifications[0].label for result in first.results] == [GARMENTS[0], GARMENTS[5]]
    assert first.results == second.results


def test_a_result_says_where_when_and_how(tiny_recognizer: Recognizer) -> None:
    kept = _Kept()
    run(_Frames([_RED]), tiny_recognizer, [kept], LoopOptions(top_k=2))
    (result,) = kept.results
    assert (result.source, result.frame, result.timestamp, result.width, result.height) == ("here", 0, 1000.0, 30, 20)
    assert result.model_sha256 == tiny_recognizer.model_sha256
    assert result.times.capture == 5.0
    assert min(result.times.preprocess, result.times.inference, result.times.postprocess) > 0
    assert len(result.classifications) == 2
    assert result.detections is None


def test_the_threshold_is_passed_on(tiny_recognizer: Recognizer) -> None:
    kept = _Kept()
    run(_Frames([_RED]), tiny_recognizer, [kept], LoopOptions(threshold=0.99))
    assert kept.results[0].classifications == ()


def test_no_frame_is_taken_beyond_the_last_that_is_wanted(tiny_recognizer: Recognizer) -> None:
    source = _Frames([_RED] * 5)
    assert run(source, tiny_recognizer, [], LoopOptions(max_frames=2)).answered == 2
    assert source.taken == 2
    assert source.closed


def test_a_source_that_fails_is_closed_and_its_answers_stand(tiny_recognizer: Recognizer) -> None:
    source, kept = _Frames([_RED], SourceError("gone")), _Kept()
    with pytest.raises(SourceError, match="gone"):
        run(source, tiny_recognizer, [kept])
    assert source.closed
    assert len(kept.results) == 1
