"""One thread per camera or stream: it reads, and opens again what has died."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import cv2

from edge_runtime.errors import SourceError
from edge_runtime.sources.endpoint import Endpoint
from edge_runtime.sources.enough import Enough
from edge_runtime.sources.handover import Latest
from edge_runtime.sources.pace import Pace
from edge_runtime.sources.reader import MOST_BAD, Picture, PictureReader

_FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
# A source that worked this long is opened again soon; one that dies at once, less and less often.
_STEADY_S = 10.0


@dataclass(frozen=True, slots=True)
class Captured:
    """A frame as it was read.

    Attributes:
        endpoint: Where it comes from.
        picture: As it was decoded.
        index: Counts the frames of the endpoint, over all its openings.
        timestamp: Unix time in seconds.
        clock_s: The machine's monotonic clock in seconds.
    """

    endpoint: Endpoint
    picture: Picture
    index: int
    timestamp: float
    clock_s: float


@dataclass(frozen=True, slots=True)
class Lost:
    """A source cannot be opened or has stopped; it is being tried again."""

    endpoint: Endpoint
    error: SourceError


@dataclass(frozen=True, slots=True)
class Back:
    """A source that was lost sends frames again."""

    endpoint: Endpoint


Handed = Captured | Lost | Back


@dataclass(slots=True)
class Call:
    """A call into OpenCV under way.

    Attributes:
        opening: It opens the source, rather than reading or closing it.
        due_s: The monotonic time by which its timeout should have ended it.
        seen_late_s: The monotonic time at which it was first found to be late.
    """

    opening: bool
    due_s: float
    seen_late_s: float | None = None

    def is_stuck(self, grace_s: float) -> bool:
        """Tell whether it was late already some seconds ago.

        A process that was stopped for a while finds every call late, and those that are not stuck return soon.
        """
        now_s = time.monotonic()
        if self.seen_late_s is None:
            self.seen_late_s = now_s if now_s >= self.due_s else None
            return False
        return now_s - self.seen_late_s >= grace_s


class CaptureThread(threading.Thread):
    """Reads one endpoint into a hand-over until told to stop.

    A source that is lost is told of once, however many attempts its return takes.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        latest: Latest[Handed],
        timeout_s: float,
        max_fps: float | None,
        enough: Enough,
        longest_wait_s: float = LONGEST_WAIT_S,
    ) -> None:
        super().__init__(name=endpoint.name, daemon=True)
        self.endpoint = endpoint
        self.call: Call | None = None
        self._latest = latest
        self._timeout_s = timeout_s
        self._pace = Pace(max_fps)
        self._enough = enough
        self._longest_wait_s = longest_wait_s
        self._stop_wanted = threading.Event()
        # This thread and the one that takes the frames may both find that the source is lost; it is told once.
        self._telling = threading.Lock()
        self._lost = False
        self._index = 0

    def stop(self) -> None:
        """Ask the thread to end; it does after the read it is in."""
        self._stop_wanted.set()

    def tell_stuck_opening(self) -> None:
        """Count the source as lost while the call that opens it does not return; for another thread."""
        self._tell_lost(partial(self.endpoint.failure, self._no_answer()))

    def stuck_error(self, call: Call) -> SourceError:
        """Return what to say when a call has not returned."""
        return self.endpoint.failure(self._no_answer() if call.opening else self._no_frame())

    def died_error(self) -> SourceError:
        """Return what to say when the thread has ended though nobody asked it to."""
        message = f"{self.endpoint.name} is no longer read, by a fault of this program; start it again and report it."
        return self.endpoint.error(message)

    def run(self) -> None:
        """Open, read, and wait longer and longer between attempts that fail."""
        first_s = wait_s = min(_FIRST_WAIT_S, self._longest_wait_s)
        while not self._stop_wanted.is_set():
            start_s = time.monotonic()
            self._tell_lost(self._read_until_it_ends())
            wait_s = first_s if time.monotonic() - start_s > _STEADY_S else wait_s
            self._stop_wanted.wait(wait_s)
            wait_s = min(2 * wait_s, self._longest_wait_s)

    def _tell_lost(self, find_error: Callable[[], SourceError]) -> None:
        if self._lost:
            return
        # Outside the lock: a server may take its time to say why.
        error = find_error()
        with self._telling:
            if not self._lost and not self._stop_wanted.is_set():
                self._lost = True
                self._latest.tell(self.endpoint.name, Lost(self.endpoint, error))

    def _tell_back(self) -> None:
        with self._telling:
            if self._lost:
                self._lost = False
                self._latest.tell(self.endpoint.name, Back(self.endpoint))

    def _read_until_it_ends(self) -> Callable[[], SourceError]:
        """Return what tells, where somebody wants to know, what ended it."""
        start_s = time.monotonic()
        self._begin_call(opening=True)
        reader = PictureReader(partial(self.endpoint.open, self._timeout_s), self._enough)
        try:
            if not reader.capture.isOpened():
                if time.monotonic() - start_s < self._timeout_s:
                    return self.endpoint.not_opened
                return partial(self.endpoint.failure, self._no_answer())
            return partial(self.endpoint.failure, self._read(reader))
        except cv2.error as error:
            return partial(self.endpoint.failure, f"cannot be read ({error.err})")
        finally:
            # A driver may hang here as well.
            self._begin_call(opening=False)
            reader.close()
            self.call = None

    def _begin_call(self, *, opening: bool) -> None:
        self.call = Call(opening, time.monotonic() + self._timeout_s)

    def _read(self, reader: PictureReader) -> str:
        """Hand over frame by frame; return what happened at the end."""
        bad = 0
        good_s = time.monotonic()
        while not self._stop_wanted.is_set() and bad <= MOST_BAD and time.monotonic() - good_s < self._timeout_s:
            self._begin_call(opening=False)
            if self._read_one(reader):
                bad, good_s = 0, time.monotonic()
            else:
                bad += 1
        return self._no_frame() if time.monotonic() - good_s >= self._timeout_s else "stopped sending frames"

    def _read_one(self, reader: PictureReader) -> bool:
        """Tell whether a frame came, and hand it over if it is due."""
        if not reader.grab():
            return False
        # A frame that is not due is not decoded either, where the camera's driver leaves that to us.
        if not self._pace.take():
            if not reader.waits:
                self._wait()
            return True
        picture = reader.retrieve()
        if picture is None:
            return False
        self._hand_over(picture)
        return True

    def _wait(self) -> None:
        """Wait until the next frame is due; that is no call which may be stuck."""
        self.call = None
        self._stop_wanted.wait(self._pace.left_s())

    def _hand_over(self, picture: Picture) -> None:
        self._tell_back()
        captured = Captured(self.endpoint, picture, self._index, time.time(), time.monotonic())
        self._latest.put(self.endpoint.name, captured)
        self._index += 1

    def _no_answer(self) -> str:
        return f"did not answer within {self._timeout_s:g} s"

    def _no_frame(self) -> str:
        return f"sent no frame for {self._timeout_s:g} s"
