"""Ending a process whose model never returns, so that a service manager can start it again."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Final, Self

from edge_runtime.errors import StuckError
from edge_runtime.service import notify

_MOST_TICK_S: Final = 1.0


class Watchdog:
    """Watches one kind of work from a thread of its own; use it as a context manager.

    Nothing inside a process can end native code that does not return; ending the process is all that helps. Time is
    counted in ticks of the watching thread, so that neither a clock that jumps nor a process that was stopped for a
    while looks like work that is stuck.

    While all is well systemd is told so, once a tick.
    """

    def __init__(self, limit_s: float, on_stuck: Callable[[StuckError], None]) -> None:
        """Prepare; watching starts with `__enter__`.

        Args:
            limit_s: Seconds that the work may take.
            on_stuck: Told in the watching thread; then the process ends with the error's exit code.
        """
        self._limit_s = limit_s
        self._tick_s = min(limit_s / 4, _MOST_TICK_S)
        self._on_stuck = on_stuck
        self._stop_wanted = threading.Event()
        # The number of the work under way, None between works.
        self._working: int | None = None
        self._works = 0
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        notify("READY=1")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        notify("STOPPING=1")
        self._stop_wanted.set()
        self._thread.join()

    @contextlib.contextmanager
    def guarding(self) -> Iterator[None]:
        """Watch the work of the block."""
        self._works += 1
        self._working = self._works
        try:
            yield
        finally:
            self._working = None

    def _watch(self) -> None:
        seen: int | None = None
        ticks = 0
        while not self._stop_wanted.wait(self._tick_s):
            working = self._working
            ticks = ticks + 1 if working is not None and working == seen else 0
            seen = working
            if ticks * self._tick_s >= self._limit_s:
                self._end()
            notify("WATCHDOG=1")

    def _end(self) -> None:
        error = StuckError(
            f"The model has not answered for {self._limit_s:g} s, so the process ends; start it again, and give a slow "
            "device a larger --watchdog."
        )
        try:
            self._on_stuck(error)
        finally:
            os._exit(error.exit_code)
