"""Live sources that die, come back, and stand side by side."""

import threading
import time
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from edge_runtime.errors import StreamError
from edge_runtime.events import HealthKind
from edge_runtime.sources import Endpoint, Frame, LiveSettings, LiveSource
from edge_runtime.sources.capture import CaptureThread
from edge_runtime.sources.reader import PictureReader

_NOBODY = "http://127.0.0.1:9/v"


class _Told:
    def __init__(self) -> None:
        self.events: list[tuple[HealthKind, str]] = []

    def __call__(self, kind: HealthKind, source: str, message: str) -> None:
        assert source in message
        self.events.append((kind, source))

    @property
    def kinds(self) -> list[HealthKind]:
        return [kind for kind, _ in self.events]


@pytest.fixture
def told() -> _Told:
    return _Told()


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_runtime.sources.capture._FIRST_WAIT_S", 0.05)


def _source(told: _Told, *addresses: str, **settings: float) -> LiveSource:
    return LiveSource([Endpoint.stream(address) for address in addresses], LiveSettings(**settings), told)


def _take(source: LiveSource, enough: Callable[[list[Frame]], bool]) -> list[Frame]:
    frames = []
    with source:
        for frame in source:
            frames.append(frame)
            if enough(frames):
                break
    return frames


def test_a_stream_that_ends_is_opened_again_and_goes_on_counting(serve: Callable[..., str], told: _Told) -> None:
    frames = _take(_source(told, serve(frames=5)), lambda frames: frames[-1].index >= 12)
    assert told.kinds[:4] == [HealthKind.SOURCE_LOST, HealthKind.SOURCE_BACK] * 2
    indices = [frame.index for frame in frames]
    assert indices == sorted(set(indices))
    clocks = [frame.clock_s for frame in frames]
    assert clocks == sorted(clocks)


def test_a_stream_that_stalls_is_opened_again(serve: Callable[..., str], told: _Told) -> None:
    source = _source(told, serve(frames=5, stall=True), timeout_s=0.4)
    _take(source, lambda frames: frames[-1].index >= 6)
    assert told.kinds[:2] == [HealthKind.SOURCE_LOST, HealthKind.SOURCE_BACK]


def test_an_outage_has_an_end_where_one_is_set(serve: Callable[..., str], told: _Told) -> None:
    address = serve(frames=3, connections=1)
    start_s = time.monotonic()
    with pytest.raises(StreamError, match="stopped sending frames"):
        _take(_source(told, address, max_outage_s=0.6), lambda _: False)
    assert 0.6 <= time.monotonic() - start_s < 5
    # However often it was tried in vain, it is told once.
    assert told.kinds == [HealthKind.SOURCE_LOST]


def test_sources_come_in_turns_and_carry_their_names(serve: Callable[..., str], told: _Told) -> None:
    addresses = [serve(fps=50.0), serve(fps=50.0)]
    frames = _take(_source(told, *addresses), lambda frames: len(frames) == 20)
    counts = [sum(frame.source == address for frame in frames) for address in addresses]
    assert sum(counts) == 20
    assert min(counts) >= 5


def test_one_that_is_not_there_does_not_keep_the_others_from_starting(serve: Callable[..., str], told: _Told) -> None:
    address = serve()
    frames = _take(_source(told, _NOBODY, address), lambda frames: len(frames) == 10)
    assert {frame.source for frame in frames} == {address}
    assert told.events == [(HealthKind.SOURCE_LOST, _NOBODY)]


def test_names_that_hide_the_difference_are_told_apart(serve: Callable[..., str], told: _Told) -> None:
    address = serve(frames=5)
    names = [f"{address}?token=***", f"{address}?token=*** #2"]
    frames = _take(
        _source(told, f"{address}?token=a", f"{address}?token=b"),
        lambda frames: all(any(frame.source == name and frame.index >= 8 for frame in frames) for name in names),
    )
    for name in names:
        indices = [frame.index for frame in frames if frame.source == name]
        assert indices == sorted(set(indices))
        kinds = [kind for kind, source in told.events if source == name]
        assert kinds[:2] == [HealthKind.SOURCE_LOST, HealthKind.SOURCE_BACK]
    assert {frame.source for frame in frames} == set(names)


