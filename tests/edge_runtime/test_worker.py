"""A sink that is slow, blocks or fails."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from edge_runtime.errors import OutputError
from edge_runtime.events import Event, HealthEvent, HealthKind
from edge_runtime.results import FrameResult, StageTimes
from edge_runtime.sinks import Sink, SinkThread
from edge_runtime.sinks.sink import Notice
from edge_runtime.sources import Frame

_FRAME = Frame(np.zeros((1, 1, 3), np.uint8), "camera:0", 0, 0.0, 0.0)


def _result(number: int) -> FrameResult:
    return FrameResult("camera:0", number, 0.0, 1, 1, (), None, StageTimes(0, 0, 0, 0), "ab")


def _event(number: int) -> HealthEvent:
    return HealthEvent("id", "run", number, 0.0, HealthKind.SOURCE_LOST, "camera:0", "gone")


class _Held(Sink):
    """Keeps what it gets, once it is let; raises what it is told to."""

    def __init__(self) -> None:
        self.let = threading.Event()
        self.let.set()
        self.error: Exception | None = None
        self.got: list[int] = []
        self.tries = 0
        self.closed = False

    def __exit__(self, *_: object) -> None:
        self.closed = True

    def write(self, frame: Frame, result: FrameResult) -> None:
        self._get(result.frame)

    def tell(self, event: Event) -> None:
        self._get(100 + event.sequence)

    def _get(self, number: int) -> None:
        self.tries += 1
        assert self.let.wait(10)
        if self.error is not None:
            raise self.error
        self.got.append(number)


class _HeldPictures(_Held):
    """Has no use for events."""

    def tell(self, event: Event) -> None:
        return


def _until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


def _notices(sink: Sink, count: int) -> list[Notice]:
    """Wait for so many notices, and take them."""
    taken: list[Notice] = []

    def enough() -> bool:
        taken.extend(sink.take_notices())
        return len(taken) >= count

    _until(enough)
    return taken


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_runtime.sinks.worker._FIRST_WAIT_S", 0.05)
    monkeypatch.setattr("edge_runtime.sinks.worker._LAST_WAIT_S", 0.3)
    monkeypatch.setattr("edge_runtime.sinks.worker._LONGEST_WRITE_S", 5.0)


def test_all_arrives_in_order_before_the_end() -> None:
    held = _Held()
    with SinkThread(held, "held", patient=True) as sink:
        for number in range(20):
            sink.write(_FRAME, _result(number))
            sink.tell(_event(number))
    assert held.got == [value for number in range(20) for value in (number, 100 + number)]
    assert held.closed


@pytest.mark.parametrize("patient", [True, False])
def test_outside_of_its_block_it_takes_nothing(patient: bool) -> None:
    sink = SinkThread(_Held(), "held", patient=patient)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="held is not open"):
            sink.write(_FRAME, _result(0))
        with pytest.raises(RuntimeError, match="held is not open"):
            sink.tell(_event(0))
        if not sink._ending:
            sink.__enter__()
            sink.__exit__(None, None, None)


def test_one_that_was_used_opens_no_sink_again() -> None:
    held = _Held()
    sink = SinkThread(held, "held", patient=True)
    with sink:
        pass
    held.closed = False
    with pytest.raises(RuntimeError, match="held was used already"), sink:
        pass
    assert not held.closed


def test_notices_of_the_sink_itself_are_passed_on() -> None:
    class Telling(_Held):
        def take_notices(self) -> list[Notice]:
            return [notice]

    notice = (HealthKind.SINK_FAILED, "receiver", "The receiver is away.")
    with SinkThread(Telling(), "held", patient=True) as sink:
        assert sink.take_notices() == [notice]


def test_a_patient_one_waits_for_a_slow_sink() -> None:
    held = _Held()
    held.let.clear()
    threading.Timer(0.2, held.let.set).start()
    with SinkThread(held, "held", patient=True) as sink:
        for number in range(20):
            sink.write(_FRAME, _result(number))
    assert held.got == list(range(20))


def test_a_blocked_sink_of_a_live_source_holds_up_nobody_and_keeps_events() -> None:
    held = _Held()
    held.let.clear()
    with SinkThread(held, "held", patient=False) as sink:
        start_s = time.monotonic()
        for number in range(100):
            sink.write(_FRAME, _result(number))
            sink.tell(_event(number))
        assert time.monotonic() - start_s < 1
        assert sink.take_notices() == [(HealthKind.SINK_SLOW, "held", "held is busy, and frames are left out for it.")]
        assert sink.take_notices() == []
        held.let.set()
    assert [value for value in held.got if value >= 100] == list(range(100, 200))
    assert len(held.got) <= 100 + 5


def test_a_failing_sink_of_a_live_source_is_tried_again_and_loses_no_event() -> None:
    held = _Held()
    held.error = OutputError("The disk is full; free some space.")
    with SinkThread(held, "held", patient=False) as sink:
        sink.tell(_event(0))
        sink.write(_FRAME, _result(0))
        _until(lambda: held.tries >= 2)
        sink.tell(_event(1))
        held.error = None
        _until(lambda: held.got == [100, 101])
        assert [kind for kind, *_ in _notices(sink, 2)] == [HealthKind.SINK_FAILED, HealthKind.SINK_BACK]
        sink.write(_FRAME, _result(2))
    # What failed and was a frame is no longer of interest.
    assert held.got == [100, 101, 2]


def test_a_sink_that_fails_on_every_frame_says_so_once_and_is_tried_ever_more_seldom() -> None:
    held = _HeldPictures()
    held.error = OutputError("The disk is full; free some space.")
    kinds = list[HealthKind]()

    def pass_on() -> int:
        sink.write(_FRAME, _result(0))
        for kind, *_ in sink.take_notices():
            # As the hub does, which tells every sink what becomes of each.
            sink.tell(_event(0))
            # A busy machine may make it slow besides.
            if kind is not HealthKind.SINK_SLOW:
                kinds.append(kind)
        return len(kinds)

    with SinkThread(held, "held", patient=False) as sink:
        end_s = time.monotonic() + 1.0
        _until(lambda: pass_on() > 1 or time.monotonic() > end_s)
        assert kinds == [HealthKind.SINK_FAILED]
        # At once, and after 0.05 s, 0.1 s, 0.2 s and 0.4 s.
        assert held.tries <= 5
        held.error = None
        _until(lambda: pass_on() > 1)
        assert kinds == [HealthKind.SINK_FAILED, HealthKind.SINK_BACK]


def test_events_are_kept_up_to_a_thousand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_runtime.sinks.worker._MOST_EVENTS", 3)
    held = _Held()
    held.let.clear()
    with SinkThread(held, "held", patient=False) as sink:
        sink.write(_FRAME, _result(0))
        _until(lambda: held.tries == 1)
        for number in range(10):
            sink.tell(_event(number))
        held.let.set()
        failed, back = _notices(sink, 2)
    assert held.got == [0, 107, 108, 109]
    # Who relies on events is told that some are missing, once, and how many.
    assert failed == (HealthKind.SINK_FAILED, "held", "held is 3 events behind, and the oldest are dropped.")
    assert back == (HealthKind.SINK_BACK, "held", "held works again; 7 events were dropped.")


def test_events_of_a_failing_sink_are_kept_up_to_a_thousand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_runtime.sinks.worker._MOST_EVENTS", 3)
    held = _Held()
    held.error = OutputError("locked")
    held.let.clear()
    with SinkThread(held, "held", patient=False) as sink:
        sink.tell(_event(0))
        _until(lambda: held.tries == 1)
        # While one is being tried there is room for another three, and then it comes back.
        for number in range(1, 4):
            sink.tell(_event(number))
        held.let.set()
        _notices(sink, 2)
        for number in range(4, 10):
            sink.tell(_event(number))
        held.error = None
    assert held.got[-3:] == [107, 108, 109]
    assert len(held.got) <= 4


def test_a_sink_that_still_fails_at_the_end_is_an_error() -> None:
    held = _Held()
    held.error = OutputError("full")
    with pytest.raises(OutputError, match="full"), SinkThread(held, "held", patient=False) as sink:
        sink.write(_FRAME, _result(0))


@pytest.mark.parametrize("error", [OutputError("full"), BrokenPipeError(), ZeroDivisionError()])
def test_a_failing_sink_of_files_ends_the_run(error: Exception) -> None:
    held = _Held()
    held.error = error

    def write_many() -> None:
        with SinkThread(held, "held", patient=True) as sink:
            for number in range(1000):
                sink.write(_FRAME, _result(number))

    with pytest.raises(type(error)):
        write_many()
    assert held.tries == 1
    assert held.closed


@pytest.mark.parametrize("error", [BrokenPipeError(), ZeroDivisionError()])
def test_a_reader_that_left_and_a_mistake_of_ours_end_a_live_run_too(error: Exception) -> None:
    held = _Held()
    held.error = error

    def write_for_ever() -> None:
        with SinkThread(held, "held", patient=False) as sink:
            while True:
                sink.write(_FRAME, _result(0))

    with pytest.raises(type(error)):
        write_for_ever()


def test_a_slow_sink_is_closed_without_the_frames_that_wait() -> None:
    held = _Held()
    held.let.clear()
    sink = SinkThread(held, "held", patient=True)

    def let_when_dropped() -> None:
        _until(lambda: not sink._items)
        held.let.set()

    def run_until_signalled() -> None:
        with sink:
            sink.write(_FRAME, _result(0))
            _until(lambda: held.tries == 1)
            for number in range(1, 5):
                sink.write(_FRAME, _result(number))
            threading.Thread(target=let_when_dropped).start()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_until_signalled()
    assert held.got == [0]
    assert held.closed


def test_a_signal_in_a_slow_last_write_leaves_it_closed_after_that() -> None:
    class Slow(_Held):
        def write(self, frame: Frame, result: FrameResult) -> None:
            _until(lambda: sink._ending)
            time.sleep(0.1)
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.3)
            closed_meanwhile.append(self.closed)
            super().write(frame, result)

    held, closed_meanwhile = Slow(), list[bool]()
    with pytest.raises(KeyboardInterrupt), SinkThread(held, "held", patient=True) as sink:
        sink.write(_FRAME, _result(0))
    assert closed_meanwhile == [False]
    assert held.got == [0]
    assert held.closed


def test_a_run_in_a_thread_that_outlives_the_main_one_closes_its_sinks() -> None:
    """Python lets no pool begin anything then."""
    script = (
        "import threading, time\n"
        "from edge_runtime.sinks import Sink, SinkThread\n"
        "class Told(Sink):\n"
        "    def __exit__(self, *_):\n"
        "        print('closed')\n"
        "def work():\n"
        "    with SinkThread(Told(), 'told', patient=True):\n"
        "        time.sleep(0.5)\n"
        "threading.Thread(target=work).start()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("closed\n", "")


def test_a_signal_while_the_sink_is_being_closed_leaves_it_closed() -> None:
    class Interrupted(_Held):
        def __exit__(self, *_: object) -> None:
            time.sleep(0.1)
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            time.sleep(0.2)
            super().__exit__()

    held = Interrupted()
    with pytest.raises(KeyboardInterrupt), SinkThread(held, "held", patient=True) as sink:
        sink.write(_FRAME, _result(0))
    assert held.got == [0]
    assert held.closed


def test_a_signal_while_a_live_sink_finishes_leaves_it_closed() -> None:
    class Interrupted(_Held):
        def write(self, frame: Frame, result: FrameResult) -> None:
            _until(lambda: sink._ending)
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            time.sleep(0.2)
            super().write(frame, result)

    held = Interrupted()
    with pytest.raises(KeyboardInterrupt), SinkThread(held, "held", patient=False) as sink:
        sink.write(_FRAME, _result(0))
    assert held.got == [0]
    assert held.closed


def test_a_blocked_sink_of_files_that_shall_hurry_loses_all_from_a_frame_on() -> None:
    held = _Held()
    held.let.clear()
    with SinkThread(held, "held", patient=True) as sink:
        sink.write(_FRAME, _result(0))
        _until(lambda: held.tries == 1)
        for number in range(1, 5):
            sink.write(_FRAME, _result(number))
        sink.hurry()
        sink.write(_FRAME, _result(5))
        held.let.set()
        _until(lambda: len(held.got) == 5)
        sink.write(_FRAME, _result(6))
    assert held.got == list(range(5))


def test_a_sink_that_never_returns_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_runtime.sinks.worker._LONGEST_WRITE_S", 0.5)
    held = _Held()
    held.let.clear()
    start_s = time.monotonic()
    with SinkThread(held, "held", patient=False) as sink:
        sink.write(_FRAME, _result(0))
    assert time.monotonic() - start_s < 2
    assert not held.closed
    held.let.set()
