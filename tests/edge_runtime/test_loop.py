import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.drawing import GARMENTS
from edge_runtime.errors import OutputError, SourceError
from edge_runtime.events import Event, EventHub, HealthEvent, HealthKind, ScanKind, Scanner
from edge_runtime.loop import LoopOptions, RunCounts, run
from edge_runtime.preprocess import Image
from edge_runtime.recognizer import Recognizer
from edge_runtime.results import FrameResult, Recognition
from edge_runtime.sinks import Sink, SinkThread
from edge_runtime.sinks.veiled import VeiledSink
from edge_runtime.sources import Enough, Frame, FrameSource, LiveSettings, open_source
from edge_runtime.veil import show_all
from edge_runtime.view import Region, View

_RED, _CYAN = (0, 0, 255), (255, 255, 0)


class _Frames(FrameSource):
    """Frames of one colour each, then an error if there is one."""

    def __init__(self, colours: list[tuple[int, int, int]], error: BaseException | None = None) -> None:
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


class _Given(FrameSource):
    def __init__(self, frames: list[Frame]) -> None:
        self._frames = frames

    def __iter__(self) -> Iterator[Frame]:
        yield from self._frames


class _Kept(Sink):
    def __init__(self) -> None:
        self.results: list[FrameResult] = []

    def write(self, frame: Frame, result: FrameResult) -> None:
        assert frame.timestamp == result.timestamp
        self.results.append(result)


class _Heard(Sink):
    def __init__(self) -> None:
        self.events: list[Event] = []

    def tell(self, event: Event) -> None:
        self.events.append(event)


@pytest.fixture(params=[None, 1, 3])
def at_once(request: pytest.FixtureRequest) -> int | None:
    """How many frames are answered at once."""
    return request.param


def test_every_frame_is_answered_and_given_to_every_sink(tiny_recognizer: Recognizer, at_once: int | None) -> None:
    first, second = _Kept(), _Kept()
    counts = run(_Frames([_RED, _CYAN]), tiny_recognizer, [first, second], LoopOptions(at_once=at_once))
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


def test_the_source_is_told_what_is_enough(tiny_recognizer: Recognizer) -> None:
    enough = Enough()
    run(_Frames([_RED]), tiny_recognizer, [], LoopOptions(view=View(rotate=90)), enough=enough)
    assert enough.size == (tiny_recognizer.spec.input.height, tiny_recognizer.spec.input.width)


def test_answers_about_a_shrunk_frame_are_in_pixels_of_the_whole(tiny_detector: Path) -> None:
    image = np.full((20, 30, 3), _RED, np.uint8)
    whole, half = _Kept(), _Kept()
    for kept, shrunk_by in ((whole, 1), (half, 2)):
        frames = _Given([Frame(image, "here", 0, 0.0, 0.0, shrunk_by=shrunk_by)])
        run(frames, Recognizer.load(tiny_detector), [kept], LoopOptions(threshold=0.0))
    (first,), (second,) = whole.results, half.results
    assert (second.width, second.height) == (60, 40)
    assert first.detections
    assert second.detections
    np.testing.assert_allclose(2 * np.array(first.detections[0].box), second.detections[0].box)


def test_the_threshold_is_passed_on(tiny_recognizer: Recognizer) -> None:
    kept = _Kept()
    run(_Frames([_RED]), tiny_recognizer, [kept], LoopOptions(threshold=0.99))
    assert kept.results[0].classifications == ()


def test_no_frame_is_taken_beyond_the_last_that_is_wanted(tiny_recognizer: Recognizer, at_once: int | None) -> None:
    source = _Frames([_RED] * 5)
    assert run(source, tiny_recognizer, [], LoopOptions(max_frames=2, at_once=at_once)).answered == 2
    assert source.taken == 2
    assert source.closed


def test_a_source_that_fails_is_closed_and_its_answers_stand(tiny_recognizer: Recognizer, at_once: int | None) -> None:
    source, kept = _Frames([_RED, _CYAN], SourceError("gone")), _Kept()
    with pytest.raises(SourceError, match="gone"):
        run(source, tiny_recognizer, [kept], LoopOptions(at_once=at_once))
    assert source.closed
    assert len(kept.results) == 2


