"""A sink with a thread of its own, so that one that is slow or fails holds up nothing else."""

import threading
import time
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from edge_runtime.errors import OutputError
from edge_runtime.events.event import Event, HealthKind
from edge_runtime.frame import Frame
from edge_runtime.results import FrameResult
from edge_runtime.sinks.sink import Notice, Sink

_MOST_FRAMES: Final = 4
_MOST_EVENTS: Final = 1000
_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 60.0
# What a service manager grants between asking and killing is far longer.
_LAST_WAIT_S = 3.0
# A slow encoder takes seconds for a large frame, and is given the first ten of a stream at once.
_LONGEST_WRITE_S = 10.0
# A sink that now and then is late by a frame shall not send an event each time.
_CALM_S = 10.0

_Item = tuple[Frame, FrameResult] | Event
_Reason = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


class SinkThread(Sink):
    """Passes frames and events on to another sink, in a thread of its own.

    For files it is *patient*: a slow sink slows the run, and one that fails ends it. For live sources it is not: while
    the sink is busy, frames are dropped, and a sink that fails is tried again with growing waits. Events are kept
    through both, up to a thousand; then the oldest go.

    Attributes:
        name: What messages call it.
    """

    def __init__(self, sink: Sink, name: str, *, patient: bool) -> None:
        """Prepare; the thread starts with `__enter__`.

        Args:
            sink: Opened here, and written to and closed by the thread alone.
            name: What messages call it.
            patient: Wait for the sink rather than drop frames, and let its errors end the run.
        """
        self.name = name
        self._notices = deque[tuple[HealthKind, str]]()
        self._sink = sink
        self._patient = patient
        self._changed = threading.Condition()
        self._items = deque[_Item]()
        self._frames = self._events = 0
        self._open = self._paused = self._ending = False
        self._begun_s = 0.0
        self._hurry_until_s: float | None = None
        self._dropped_s: float | None = None
        self._dropped_events = 0
        self._failing: Exception | None = None
        self._frame_failed = False
        self._fatal: Exception | None = None
        self._broken: Exception | None = None
        self._reason: _Reason = (None, None, None)
        # An interrupted `join` has Python before 3.13 take a thread for ended that is not.
        self._passed_on, self._closed = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"sink {name}", daemon=True)

    def __enter__(self) -> Self:
        if self._thread.ident is not None:
            raise RuntimeError(f"The SinkThread {self.name} was used already; make another one for another run.")
        self._sink.__enter__()
        self._thread.start()
        self._open = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._open = False
        self._reason = kind, error, traceback
        try:
            # A reader of a file's results may take all the time it wants, unless the user has had enough.
            if self._patient and kind is None:
                self.finish(None)
            self._wait_for_end()
        except BaseException:
            # A signal has broken in, and a video is worth finishing all the same.
            self._wait_for_end()
            raise
        if self._broken is not None:
            raise self._broken
        if kind is None and (failure := self._fatal or self._failing):
            raise failure

    def finish(self, timeout_s: float | None = _LAST_WAIT_S) -> bool:
        """Take nothing more, and wait for what is left to be passed on; return whether it was, in time."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        return self._passed_on.wait(timeout_s)

    def _wait_for_end(self) -> None:
        """Wait until the sink is closed, unless it is stuck in a write."""
        if self.finish(_LAST_WAIT_S) or self._finish_write():
            self._closed.wait()

    def hurry(self) -> None:
        """Wait for a slow sink a few seconds more in all; what comes after a frame that waited in vain is dropped."""
        self._hurry_until_s = time.monotonic() + _LAST_WAIT_S

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Leave a frame and its result for the thread.

        Raises:
            OutputError: The sink has failed and is patient.
            BrokenPipeError: The reader of the sink is gone.
            RuntimeError: It is not open, and nothing would take the frame.
        """
        self._check_open()
        with self._changed:
            if self._patient and not self._wait_for_room():
                # Should there be room again, the next frame would leave a hole before it.
                self._paused = True
            self._raise_fatal()
            if self._frames == _MOST_FRAMES:
                self._note_dropped()
            elif not self._paused:
                self._frames += 1
                self._items.append((frame, result))
                self._changed.notify_all()

    def tell(self, event: Event) -> None:
        """Leave an event for the thread; errors as for `write`."""
        self._check_open()
        with self._changed:
            self._raise_fatal()
            self._events += 1
            self._items.append(event)
            self._drop_oldest_events()
            self._changed.notify_all()

    def take_notices(self) -> Sequence[Notice]:
        """Return what happened to the sink and was not taken yet; for the thread of the frame loop."""
        taken = list[Notice]()
        while self._notices:
            kind, text = self._notices.popleft()
            taken.append((kind, self.name, text))
        return [*taken, *self._sink.take_notices()]

    def _check_open(self) -> None:
        if not self._open:
            raise RuntimeError(f"The SinkThread {self.name} is not open; use it within `with`.")

    def _finish_write(self) -> bool:
        """Drop the frames that wait, and wait for the write under way; return whether it ended in time."""
        with self._changed:
            self._items = deque(self._waiting_events())
            self._frames = 0
            left_s = self._begun_s + _LONGEST_WRITE_S - time.monotonic()
        return self.finish(max(left_s, 0.0))

    def _wait_for_room(self) -> bool:
        left_s = None if self._hurry_until_s is None else max(self._hurry_until_s - time.monotonic(), 0.0)
        return self._changed.wait_for(lambda: self._frames < _MOST_FRAMES or self._fatal is not None, left_s)

    def _waiting_events(self) -> list[Event]:
        return [item for item in self._items if not isinstance(item, tuple)]

    def _drop_oldest_events(self) -> None:
        while self._events > _MOST_EVENTS:
            self._items.remove(next(item for item in self._items if not isinstance(item, tuple)))
            self._events -= 1
            self._dropped_events += 1
            if self._dropped_events == 1:
                message = f"{self.name} is {_MOST_EVENTS} events behind, and the oldest are dropped."
                self._notices.append((HealthKind.SINK_FAILED, message))

    def _raise_fatal(self) -> None:
        if self._fatal is not None:
            raise self._fatal

    def _note_dropped(self) -> None:
        if self._dropped_s is None:
            self._notices.append((HealthKind.SINK_SLOW, f"{self.name} is busy, and frames are left out for it."))
        self._dropped_s = time.monotonic()

    def _work(self) -> None:
        """Write to the sink and close it: no signal reaches this thread, nor breaks off what it does."""
        try:
            self._pass_all_on()
        finally:
            self._passed_on.set()
            self._close()

    def _close(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._ending)
        try:
            self._sink.__exit__(*self._reason)
        except Exception as error:
            self._broken = error
        finally:
            self._closed.set()

    def _pass_all_on(self) -> None:
        wait_s = _FIRST_WAIT_S
        while (item := self._next()) is not None:
            try:
                self._pass_on(item)
            except Exception as error:
                if self._is_fatal(error):
                    break
                self._pause(item, error, wait_s)
                wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
            else:
                if self._proves_well(item):
                    wait_s = _FIRST_WAIT_S
                    self._note_well()
            # Its frame takes megabytes, and the next one may be long in coming.
            del item

    def _next(self) -> _Item | None:
        """Wait for an item; return None when the last one is done."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._ending)
            if not self._items:
                return None
            item = self._items.popleft()
            self._begun_s = time.monotonic()
            if isinstance(item, tuple):
                self._frames -= 1
            else:
                self._events -= 1
            self._changed.notify_all()
            return item

    def _pass_on(self, item: _Item) -> None:
        if isinstance(item, tuple):
            self._sink.write(*item)
        else:
            self._sink.tell(item)

    def _proves_well(self, item: _Item) -> bool:
        """Tell whether a sink that took an item is well.

        Many sinks of frames do nothing with events, not even with the one that says that they fail.
        """
        return isinstance(item, tuple) or not self._frame_failed

    def _is_fatal(self, error: Exception) -> bool:
        """Tell whether an error ends the sink, and keep it for the thread of the frame loop if so."""
        temporary = isinstance(error, (OutputError, OSError)) and not isinstance(error, BrokenPipeError)
        with self._changed:
            if temporary and not self._patient and not self._ending:
                return False
            self._fatal = error
            self._changed.notify_all()
            return True

    def _pause(self, item: _Item, error: Exception, wait_s: float) -> None:
        """Wait for better times with events, including one that failed, and without frames."""
        if self._failing is None:
            self._notices.append((HealthKind.SINK_FAILED, str(error)))
        with self._changed:
            self._failing = error
            self._frame_failed |= isinstance(item, tuple)
            events = self._waiting_events()
            self._items = deque(events if isinstance(item, tuple) else [item, *events])
            self._frames, self._events = 0, len(self._items)
            self._drop_oldest_events()
            self._paused = True
            self._changed.wait_for(lambda: self._ending, wait_s)
            self._paused = False

    def _note_well(self) -> None:
        with self._changed:
            calm = self._dropped_s is not None and time.monotonic() - self._dropped_s > _CALM_S
            caught_up = self._dropped_events > 0 and not self._events
            if calm or caught_up or self._failing is not None:
                lost = f"; {self._dropped_events} events were dropped" if self._dropped_events else ""
                self._failing = self._dropped_s = None
                self._frame_failed = False
                self._dropped_events = 0
                self._notices.append((HealthKind.SINK_BACK, f"{self.name} works again{lost}."))
