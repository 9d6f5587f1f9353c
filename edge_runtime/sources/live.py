"""Frames from cameras and network streams, as they come.

Threads of their own read, because OpenCV may block in the middle of a read for as long as it likes; the main thread
only ever waits with a deadline.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

from edge_runtime.errors import SourceError
from edge_runtime.events.event import HealthKind
from edge_runtime.frame import Frame
from edge_runtime.sources.capture import LONGEST_WAIT_S, Back, Captured, CaptureThread, Handed, Lost
from edge_runtime.sources.endpoint import Endpoint, name_apart
from edge_runtime.sources.enough import Enough
from edge_runtime.sources.handover import Latest
from edge_runtime.sources.source import FrameSource

DEFAULT_TIMEOUT_S: Final = 10.0
# OpenCV's own timeouts should strike first: they free the connection, while the deadline leaves the thread behind.
_GRACE_S = 1.0
_LONGEST_WAIT_S = 0.5
_ATTEMPTS_IN_OUTAGE = 4

OnHealth = Callable[[HealthKind, str, str], None]
"""Told of the kind, the source's name and a sentence, in the thread that takes the frames."""


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """How live sources are read.

    Attributes:
        timeout_s: Seconds that opening, and then each frame, may take.
        max_outage_s: Seconds that a source may be gone before that is an error; None for no limit.
        max_fps: Frames a second taken from each source at most; None for all.
        enough: How large frames have to be.
    """

    timeout_s: float = DEFAULT_TIMEOUT_S
    max_outage_s: float | None = None
    max_fps: float | None = None
    enough: Enough = field(default_factory=Enough)

    @property
    def longest_wait_s(self) -> float:
        """Seconds between two attempts to open a lost source at most; several fit into the longest outage."""
        return min(LONGEST_WAIT_S, (self.max_outage_s or math.inf) / _ATTEMPTS_IN_OUTAGE)


class LiveSource(FrameSource):
    """Cameras and streams: the latest frame of each in turn; older ones are dropped and counted.

    One that dies is opened again, with growing waits. At the start at least one has to send a frame.
    """

    live = True

    def __init__(
        self, endpoints: Sequence[Endpoint], settings: LiveSettings | None = None, on_health: OnHealth | None = None
    ) -> None:
        """Prepare to open endpoints; frames are captured from `__enter__` on.

        Args:
            endpoints: What to open, each once; a name that is there already gets a number.
            settings: How to read them.
            on_health: Told of sources that are lost or back.
        """
        self._settings = chosen = settings or LiveSettings()
        self._on_health = on_health
        self._latest = Latest[Handed]()
        self._threads = [
            CaptureThread(
                endpoint, self._latest, chosen.timeout_s, chosen.max_fps, chosen.enough, chosen.longest_wait_s
            )
            for endpoint in name_apart(endpoints)
        ]
        self._lost: dict[str, tuple[float, SourceError]] = {}
        self._started = False
        self._while_waiting: Callable[[], None] | None = None

    @property
    def dropped(self) -> int:  # type: ignore[override]
        """Frames that were captured but not handed over so far."""
        return self._latest.dropped

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for thread in self._threads:
            thread.stop()
        # A thread stuck in a read is left behind: it is a daemon, and nothing waits for what it reads.
        deadline_s = time.monotonic() + _GRACE_S
        for thread in self._threads:
            thread.join(max(deadline_s - time.monotonic(), 0.0))

    def while_waiting(self, call: Callable[[], None]) -> None:
        """Have something done twice a second while no frame comes, instead of what was asked for before."""
        self._while_waiting = call

    def __iter__(self) -> Iterator[Frame]:
        while True:
            start_s = time.perf_counter()
            captured = self._take()
            waited_ms = (time.perf_counter() - start_s) * 1e3
            yield Frame(
                captured.picture.image,
                captured.endpoint.name,
                captured.index,
                captured.timestamp,
                waited_ms,
                captured.clock_s,
                captured.picture.shrunk_by,
            )

    def _take(self) -> Captured:
        while True:
            self._check_deadlines()
            try:
                handed = self._latest.take(_LONGEST_WAIT_S)
            except TimeoutError:
                if self._while_waiting is not None:
                    self._while_waiting()
                continue
            match handed:
                case Lost():
                    self._note_lost(handed)
                case Back():
                    self._note_back(handed)
                case Captured():
                    self._started = True
                    return handed

    def _note_lost(self, lost: Lost) -> None:
        self._lost[lost.endpoint.name] = (time.monotonic(), lost.error)
        if not self._started and len(self._lost) == len(self._threads):
            raise lost.error
        self._check_deadlines()
        self._report(HealthKind.SOURCE_LOST, lost.endpoint, str(lost.error))

    def _note_back(self, back: Back) -> None:
        since_s, _ = self._lost.pop(back.endpoint.name)
        gone_s = time.monotonic() - since_s
        self._report(HealthKind.SOURCE_BACK, back.endpoint, f"{back.endpoint.name} is back after {gone_s:.1f} s.")

    def _report(self, kind: HealthKind, endpoint: Endpoint, message: str) -> None:
        if self._on_health is not None:
            self._on_health(kind, endpoint.name, message)

    def _check_deadlines(self) -> None:
        self._check_threads()
        now_s = time.monotonic()
        for since_s, error in self._lost.values():
            if self._settings.max_outage_s is not None and now_s - since_s >= self._settings.max_outage_s:
                raise error

    def _check_threads(self) -> None:
        calls = [(thread, thread.call) for thread in self._threads]
        stuck = [(thread, call) for thread, call in calls if call is not None and call.is_stuck(_GRACE_S)]
        for thread, call in stuck:
            # Nothing in this process can end a call that does not return, so the process has to. Looking up a name
            # knows no timeout, though, and returns in the end: as long as others go on, that source is only lost.
            if not call.opening or len(stuck) == len(self._threads):
                raise thread.stuck_error(call)
            thread.tell_stuck_opening()
        for thread in self._threads:
            if not thread.is_alive():
                raise thread.died_error()