def test_results_of_many_at_once_are_those_of_one_by_one_in_the_same_order(tiny_recognizer: Recognizer) -> None:
    colours = [(index * 5 % 256, index * 11 % 256, 255 - index) for index in range(60)]
    one, many = _Kept(), _Kept()
    run(_Frames(colours), tiny_recognizer, [one])
    run(_Frames(colours), tiny_recognizer, [many], LoopOptions(at_once=3))
    assert [result.timestamp for result in many.results] == [1000.0 + index for index in range(60)]
    assert [(r.frame, r.classifications) for r in many.results] == [(r.frame, r.classifications) for r in one.results]


def test_many_are_answered_at_once(tiny_recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch) -> None:
    # None of three is answered before all three have begun.
    together, answer = threading.Barrier(3, timeout=10), Recognizer.recognize

    def recognize(self: Recognizer, frame: Image, *, top_k: int, threshold: float | None) -> Recognition:
        together.wait()
        return answer(self, frame, top_k=top_k, threshold=threshold)

    monkeypatch.setattr(Recognizer, "recognize", recognize)
    assert run(_Frames([_RED] * 6), tiny_recognizer, [], LoopOptions(at_once=3)).answered == 6


def test_what_nothing_moves_in_keeps_the_answer_that_is_still_awaited(
    tiny_recognizer: Recognizer, at_once: int | None
) -> None:
    kept = _Kept()
    options = LoopOptions(skip_still=True, at_once=at_once)
    counts = run(_Frames([_RED, _RED, _RED, _CYAN]), tiny_recognizer, [kept], options)
    assert (counts.answered, counts.still) == (2, 2)
    assert [result.timestamp for result in kept.results] == [1000.0, 1003.0]


def test_an_error_of_an_answer_ends_the_run(
    tiny_recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch, at_once: int | None
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Recognizer, "recognize", fail)
    with pytest.raises(ZeroDivisionError):
        run(_Frames([_RED] * 5), tiny_recognizer, [], LoopOptions(at_once=at_once))
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("answer")]