def test_one_that_hangs_in_opening_is_lost_until_it_opens(
    serve: Callable[..., str], told: _Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, answered = serve(), threading.Event()
    open_endpoint = Endpoint.open

    def open_late(endpoint: Endpoint, _: float) -> cv2.VideoCapture:
        # So does the look-up of a host's name when the server of names keeps silent.
        assert endpoint.name != name or answered.wait(60)
        return open_endpoint(endpoint, 10)

    monkeypatch.setattr(Endpoint, "open", open_late)
    monkeypatch.setattr("edge_runtime.sources.live._GRACE_S", 0.1)
    source = _source(told, serve(), name)
    late = source._threads[1]
    late._timeout_s = 0.1

    def enough(frames: list[Frame]) -> bool:
        if told.events:
            late._timeout_s = 10
            answered.set()
        return frames[-1].source == name

    _take(source, enough)
    assert told.events == [(HealthKind.SOURCE_LOST, name), (HealthKind.SOURCE_BACK, name)]


def test_one_that_hangs_in_a_read_ends_the_run(
    serve: Callable[..., str], told: _Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, over = serve(), threading.Event()
    open_endpoint, grab = Endpoint.open, PictureReader.grab
    monkeypatch.setattr(Endpoint, "open", lambda endpoint, _: open_endpoint(endpoint, 10))
    monkeypatch.setattr("edge_runtime.sources.live._GRACE_S", 0.1)
    monkeypatch.setattr(
        PictureReader, "grab", lambda reader: over.wait(60) if threading.current_thread().name == name else grab(reader)
    )
    source = _source(told, serve(), name)
    source._threads[1]._timeout_s = 0.1
    with pytest.raises(StreamError, match=r"sent no frame for 0\.1 s"):
        _take(source, lambda _: over.is_set())
    over.set()


def test_a_process_that_was_stopped_for_a_while_goes_on(
    serve: Callable[..., str], told: _Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    true_s, stopped_s = time.monotonic, [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: true_s() + sum(stopped_s))

    def enough(frames: list[Frame]) -> bool:
        if len(frames) == 3:
            stopped_s.append(100.0)
        return len(frames) == 10

    assert len(_take(_source(told, serve()), enough)) == 10


def test_none_that_is_there_at_the_start_is_an_error(told: _Told) -> None:
    with pytest.raises(StreamError, match="cannot be opened"):
        _take(_source(told, _NOBODY, _NOBODY + "2"), lambda _: True)


def test_a_rate_is_held_for_each_source(serve: Callable[..., str], told: _Told) -> None:
    source = _source(told, serve(fps=50.0), max_fps=10.0)
    frames = _take(source, lambda frames: len(frames) == 8)
    assert frames[-1].clock_s - frames[0].clock_s >= 0.55
    # What was left out on purpose did not come too fast.
    assert source.dropped == 0


@pytest.mark.parametrize(("settings", "longest"), [({}, 30.0), ({"max_outage_s": 10.0}, 2.5)])
def test_waits_grow_while_nobody_answers(
    monkeypatch: pytest.MonkeyPatch, told: _Told, settings: dict[str, float], longest: float
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(CaptureThread, "_read_until_it_ends", lambda _: lambda: StreamError("gone"))
    source = _source(told, _NOBODY, **settings)
    (thread,) = source._threads

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 12:
            thread.stop()

    monkeypatch.setattr(thread._stop_wanted, "wait", wait)
    thread.run()
    assert waits[:4] == [0.05, 0.1, 0.2, 0.4]
    assert waits[-1] == longest


class _DirectShow:
    """A camera as OpenCV has it on Windows: `grab` returns at once."""

    def __init__(self) -> None:
        self.grabs = 0

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def getBackendName(self) -> str:  # noqa: N802
        return "DSHOW"

    def get(self, _: int) -> float:
        return 0.0

    def grab(self) -> bool:
        self.grabs += 1
        return True

    def retrieve(self) -> tuple[bool, np.ndarray]:
        return True, np.zeros((8, 8, 3), np.uint8)

    def release(self) -> None:
        pass


@pytest.fixture
def direct_show(monkeypatch: pytest.MonkeyPatch) -> _DirectShow:
    camera = _DirectShow()
    monkeypatch.setattr(Endpoint, "open", lambda *_: camera)
    return camera


def test_a_camera_that_keeps_nobody_waiting_is_waited_for(direct_show: _DirectShow, told: _Told) -> None:
    frames = _take(_source(told, "camera", max_fps=20.0), lambda frames: len(frames) == 8)
    assert frames[-1].clock_s - frames[0].clock_s >= 0.25
    # A read that found none due comes before each that did.
    assert direct_show.grabs <= 20


def test_waiting_for_what_is_due_is_no_stuck_call_and_ends_at_once(
    direct_show: _DirectShow, told: _Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_runtime.sources.live._GRACE_S", 0.1)
    start_s = time.monotonic()
    source = _source(told, "camera", max_fps=1.0)
    source._threads[0]._timeout_s = 0.1
    _take(source, lambda frames: len(frames) == 3)
    source._threads[0].join(0.5)
    assert not source._threads[0].is_alive()
    assert told.events == []
    assert 1 <= time.monotonic() - start_s < 5
    assert direct_show.grabs <= 8