def test_a_signal_while_an_answer_is_awaited_leaves_no_hole(
    tiny_recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, calls, main = Recognizer.recognize, iter(range(100)), threading.get_ident()

    def recognize(self: Recognizer, frame: Image, *, top_k: int, threshold: float | None) -> Recognition:
        if next(calls) == 3:
            # Until then all before it are passed on, and until it returns this one is awaited.
            time.sleep(0.2)
            signal.pthread_kill(main, signal.SIGINT)
            time.sleep(0.2)
        return answer(self, frame, top_k=top_k, threshold=threshold)

    monkeypatch.setattr(Recognizer, "recognize", recognize)
    kept = _Kept()
    with pytest.raises(KeyboardInterrupt):
        run(_Frames([_RED] * 50), tiny_recognizer, [kept], LoopOptions(at_once=3))
    assert [result.timestamp for result in kept.results] == [1000.0 + index for index in range(len(kept.results))]
    assert len(kept.results) >= 4


def test_a_signal_while_a_sink_is_written_to_leaves_no_hole(tiny_recognizer: Recognizer, at_once: int | None) -> None:
    class Interrupted(_Kept):
        def write(self, frame: Frame, result: FrameResult) -> None:
            if result.frame == 2 and not pressed:
                pressed.append(True)
                raise KeyboardInterrupt
            super().write(frame, result)

    pressed: list[bool] = []
    sinks = [_Kept(), Interrupted(), _Kept()]
    with pytest.raises(KeyboardInterrupt):
        run(_Frames([_RED] * 50), tiny_recognizer, sinks, LoopOptions(at_once=at_once))
    for sink in sinks:
        assert [result.frame for result in sink.results] == list(range(len(sink.results)))
        assert len(sink.results) >= 3


def test_an_answer_that_fails_is_left_out_and_those_begun_after_it_are_written_once(
    tiny_recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = Recognizer.recognize

    def recognize(self: Recognizer, frame: Image, *, top_k: int, threshold: float | None) -> Recognition:
        if frame[0, 0, 0]:
            raise ZeroDivisionError
        return answer(self, frame, top_k=top_k, threshold=threshold)

    monkeypatch.setattr(Recognizer, "recognize", recognize)
    kept = _Kept()
    with pytest.raises(ZeroDivisionError):
        run(_Frames([_RED, _CYAN, _RED, _RED]), tiny_recognizer, [kept], LoopOptions(at_once=3))
    assert [result.timestamp for result in kept.results] == [1000.0, 1002.0, 1003.0]


def test_a_signal_ends_the_run_though_a_sink_of_files_is_blocked(
    tiny_recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Blocked(Sink):
        def write(self, frame: Frame, result: FrameResult) -> None:
            assert let.wait(10)

    for name in ("_LAST_WAIT_S", "_LONGEST_WRITE_S"):
        monkeypatch.setattr(f"edge_runtime.sinks.worker.{name}", 0.1)
    let, kept = threading.Event(), _Kept()
    # So many that the sink's queue is full when the signal comes, and others are still awaited.
    frames = _Frames([_RED] * 9, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt), SinkThread(Blocked(), "blocked", patient=True) as sink:
        run(frames, tiny_recognizer, [kept, sink], LoopOptions(at_once=3))
    assert len(kept.results) == 9
    let.set()


def _red_video(frames: int) -> list[Frame]:
    image = np.full((20, 30, 3), _RED, np.uint8)
    return [Frame(image, "a.mp4", index, 1000.0 + index, 0.0, index / 10) for index in range(frames)]


@pytest.mark.parametrize("frames", [1, 8])
def test_the_same_file_again_is_another_one(tiny_recognizer: Recognizer, at_once: int | None, frames: int) -> None:
    hub, heard = EventHub(), list[Event]()
    hub.listen(heard.append)
    video = _red_video(frames)
    options = LoopOptions(skip_still=True, at_once=at_once)
    counts = run(_Given([*video, *video]), tiny_recognizer, [], options, hub=hub, scanner=Scanner(hub))
    assert (counts.answered, counts.still) == (2, 2 * frames - 2)
    told = [ScanKind.APPEARED, ScanKind.SETTLED, ScanKind.LEFT] if frames > 1 else []
    assert [event.kind for event in heard] == 2 * told


@pytest.mark.parametrize("region", [None, Region(0, 0, 16, 16, shares=False), Region(0, 0, 0.5, 1, shares=True)])
def test_another_size_is_told_as_it_was_sent_whatever_the_region(
    tiny_recognizer: Recognizer, region: Region | None
) -> None:
    class Camera(_Given):
        live = True

    hub, heard = EventHub(), list[Event]()
    hub.listen(heard.append)
    frames = [Frame(np.full((*size, 3), 90, np.uint8), "camera:0", 0, 0.0, 0.0) for size in ((48, 64), (96, 128))]
    run(Camera(frames), tiny_recognizer, [], LoopOptions(view=View(90, region=region)), hub=hub)
    told = "camera:0 sends 128 x 96 pixels now, 64 x 48 before."
    assert [(event.kind, event.message) for event in heard if isinstance(event, HealthEvent)] == [
        (HealthKind.SIZE_CHANGED, told)
    ]


def test_a_sink_hears_each_event_of_a_second_run_once(tiny_recognizer: Recognizer) -> None:
    hub, heard = EventHub(), _Heard()
    for _ in range(2):
        run(_Given(_red_video(2)), tiny_recognizer, [heard], hub=hub, scanner=Scanner(hub))
    assert [event.sequence for event in heard.events] == [0, 1, 2, 3]


def test_sinks_hear_a_scanner_though_the_run_is_given_no_hub(tiny_recognizer: Recognizer) -> None:
    heard = _Heard()
    run(_Given(_red_video(2)), tiny_recognizer, [heard], scanner=Scanner(EventHub()))
    assert [event.kind for event in heard.events] == [ScanKind.APPEARED, ScanKind.LEFT]


def test_a_scanner_of_another_hub_is_refused(tiny_recognizer: Recognizer) -> None:
    with pytest.raises(ValueError, match="another one than the run's"):
        run(_Given(_red_video(2)), tiny_recognizer, [], hub=EventHub(), scanner=Scanner(EventHub()))


def test_what_becomes_of_a_sink_is_told_though_no_frame_comes(
    tiny_recognizer: Recognizer, serve: Callable[..., str]
) -> None:
    class Full(Sink):
        def write(self, frame: Frame, result: FrameResult) -> None:
            time.sleep(0.5)
            raise OutputError("The disk is full.")

    def end(event: Event) -> None:
        heard.append(event.kind)
        raise ZeroDivisionError

    heard: list[str] = []
    hub = EventHub()
    hub.listen(end)
    source = open_source(serve(frames=3, stall=True), live=LiveSettings(5.0, 0))
    with pytest.raises(ZeroDivisionError), VeiledSink(SinkThread(Full(), "full", patient=False), show_all) as sink:
        run(source, tiny_recognizer, [sink], hub=hub)
    assert heard == [HealthKind.SINK_FAILED]
